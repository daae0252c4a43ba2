import { describe, expect, test } from '@jest/globals';
import { newBookTerms } from '../../core/books/book-terms.ts';
import type { BookRules } from '../../core/books/read-book-rules.ts';
import {
  assignRefusal,
  bookRefusal,
  type Decision,
  type DecisionContext,
  decideForcedUnlock,
  decideLock,
  decideRedeem,
  decideReverse,
  decideUnlock,
  decideVoid,
  refusalToRedeem,
  refuseMoreCodes,
} from '../../core/coupons/rules/coupon-rules.ts';
import {
  type CouponState,
  eventKindNumber,
  eventKinds,
  isLocked,
  isRedeemed,
} from '../../core/coupons/rules/coupon-state.ts';
import { couponStatus, viewCoupon } from '../../core/coupons/rules/coupon-view.ts';
import { missingCoupon } from '../../core/coupons/rules/missing-coupon.ts';
import type { ErrorKind } from '../../core/errors.ts';
import type { BookKey, DeckKey } from '../../core/keys.ts';
import { admin, customer } from '../support/open-test-core.ts';

/** The contract's order of refusals, as far as the rules of a coupon give them. */
const order: ErrorKind[] = [
  'coupon-void',
  'held-by-another-user',
  'book-not-active',
  'book-outside-window',
  'coupon-expired',
  'code-locked',
  'lock-expired',
  'lock-required',
  'code-already-redeemed',
  'redemption-limit-reached',
  'user-limit-reached',
];

const now = new Date('2026-11-27T08:00:00.000Z');
const earlier = (millis: number) => new Date(now.getTime() - millis);
const later = (millis: number) => new Date(now.getTime() + millis);

const book: BookRules = {
  ...newBookTerms,
  bookKey: 7 as BookKey,
  bookId: '019fffff-0000-7000-8000-000000000001',
  status: 'active',
  startsAt: null,
  endsAt: null,
};
const coupon: CouponState = {
  deckKey: 1 as DeckKey,
  pos: 5,
  bookKey: 7 as BookKey,
  code: 'BF26-0001',
  holderId: 3,
  userId: 'u-1',
  assignedAt: earlier(60_000),
  maxRedemptions: 1,
  validUntil: null,
  rev: 4,
  redemptions: 0,
  reversals: 0,
  fence: 2,
  hasPlainToken: false,
  lockExpiresAt: null,
  voided: false,
};
const isLockToken = (token: string) => token === '2';
const context: DecisionContext = { book, now, holderRedemptions: 0, bookRedemptions: 0, isLockToken };
const act = { userId: 'u-1', actor: 'key:1' };
const redemption = { id: '019fffff-0000-7000-8000-000000000002', reference: 'o-1', metadata: null };

function kindOf(decision: Decision): ErrorKind | null {
  return 'refusal' in decision ? decision.refusal.kind : null;
}

function changeOf(decision: Decision) {
  if ('refusal' in decision) throw new Error(`refused: ${decision.refusal.kind}`);
  return decision.change;
}

interface Situation {
  coupon: CouponState;
  context: DecisionContext;
  userId: string;
  lockToken: string | null;
  /** Every refusal that applies. */
  applies: Set<ErrorKind>;
}

/** Where the lock stands, with the token that comes with the request. */
const locks = [
  { name: 'none', live: false, lockToken: null, kind: null },
  { name: 'none, token given', live: false, lockToken: '2', kind: 'lock-expired' },
  { name: 'live, no token', live: true, lockToken: null, kind: 'code-locked' },
  { name: 'live, old token', live: true, lockToken: '1', kind: 'code-locked' },
  { name: 'live, its token', live: true, lockToken: '2', kind: null },
] as const;

const windows = ['open', 'not started', 'ended', 'open, coupon expired', 'ended, coupon expired'] as const;

/** Every combination of what can be wrong with a coupon, its book, its lock and its limits. */
function* situations(): Generator<Situation> {
  const flags = [false, true];
  for (const voided of flags)
    for (const foreign of flags)
      for (const status of ['active', 'draft', 'paused', 'closed'] as const)
        for (const window of windows)
          for (const lock of locks)
            for (const requireLock of flags)
              for (const usedUp of flags)
                for (const bookFull of flags)
                  for (const userFull of flags) {
                    const applies = new Set<ErrorKind>();
                    if (voided) applies.add('coupon-void');
                    if (foreign) applies.add('held-by-another-user');
                    if (status !== 'active') applies.add('book-not-active');
                    if (!window.startsWith('open')) applies.add('book-outside-window');
                    if (window.endsWith('expired')) applies.add('coupon-expired');
                    if (lock.kind !== null) applies.add(lock.kind);
                    if (requireLock && lock.lockToken === null) applies.add('lock-required');
                    if (usedUp) applies.add('code-already-redeemed');
                    if (bookFull) applies.add('redemption-limit-reached');
                    if (userFull) applies.add('user-limit-reached');
                    yield {
                      coupon: {
                        ...coupon,
                        voided,
                        validUntil: window.endsWith('expired') ? now : later(1500),
                        redemptions: usedUp ? 1 : 0,
                        lockExpiresAt: lock.live ? later(1000) : null,
                      },
                      context: {
                        book: {
                          ...book,
                          status,
                          startsAt: window === 'not started' ? later(1) : earlier(1000),
                          endsAt: window.startsWith('ended') ? now : later(2000),
                          requireLock,
                          maxRedemptions: 10,
                          maxRedemptionsPerUser: 2,
                        },
                        now,
                        isLockToken,
                        bookRedemptions: bookFull ? 10 : 9,
                        holderRedemptions: userFull ? 2 : 1,
                      },
                      userId: foreign ? 'u-2' : 'u-1',
                      lockToken: lock.lockToken,
                      applies,
                    };
                  }
}

function first(applies: Set<ErrorKind>, without: ErrorKind[] = []): ErrorKind | null {
  return order.find((kind) => applies.has(kind) && !without.includes(kind)) ?? null;
}

/** Decides every situation and returns those in which another refusal came than the first that applies. */
function differences(
  decide: (situation: Situation) => ErrorKind | null,
  expected: (applies: Set<ErrorKind>) => ErrorKind | null,
  wanted: (situation: Situation) => boolean = () => true,
): { found: string[]; decided: number } {
  const found: string[] = [];
  let decided = 0;
  for (const situation of situations()) {
    if (!wanted(situation)) continue;
    decided += 1;
    const kind = decide(situation);
    const right = expected(situation.applies);
    if (kind !== right) found.push(`${kind} instead of ${right}, where ${[...situation.applies].join(', ')} apply`);
  }
  return { found, decided };
}

describe('the order of refusals, over every combination of them', () => {
  test('a redeem gives the first that applies', () => {
    const decide = ({ coupon, context, userId, lockToken }: Situation) =>
      kindOf(decideRedeem(coupon, context, { userId, actor: 'root', lockToken, redemption }));
    const decided = 2 * 2 * 4 * 5 * 5 * 2 * 2 * 2 * 2;
    expect(differences(decide, (applies) => first(applies))).toEqual({ found: [], decided });
  });

  test('a lock gives the first that applies; that the book wants a lock is none', () => {
    const decide = ({ coupon, context, userId, lockToken }: Situation) =>
      kindOf(decideLock(coupon, context, { userId, actor: 'root', lockToken, ttlSeconds: null }));
    expect(differences(decide, (applies) => first(applies, ['lock-required'])).found).toEqual([]);
  });

  test('validate gives the first that applies to a redeem with the same fields', () => {
    const decide = ({ coupon, context, ...asked }: Situation) => refusalToRedeem(coupon, context, asked)?.kind ?? null;
    expect(differences(decide, (applies) => first(applies)).found).toEqual([]);
  });

  test('an unlock looks at the coupon and its lock alone: letting go works in any book', () => {
    const others: ErrorKind[] = [
      'book-not-active',
      'book-outside-window',
      'coupon-expired',
      ...order.slice(order.indexOf('lock-required')),
    ];
    const decide = ({ coupon, context, userId, lockToken }: Situation) =>
      kindOf(decideUnlock(coupon, context, { userId, actor: 'root', lockToken: lockToken! }));
    const withToken = ({ lockToken }: Situation) => lockToken !== null;
    expect(differences(decide, (applies) => first(applies, others), withToken).found).toEqual([]);
  });

  test('an unlock by force looks at the coupon and whether a lock is live, and at no token', () => {
    const by = { actor: 'root', reason: null };
    const decide = ({ coupon, context }: Situation) => kindOf(decideForcedUnlock(coupon, context, by));
    const expected = ({ coupon, context }: Situation) => {
      if (coupon.voided) return 'coupon-void';
      return isLocked(coupon, context.now) ? null : 'lock-expired';
    };
    expect([...situations()].filter((situation) => decide(situation) !== expected(situation))).toEqual([]);
  });

  test('a void and a reverse look at the coupon alone', () => {
    const by = { actor: 'root', reason: null };
    const expected = (applies: Set<ErrorKind>) => (applies.has('coupon-void') ? 'coupon-void' : null);
    expect(differences(({ coupon }) => kindOf(decideVoid(coupon, by)), expected).found).toEqual([]);
    const reverse = (reversed: boolean) => (situation: Situation) =>
      kindOf(decideReverse(situation.coupon, { id: redemption.id, reversed }, by));
    expect(differences(reverse(false), expected).found).toEqual([]);
    expect(differences(reverse(true), (applies) => expected(applies) ?? 'conflict').found).toEqual([]);
  });

  test('every refusal carries the revision of the coupon', () => {
    const revisions = new Set<number | undefined>();
    for (const { coupon, context, userId, lockToken } of situations()) {
      const decision = decideRedeem(coupon, context, { userId, actor: 'root', lockToken, redemption });
      if ('refusal' in decision) revisions.add(decision.refusal.rev);
    }
    expect(revisions).toEqual(new Set([4]));
  });
});

describe('the window of a book', () => {
  const windowed = { ...book, startsAt: now, endsAt: later(1000) };

  test('it is open from its first moment to just before its last', () => {
    expect(bookRefusal(windowed, earlier(1))?.kind).toBe('book-outside-window');
    expect(bookRefusal(windowed, now)).toBeNull();
    expect(bookRefusal(windowed, later(999))).toBeNull();
    expect(bookRefusal(windowed, later(1000))?.kind).toBe('book-outside-window');
  });

  test('codes are assigned before it opens, and no more from its end on', () => {
    expect(assignRefusal(windowed, earlier(1))).toBeNull();
    expect(assignRefusal(windowed, later(999))).toBeNull();
    expect(assignRefusal(windowed, later(1000))?.kind).toBe('book-outside-window');
  });

  test('a book without a start or an end is open on that side', () => {
    expect(bookRefusal({ ...book, endsAt: later(1) }, new Date(0))).toBeNull();
    expect(bookRefusal({ ...book, startsAt: now }, new Date(8e15))).toBeNull();
  });

  test.each(['draft', 'paused', 'closed'] as const)(
    'a %s book says that it is not active, whatever its window',
    (status) => {
      expect(bookRefusal({ ...windowed, status }, later(5000))?.kind).toBe('book-not-active');
      expect(assignRefusal({ ...windowed, status }, later(5000))?.kind).toBe('book-not-active');
    },
  );
});

describe('a lock', () => {
  test('a grant adds 1 to the token and lasts the book’s time, or the time asked for', () => {
    const granted = changeOf(decideLock(coupon, context, { ...act, ttlSeconds: null, lockToken: null }));
    expect(granted).toMatchObject({ kind: 'locked', next: { fence: 3, rev: 5, lockExpiresAt: later(300_000) } });
    const short = changeOf(decideLock(coupon, context, { ...act, ttlSeconds: 1, lockToken: null }));
    expect(short.next.lockExpiresAt).toEqual(later(1000));
  });

  test('ends with its book at the latest, when it is granted and when it is renewed', () => {
    const ending = { ...context, book: { ...book, endsAt: later(10_000) } };
    const granted = changeOf(decideLock(coupon, ending, { ...act, ttlSeconds: 60, lockToken: null }));
    expect(granted.next.lockExpiresAt).toEqual(later(10_000));
    const renewed = changeOf(
      decideLock({ ...coupon, lockExpiresAt: later(5) }, ending, { ...act, ttlSeconds: null, lockToken: '2' }),
    );
    expect(renewed.next.lockExpiresAt).toEqual(later(10_000));
    const short = changeOf(decideLock(coupon, ending, { ...act, ttlSeconds: 9, lockToken: null }));
    expect(short.next.lockExpiresAt).toEqual(later(9_000));
  });

  test('of an earlier version keeps its plain token when it is renewed, and the next grant has one that can’t be guessed', () => {
    const old = { ...coupon, hasPlainToken: true, lockExpiresAt: later(5) };
    const renewed = changeOf(decideLock(old, context, { ...act, ttlSeconds: null, lockToken: '2' }));
    expect(renewed.next.hasPlainToken).toBe(true);
    const granted = changeOf(
      decideLock({ ...old, lockExpiresAt: now }, context, { ...act, ttlSeconds: null, lockToken: null }),
    );
    expect(granted.next.hasPlainToken).toBe(false);
  });

  test('a renewal keeps the token and counts from now', () => {
    const locked = { ...coupon, lockExpiresAt: later(5) };
    const renewed = changeOf(decideLock(locked, context, { ...act, ttlSeconds: 60, lockToken: '2' }));
    expect(renewed).toMatchObject({ kind: 'lock-renewed', next: { fence: 2, lockExpiresAt: later(60_000) } });
  });

  test('it is live just before its expiry and gone exactly at it', () => {
    const at = (expires: Date) => ({ ...coupon, lockExpiresAt: expires });
    expect([isLocked(at(later(1)), now), isLocked(at(now), now), isLocked(at(earlier(1)), now)]).toEqual([
      true,
      false,
      false,
    ]);
    const redeem = (expires: Date, lockToken: string | null) =>
      kindOf(decideRedeem(at(expires), context, { ...act, lockToken, redemption }));
    expect([redeem(later(1), '2'), redeem(later(1), null)]).toEqual([null, 'code-locked']);
    expect([redeem(now, '2'), redeem(now, null)]).toEqual(['lock-expired', null]);
    const lock = (expires: Date, lockToken: string | null) =>
      kindOf(decideLock(at(expires), context, { ...act, lockToken, ttlSeconds: null }));
    expect([lock(now, null), lock(now, '2'), lock(later(1), null), lock(later(1), '2')]).toEqual([
      null,
      'lock-expired',
      'code-locked',
      null,
    ]);
  });

  test('only the current token to the letter opens it', () => {
    const locked = { ...coupon, lockExpiresAt: later(1000) };
    for (const lockToken of ['1', '3', '02', '2.0', ' 2', '', '0', 'NaN']) {
      expect(kindOf(decideUnlock(locked, context, { ...act, lockToken }))).toBe('code-locked');
    }
    expect(changeOf(decideUnlock(locked, context, { ...act, lockToken: '2' }))).toMatchObject({
      kind: 'unlocked',
      next: { lockExpiresAt: null, fence: 2 },
    });
  });

  test('a refusal says after how many seconds a retry makes sense, rounded up', () => {
    const locked = { ...coupon, lockExpiresAt: later(1001) };
    const decision = decideLock(locked, context, { ...act, lockToken: null, ttlSeconds: null });
    expect(decision).toMatchObject({ refusal: { kind: 'code-locked', retryAfterSeconds: 2 } });
    expect(JSON.stringify(decision)).not.toContain('"2"');
  });
});

describe('redemptions', () => {
  test('a redeem counts one, ends the lock and numbers the redemption', () => {
    const twice = { ...coupon, maxRedemptions: 2, redemptions: 1, lockExpiresAt: later(1000) };
    const change = changeOf(decideRedeem(twice, context, { ...act, lockToken: '2', redemption }));
    expect(change).toMatchObject({
      kind: 'redeemed',
      next: { redemptions: 2, lockExpiresAt: null, rev: 5 },
      redemption: { ...redemption, seq: 2 },
    });
  });

  test('a number that was given back is not used again', () => {
    const first = changeOf(decideRedeem(coupon, context, { ...act, lockToken: null, redemption }));
    const back = changeOf(
      decideReverse(first.next, { id: redemption.id, reversed: false }, { actor: 'root', reason: null }),
    );
    expect(back.next).toMatchObject({ redemptions: 0, reversals: 1 });
    const second = changeOf(decideRedeem(back.next, context, { ...act, lockToken: null, redemption }));
    expect([first.redemption?.seq, second.redemption?.seq]).toEqual([1, 2]);
  });

  test('a coupon without a limit is never used up', () => {
    const unlimited = { ...coupon, maxRedemptions: null, redemptions: 1_000_000 };
    expect(isRedeemed(unlimited)).toBe(false);
    expect(kindOf(decideRedeem(unlimited, context, { ...act, lockToken: null, redemption }))).toBeNull();
  });

  test('what the coupon was granted counts, whatever the book allows now', () => {
    const granted = { ...coupon, maxRedemptions: 2, redemptions: 1 };
    expect(kindOf(decideRedeem(granted, context, { ...act, lockToken: null, redemption }))).toBeNull();
  });

  test('a limit refuses from the moment it is reached, also when it was lowered below what was used', () => {
    const used = (count: number) =>
      kindOf(
        decideRedeem(
          coupon,
          { ...context, book: { ...book, maxRedemptions: 5 }, bookRedemptions: count },
          { ...act, lockToken: null, redemption },
        ),
      );
    expect([used(4), used(5), used(9)]).toEqual([null, 'redemption-limit-reached', 'redemption-limit-reached']);
  });

  test.each([
    [
      1,
      'The book allows 1 redemption in all.',
      'The book allows 1 redemption a user.',
      'The book allows 1 code a user.',
    ],
    [
      2,
      'The book allows 2 redemptions in all.',
      'The book allows 2 redemptions a user.',
      'The book allows 2 codes a user.',
    ],
  ])('a refusal by a limit of %d says so in words that fit the number', (limit, inAll, ofUser, codes) => {
    const detailOf = (limits: Partial<BookRules>) => {
      const used = { ...context, bookRedemptions: limit, holderRedemptions: limit, book: { ...book, ...limits } };
      const decision = decideRedeem(coupon, used, { ...act, lockToken: null, redemption });
      return 'refusal' in decision ? decision.refusal.detail : null;
    };
    expect(detailOf({ maxRedemptions: limit })).toBe(inAll);
    expect(detailOf({ maxRedemptionsPerUser: limit })).toBe(ofUser);
    expect(refuseMoreCodes({ ...book, maxCodesPerUser: limit }, { codes: limit })?.detail).toBe(codes);
  });

  test('reversing gives one back and leaves a lock alone', () => {
    const used = { ...coupon, redemptions: 1, lockExpiresAt: later(1000) };
    const change = changeOf(
      decideReverse(used, { id: redemption.id, reversed: false }, { actor: 'root', reason: 'cancelled' }),
    );
    expect(change).toMatchObject({
      kind: 'reversed',
      next: { redemptions: 0, lockExpiresAt: used.lockExpiresAt },
      reason: 'cancelled',
      reversedRedemptionId: redemption.id,
    });
  });
});

describe('what is shown', () => {
  const shownBook = { bookId: 'b', publicCode: null };
  test('voided comes before redeemed, redeemed before locked, and an expired lock is not shown', () => {
    const locked = { ...coupon, lockExpiresAt: later(1) };
    expect(couponStatus(coupon, null, now)).toBe('assigned');
    expect(couponStatus(locked, null, now)).toBe('locked');
    expect(couponStatus(locked, null, later(1))).toBe('assigned');
    // A book whose end was moved before the lock's ends the lock with it.
    expect(couponStatus(locked, now, now)).toBe('assigned');
    expect(viewCoupon(locked, shownBook, now, now)).toMatchObject({ status: 'assigned', lockedUntil: null });
    expect(viewCoupon(locked, shownBook, null, later(1)).lockedUntil).toBeNull();
    expect(couponStatus({ ...locked, redemptions: 1 }, null, now)).toBe('redeemed');
    expect(couponStatus({ ...coupon, redemptions: 1, voided: true }, null, now)).toBe('voided');
  });

  test('a customer gets one and the same answer for a code that is not there, is void or is another user’s', () => {
    const answers = [
      missingCoupon(customer('u-1'), undefined, false),
      missingCoupon(customer('u-1'), undefined, true),
      missingCoupon(customer('u-1'), { ...coupon, voided: true }, false),
      missingCoupon(customer('u-2'), coupon, false),
      missingCoupon(customer('u-1'), { ...coupon, userId: null }, false),
    ];
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ kind: 'coupon-not-found' });
    expect(Object.keys(answers[0]!).sort()).toEqual(['detail', 'kind']);
    expect(missingCoupon(customer('u-1'), coupon, false)).toBeNull();
  });

  test('every other role gets the exact reason', () => {
    expect(missingCoupon(admin, undefined, false)?.kind).toBe('coupon-not-found');
    expect(missingCoupon(admin, undefined, true)?.kind).toBe('coupon-void');
    expect(missingCoupon(admin, { ...coupon, voided: true }, false)).toBeNull();
  });

  test('the numbers of the event kinds are those in the database', () => {
    expect(eventKinds.map((kind) => `${eventKindNumber(kind)} ${kind}`)).toEqual([
      '1 assigned',
      '2 locked',
      '3 lock-renewed',
      '4 unlocked',
      '5 redeemed',
      '6 reversed',
      '7 voided',
      '8 transferred',
    ]);
  });
});
