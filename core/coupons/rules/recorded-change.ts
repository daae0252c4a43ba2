import type { Outcome } from '../../caller.ts';
import type { KeyedRequest } from '../../idempotency/key-hash.ts';
import type { Change, CouponState, EventKind } from './coupon-state.ts';
import {
  type CouponView,
  type LockedCouponView,
  type RedeemedCouponView,
  type ShownBook,
  viewCoupon,
} from './coupon-view.ts';

/**
 * A change with everything its event row holds. The answer to the caller is a pure function of it, which is why a
 * replay, made from the row, is the same to the letter.
 */
export interface RecordedChange {
  kind: EventKind;
  coupon: CouponState;
  at: Date;
  /** The coupon's book, as callers know it. */
  book: ShownBook;
  /** The book's end when the change was made. */
  expiresAt: Date | null;
  /** For `redeemed`. */
  redemption: { id: string; seq: number; reference: string | null } | null;
}

/** A change about to be written. */
export interface PendingChange {
  change: Change;
  expiresAt: Date | null;
  keyed: KeyedRequest | null;
}

/** What a change answers: the coupon after it, and what the kind adds. */
export type ChangeAnswer = CouponView | LockedCouponView | RedeemedCouponView;

/** What a change answers once it is committed. */
export type CouponAnswer = Outcome<ChangeAnswer>;

/** The record of a change that is about to be written. */
export function recordOf(pending: PendingChange, { bookId, publicCode }: ShownBook, at: Date): RecordedChange {
  const { kind, next: coupon, redemption } = pending.change;
  return { kind, coupon, at, book: { bookId, publicCode }, expiresAt: pending.expiresAt, redemption };
}

/**
 * What is answered to whoever asked for the change.
 * @param tokenOf the token of a coupon's lock; a replay computes the same again
 */
export function answerOf(recorded: RecordedChange, tokenOf: (coupon: CouponState) => string): ChangeAnswer {
  const { kind, coupon, at, redemption } = recorded;
  const view = viewCoupon(coupon, recorded.book, recorded.expiresAt, at);
  if (kind === 'locked' || kind === 'lock-renewed') return { ...view, lockToken: tokenOf(coupon) };
  if (kind === 'redeemed' && redemption !== null) {
    const { id, seq, reference } = redemption;
    return { ...view, redemption: { id, seq, at: at.toISOString(), reference } };
  }
  return view;
}
