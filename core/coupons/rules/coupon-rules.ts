import type { BookRules } from '../../books/read-book-rules.ts';
import type { PlainKind, Refusal, RefusalFacts } from '../../errors.ts';
import { type Change, type CouponState, expiryOf, isLocked, isRedeemed, type NewRedemption } from './coupon-state.ts';

/** What a decision needs to know besides the coupon itself. It is read after the last lock. */
export interface DecisionContext {
  book: BookRules;
  /** The database's clock, after the last lock. */
  now: Date;
  /** Redemptions, reversed ones excluded, of the coupon's holder in the book; 0 where the book does not limit them. */
  holderRedemptions: number;
  /** Redemptions of the whole book, reversed ones excluded; 0 where the book does not limit them. */
  bookRedemptions: number;
  /** Whether this is the token of the coupon's last lock. */
  isLockToken(lockToken: string): boolean;
}

/** A rule's answer: what changes, or why nothing does. */
export type Decision = { change: Change } | { refusal: Refusal };

/** Who acts, as a rule needs to know it. */
export interface Act {
  userId: string;
  actor: string;
}

/** Who is to have a coupon. */
export interface Receiver {
  readonly holderId: number;
  readonly userId: string;
  /** Coupons in hand, voided ones excluded; counted only where the book limits them. */
  readonly codes: number;
}

/** Grants a lock, or renews the one whose token is given, for `ttlSeconds` from now. */
export function decideLock(
  coupon: CouponState,
  context: DecisionContext,
  act: Act & { ttlSeconds: number | null; lockToken: string | null },
): Decision {
  const { book, now } = context;
  const refusal =
    refuseVoidOrForeign(coupon, act.userId) ??
    refuseBookClosed(coupon, book, now) ??
    refuseExpired(coupon, now) ??
    refuseToken(coupon, act.lockToken, context) ??
    refuseUsedUp(coupon, context);
  if (refusal !== null) return { refusal };
  const lockExpiresAt = lockEnd(expiryOf(coupon, book.endsAt), now, act.ttlSeconds ?? book.lockTtlSeconds);
  if (act.lockToken !== null) return changed('lock-renewed', act.actor, coupon, { lockExpiresAt });
  const grant = { fence: coupon.fence + 1, hasPlainToken: false, lockExpiresAt };
  return changed('locked', act.actor, coupon, grant);
}

/** A lock that outlived the coupon would promise what nobody can keep. */
function lockEnd(expiresAt: Date | null, now: Date, ttlSeconds: number): Date {
  const end = new Date(now.getTime() + ttlSeconds * 1000);
  return expiresAt !== null && expiresAt < end ? expiresAt : end;
}

/** Ends the live lock whose token is given. Works whatever the book's state: letting go is never wrong. */
export function decideUnlock(
  coupon: CouponState,
  context: DecisionContext,
  act: Act & { lockToken: string },
): Decision {
  const refusal = refuseVoidOrForeign(coupon, act.userId) ?? refuseToken(coupon, act.lockToken, context);
  if (refusal !== null) return { refusal };
  return changed('unlocked', act.actor, coupon, { lockExpiresAt: null });
}

/** Ends the live lock, whosever it is. Works whatever the book's state. */
export function decideForcedUnlock(
  coupon: CouponState,
  { now }: Pick<DecisionContext, 'now'>,
  act: { actor: string; reason: string | null },
): Decision {
  if (coupon.voided) return { refusal: voidRefusal(coupon) };
  if (!isLocked(coupon, now)) return { refusal: noLockRefusal(coupon) };
  const decision = changed('unlocked', act.actor, coupon, { lockExpiresAt: null });
  decision.change.reason = act.reason;
  return decision;
}

/** Redeems once and ends the lock. */
export function decideRedeem(
  coupon: CouponState,
  context: DecisionContext,
  act: Act & { lockToken: string | null; redemption: Omit<NewRedemption, 'seq'> },
): Decision {
  const refusal = refusalToRedeem(coupon, context, act);
  if (refusal !== null) return { refusal };
  const redemptions = coupon.redemptions + 1;
  const decision = changed('redeemed', act.actor, coupon, { redemptions, lockExpiresAt: null });
  decision.change.redemption = { ...act.redemption, seq: redemptions + coupon.reversals };
  return decision;
}

/** Voids a coupon: its lock ends, and its holder's slot is free. */
export function decideVoid(coupon: CouponState, act: { actor: string; reason: string | null }): Decision {
  if (coupon.voided) return { refusal: voidRefusal(coupon) };
  const decision = changed('voided', act.actor, coupon, { voided: true, lockExpiresAt: null });
  decision.change.reason = act.reason;
  return decision;
}

/**
 * Puts a coupon into the receiver's hands, where it could be assigned to that user now. Whether the receiver may redeem
 * it is found out when it does, as with any coupon that is assigned.
 */
export function decideTransfer(
  coupon: CouponState,
  { book, now }: Pick<DecisionContext, 'book' | 'now'>,
  { receiver, ...act }: { receiver: Receiver; actor: string; reason: string | null },
): Decision {
  const refusal = refuseTransfer(coupon, book, now, receiver);
  if (refusal !== null) return { refusal };
  const { holderId, userId } = receiver;
  const decision = changed('transferred', act.actor, coupon, { holderId, userId, lockExpiresAt: null });
  decision.change.reason = act.reason;
  return decision;
}

function refuseTransfer(coupon: CouponState, book: BookRules, now: Date, receiver: Receiver): Refusal | null {
  if (coupon.voided) return voidRefusal(coupon);
  if (coupon.userId === receiver.userId) {
    return refusalOf(coupon, 'code-already-assigned', 'The coupon is in this user’s hands already.');
  }
  const closed = assignRefusal(book, now);
  if (closed !== null) return { ...closed, rev: coupon.rev };
  const expired = refuseExpired(coupon, now);
  if (expired !== null) return expired;
  if (isLocked(coupon, now))
    return lockedRefusal(coupon, now, 'A lock is live: wait until it ends, or unlock the coupon.');
  if (isRedeemed(coupon)) return usedUpRefusal(coupon);
  const full = refuseMoreCodes(book, receiver);
  return full === null ? null : { ...full, rev: coupon.rev };
}

/** Why a user of the book can't have one more coupon, or null. With a public code there is one for each user. */
export function refuseMoreCodes(book: BookRules, { codes }: Pick<Receiver, 'codes'>): Refusal | null {
  const most = book.publicCode === null ? book.maxCodesPerUser : 1;
  if (most === null || codes < most) return null;
  const detail =
    book.publicCode === null
      ? `The book allows ${amount(most, 'code')} a user.`
      : 'The book has a public code, and so gives each user one coupon.';
  return { kind: 'user-limit-reached', detail };
}

/** Gives a redemption back, whatever the book's state and even under a lock: an order is cancelled when it is. */
export function decideReverse(
  coupon: CouponState,
  redemption: { id: string; reversed: boolean },
  act: { actor: string; reason: string | null },
): Decision {
  if (coupon.voided) return { refusal: voidRefusal(coupon) };
  if (redemption.reversed) {
    const detail = 'The redemption was given back before: what was asked for is done, and nothing more is to do.';
    return { refusal: refusalOf(coupon, 'conflict', detail, { reason: 'already-reversed' }) };
  }
  const given = { redemptions: coupon.redemptions - 1, reversals: coupon.reversals + 1 };
  const decision = changed('reversed', act.actor, coupon, given);
  decision.change.reason = act.reason;
  decision.change.reversedRedemptionId = redemption.id;
  return decision;
}

/** Why a redeem by this user with this token, or without one, would be refused now, or null. */
export function refusalToRedeem(
  coupon: CouponState,
  context: DecisionContext,
  { userId, lockToken }: { userId: string; lockToken: string | null },
): Refusal | null {
  return (
    refuseVoidOrForeign(coupon, userId) ??
    refuseBookClosed(coupon, context.book, context.now) ??
    refuseExpired(coupon, context.now) ??
    refuseToken(coupon, lockToken, context) ??
    refuseLockMissing(coupon, context.book, lockToken) ??
    refuseUsedUp(coupon, context)
  );
}

/** What a voided coupon answers to everything. */
export function voidRefusal(coupon: Pick<CouponState, 'rev'>): Refusal {
  return refusalOf(coupon, 'coupon-void', 'The coupon was voided.');
}

/** Why nothing of the book may be locked or redeemed now, or null. The window is half-open, `[startsAt, endsAt)`. */
export function bookRefusal(book: BookRules, now: Date): Refusal | null {
  if (book.status !== 'active') return { kind: 'book-not-active', detail: `The book is ${book.status}, not active.` };
  if (book.startsAt !== null && now < book.startsAt) {
    return { kind: 'book-outside-window', detail: `The book starts at ${book.startsAt.toISOString()}.` };
  }
  return endedRefusal(book, now);
}

/** Why nothing of the book may be assigned now, or null: codes may be handed out before the window starts. */
export function assignRefusal(book: BookRules, now: Date): Refusal | null {
  if (book.status !== 'active') return { kind: 'book-not-active', detail: `The book is ${book.status}, not active.` };
  return endedRefusal(book, now);
}

function endedRefusal(book: BookRules, now: Date): Refusal | null {
  if (book.endsAt === null || now < book.endsAt) return null;
  return { kind: 'book-outside-window', detail: `The book ended at ${book.endsAt.toISOString()}.` };
}

function refuseVoidOrForeign(coupon: CouponState, userId: string): Refusal | null {
  if (coupon.voided) return voidRefusal(coupon);
  if (coupon.userId === userId) return null;
  return refusalOf(coupon, 'held-by-another-user', 'The coupon is in another user’s hands.');
}

function refuseBookClosed(coupon: CouponState, book: BookRules, now: Date): Refusal | null {
  const refusal = bookRefusal(book, now);
  return refusal === null ? null : { ...refusal, rev: coupon.rev };
}

function refuseExpired(coupon: CouponState, now: Date): Refusal | null {
  const { validUntil } = coupon;
  if (validUntil === null || now < validUntil) return null;
  return refusalOf(coupon, 'coupon-expired', `The coupon expired at ${validUntil.toISOString()}.`);
}

/** A live lock wants its current token, and a token wants its live lock. */
function refuseToken(
  coupon: CouponState,
  lockToken: string | null,
  { now, isLockToken }: Pick<DecisionContext, 'now' | 'isLockToken'>,
): Refusal | null {
  if (!isLocked(coupon, now)) {
    if (lockToken === null) return null;
    return noLockRefusal(coupon);
  }
  if (lockToken !== null && isLockToken(lockToken)) return null;
  return lockedRefusal(coupon, now, 'A lock is live, and its current lockToken was not given.');
}

function lockedRefusal(coupon: CouponState, now: Date, detail: string): Refusal {
  const retryAfterSeconds = Math.ceil((coupon.lockExpiresAt!.getTime() - now.getTime()) / 1000);
  return refusalOf(coupon, 'code-locked', detail, { retryAfterSeconds });
}

function usedUpRefusal(coupon: CouponState): Refusal {
  return refusalOf(coupon, 'code-already-redeemed', 'The coupon has no redemption left.');
}

function noLockRefusal(coupon: CouponState): Refusal {
  return refusalOf(coupon, 'lock-expired', 'No lock is live: it has expired or was ended. Lock the coupon again.');
}

function refuseLockMissing(coupon: CouponState, book: BookRules, lockToken: string | null): Refusal | null {
  if (!book.requireLock || lockToken !== null) return null;
  return refusalOf(coupon, 'lock-required', 'The book wants a lock: lock the coupon, then give its lockToken here.');
}

function refuseUsedUp(
  coupon: CouponState,
  { book, bookRedemptions, holderRedemptions }: DecisionContext,
): Refusal | null {
  if (isRedeemed(coupon)) return usedUpRefusal(coupon);
  if (book.maxRedemptions !== null && bookRedemptions >= book.maxRedemptions) {
    const detail = `The book allows ${amount(book.maxRedemptions, 'redemption')} in all.`;
    return refusalOf(coupon, 'redemption-limit-reached', detail);
  }
  if (book.maxRedemptionsPerUser !== null && holderRedemptions >= book.maxRedemptionsPerUser) {
    const detail = `The book allows ${amount(book.maxRedemptionsPerUser, 'redemption')} a user.`;
    return refusalOf(coupon, 'user-limit-reached', detail);
  }
  return null;
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function refusalOf(
  { rev }: Pick<CouponState, 'rev'>,
  kind: PlainKind,
  detail: string,
  facts: RefusalFacts = {},
): Refusal {
  return { kind, detail, rev, ...facts };
}

function changed(
  kind: Change['kind'],
  actor: string,
  coupon: CouponState,
  fields: Partial<CouponState>,
): { change: Change } {
  const next = { ...coupon, ...fields, rev: coupon.rev + 1 };
  return { change: { kind, next, actor, reason: null, redemption: null, reversedRedemptionId: null } };
}
