import type { BookRules } from '../books/read-book-rules.ts';
import type { ErrorKind, Refusal, RefusalFacts } from '../errors.ts';
import { type Change, type CouponState, isLocked, isRedeemed, type NewRedemption } from './coupon-state.ts';

/** Everything beside the coupon that a decision about it looks at, read after the last lock. */
export interface Standing {
  book: BookRules;
  /** The database's clock, after the last lock. */
  now: Date;
  /** Redemptions, reversed ones excluded, of the coupon's holder in the book; 0 where the book does not limit them. */
  holderRedemptions: number;
  /** Redemptions of the whole book, reversed ones excluded; 0 where the book does not limit them. */
  bookRedemptions: number;
}

/** A rule's answer: what changes, or why nothing does. */
export type Decision = { change: Change } | { refusal: Refusal };

/** Who acts, as a rule needs to know it. */
export interface Act {
  userId: string;
  actor: string;
}

/** Grants a lock, or renews the one whose token is given, for `ttlSeconds` from now. */
export function decideLock(
  coupon: CouponState,
  standing: Standing,
  act: Act & { ttlSeconds: number | null; lockToken: string | null },
): Decision {
  const { book, now } = standing;
  const refusal =
    refuseVoidOrForeign(coupon, act.userId) ??
    refuseBookClosed(coupon, book, now) ??
    refuseToken(coupon, act.lockToken, now) ??
    refuseUsedUp(coupon, standing);
  if (refusal !== null) return { refusal };
  const renewal = act.lockToken !== null;
  const ttlSeconds = act.ttlSeconds ?? book.lockTtlSeconds;
  return changed(renewal ? 'lock-renewed' : 'locked', act.actor, coupon, {
    fence: renewal ? coupon.fence : coupon.fence + 1,
    lockExpiresAt: new Date(now.getTime() + ttlSeconds * 1000),
  });
}

/** Ends the live lock whose token is given. Works whatever the book's state: letting go is never wrong. */
export function decideUnlock(coupon: CouponState, standing: Standing, act: Act & { lockToken: string }): Decision {
  const refusal = refuseVoidOrForeign(coupon, act.userId) ?? refuseToken(coupon, act.lockToken, standing.now);
  if (refusal !== null) return { refusal };
  return changed('unlocked', act.actor, coupon, { lockExpiresAt: null });
}

/** Redeems once and ends the lock. */
export function decideRedeem(
  coupon: CouponState,
  standing: Standing,
  act: Act & { lockToken: string | null; redemption: Omit<NewRedemption, 'seq'> },
): Decision {
  const { book, now } = standing;
  const refusal =
    refuseVoidOrForeign(coupon, act.userId) ??
    refuseBookClosed(coupon, book, now) ??
    refuseToken(coupon, act.lockToken, now) ??
    refuseLockMissing(coupon, book, act.lockToken) ??
    refuseUsedUp(coupon, standing);
  if (refusal !== null) return { refusal };
  const redemptions = coupon.redemptions + 1;
  const decision = changed('redeemed', act.actor, coupon, { redemptions, lockExpiresAt: null });
  decision.change.redemption = { ...act.redemption, seq: redemptions };
  return decision;
}

/** Voids a coupon: its lock ends, and its holder's slot is free. */
export function decideVoid(coupon: CouponState, act: { actor: string; reason: string | null }): Decision {
  if (coupon.voided) return { refusal: voidRefusal(coupon) };
  const decision = changed('voided', act.actor, coupon, { voided: true, lockExpiresAt: null });
  decision.change.reason = act.reason;
  return decision;
}

/** Gives a redemption back, whatever the book's state and even under a lock: an order is cancelled when it is. */
export function decideReverse(
  coupon: CouponState,
  redemption: { id: string; reversed: boolean },
  act: { actor: string; reason: string | null },
): Decision {
  if (coupon.voided) return { refusal: voidRefusal(coupon) };
  if (redemption.reversed) return { refusal: refusalOf(coupon, 'conflict', 'The redemption was given back before.') };
  const decision = changed('reversed', act.actor, coupon, { redemptions: coupon.redemptions - 1 });
  decision.change.reason = act.reason;
  decision.change.reversedRedemptionId = redemption.id;
  return decision;
}

/** Why a redeem by this user would be refused now, or null. A missing lock is no reason: it can still be had. */
export function refusalToRedeem(coupon: CouponState, standing: Standing, userId: string): Refusal | null {
  return (
    refuseVoidOrForeign(coupon, userId) ??
    refuseBookClosed(coupon, standing.book, standing.now) ??
    refuseToken(coupon, null, standing.now) ??
    refuseUsedUp(coupon, standing)
  );
}

/** What a voided coupon answers to everything. */
export function voidRefusal(coupon: CouponState): Refusal {
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

/** A live lock wants its current token, and a token wants its live lock. */
function refuseToken(coupon: CouponState, lockToken: string | null, now: Date): Refusal | null {
  if (!isLocked(coupon, now)) {
    if (lockToken === null) return null;
    return refusalOf(coupon, 'lock-expired', 'No lock is live: it has expired or was ended. Lock the coupon again.');
  }
  if (lockToken === String(coupon.fence)) return null;
  const retryAfterSeconds = Math.ceil((coupon.lockExpiresAt!.getTime() - now.getTime()) / 1000);
  return refusalOf(coupon, 'code-locked', 'A lock is live, and its current lockToken was not given.', {
    retryAfterSeconds,
  });
}

function refuseLockMissing(coupon: CouponState, book: BookRules, lockToken: string | null): Refusal | null {
  if (!book.requireLock || lockToken !== null) return null;
  return refusalOf(coupon, 'lock-required', 'The book wants a lock: lock the coupon, then give its lockToken here.');
}

function refuseUsedUp(coupon: CouponState, { book, bookRedemptions, holderRedemptions }: Standing): Refusal | null {
  if (isRedeemed(coupon)) {
    return refusalOf(coupon, 'code-already-redeemed', 'The coupon has no redemption left.');
  }
  if (book.maxRedemptions !== null && bookRedemptions >= book.maxRedemptions) {
    return refusalOf(coupon, 'redemption-limit-reached', `The book allows ${book.maxRedemptions} redemptions in all.`);
  }
  if (book.maxRedemptionsPerUser !== null && holderRedemptions >= book.maxRedemptionsPerUser) {
    const detail = `The book allows ${book.maxRedemptionsPerUser} redemptions a user.`;
    return refusalOf(coupon, 'user-limit-reached', detail);
  }
  return null;
}

function refusalOf(coupon: CouponState, kind: ErrorKind, detail: string, facts: RefusalFacts = {}): Refusal {
  return { kind, detail, rev: coupon.rev, ...facts };
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
