import type { BookKey, DeckKey } from '../../keys.ts';

/** A coupon's row, as the rules see it. A rule's effect is the next state; the row is written once a batch. */
export interface CouponState {
  readonly deckKey: DeckKey;
  readonly pos: number;
  readonly bookKey: BookKey;
  /** As it is stored: in upper case, folded where its pattern folds. */
  readonly code: string;
  /** Null for a code that was voided before anyone had it. */
  readonly holderId: number | null;
  /** Null without a holder, and once the holder has been erased. */
  readonly userId: string | null;
  readonly assignedAt: Date | null;
  /**
   * Fixed when the coupon was assigned: what was granted stays, whatever becomes of the book's limit. Null: no limit.
   */
  readonly maxRedemptions: number | null;
  /** The end of its own time, fixed when the coupon was assigned. Null: it expires with its book, if that ends. */
  readonly validUntil: Date | null;
  readonly rev: number;
  readonly redemptions: number;
  /** Redemptions that were given back. With those that count it numbers the next one, so that no number comes twice. */
  readonly reversals: number;
  /** Grants of a lock so far; the last one's number begins the lock's token. */
  readonly fence: number;
  /** The last lock's token is its number alone, as an earlier version gave it (see lock-expiry.ts). */
  readonly hasPlainToken: boolean;
  /** The lock is live before this moment and gone from it on. */
  readonly lockExpiresAt: Date | null;
  readonly voided: boolean;
}

/** Kinds of events, in the order of their numbers in the database, which start at 1. */
export const eventKinds = [
  'assigned',
  'locked',
  'lock-renewed',
  'unlocked',
  'redeemed',
  'reversed',
  'voided',
  'transferred',
] as const;

/** What happened to a coupon. */
export type EventKind = (typeof eventKinds)[number];

/** The number under which the database keeps a kind. */
export function eventKindNumber(kind: EventKind): number {
  return eventKinds.indexOf(kind) + 1;
}

/** A change of a coupon as a rule decides it, with what it tells beside the coupon's new state. */
export interface Change {
  kind: EventKind;
  /** The coupon after the change, its rev one higher. */
  next: CouponState;
  actor: string;
  reason: string | null;
  redemption: NewRedemption | null;
  /** For a reversal: the redemption that was given back. */
  reversedRedemptionId: string | null;
}

/** A redemption about to be written. */
export interface NewRedemption {
  id: string;
  /** Which redemption of its coupon it is, from 1, in the coupon's whole life: one given back keeps its number. */
  seq: number;
  reference: string | null;
  metadata: object | null;
}

/** Whether the coupon is locked at `now`. A lock that has expired is no lock. */
export function isLocked(coupon: Pick<CouponState, 'lockExpiresAt'>, now: Date): boolean {
  return coupon.lockExpiresAt !== null && now < coupon.lockExpiresAt;
}

/**
 * From when on the coupon can't be used: the end of its own time or of its book, whichever comes first. Null: never.
 */
export function expiryOf({ validUntil }: Pick<CouponState, 'validUntil'>, bookEndsAt: Date | null): Date | null {
  if (validUntil === null || bookEndsAt === null) return validUntil ?? bookEndsAt;
  return validUntil < bookEndsAt ? validUntil : bookEndsAt;
}

/** Whether every redemption that the coupon allows has been made. */
export function isRedeemed(coupon: Pick<CouponState, 'maxRedemptions' | 'redemptions'>): boolean {
  return coupon.maxRedemptions !== null && coupon.redemptions >= coupon.maxRedemptions;
}
