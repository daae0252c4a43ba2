import fc from 'fast-check';
import type { Age, BookChanges, By } from './calls.ts';

// Commands: calls that name what they are about by numbers, which are filled in once it is known what there is.

export type UserRef = 'holder' | 'u1' | 'u2' | 'u3';
/** Where nothing is locked, `locked` is any that is held. */
export type CodeRef = { among: 'held' | 'locked' | 'left' | 'all' | 'unknown' | 'public'; index: number };
/** `right` is what the contract asks for: the token of a live lock, and none where there is no lock. */
export type TokenRef = 'right' | 'none' | 'current' | 'former' | 'next';
/** How a code is typed. */
export type Typing = 'as kept' | 'in lower case' | 'with white space' | 'with other dashes' | 'with lookalikes';

export type CouponOp = 'lock' | 'unlock' | 'redeem' | 'validate' | 'read';

export type Command =
  | { op: 'patch'; book: number; changes: BookChanges }
  | { op: 'generate'; book: number; count: number; pattern: string }
  | { op: 'upload'; book: number; codes: number[] }
  | { op: 'voidDeck'; deck: number }
  | { op: 'erase'; user: UserRef }
  | { op: 'draw'; book: number; user: UserRef; by: By; key: string | null }
  | { op: 'drawBatch'; book: number; users: UserRef[]; key: string | null }
  | { op: 'take'; code: CodeRef; typing: Typing; user: UserRef; key: string | null }
  | { op: 'transfer'; code: CodeRef; typing: Typing; user: UserRef; reason: string | null; key: string | null }
  | { op: 'void' | 'forceUnlock'; code: CodeRef; typing: Typing; reason: string | null; key: string | null }
  | { op: 'reverse'; redemption: number; key: string | null }
  | {
      op: CouponOp;
      code: CodeRef;
      typing: Typing;
      user: UserRef;
      by: By;
      token: TokenRef;
      extra: number | null;
      key: string | null;
    }
  | { op: 'events'; code: CodeRef }
  | { op: 'list'; user: UserRef; by: By }
  | {
      op: 'redemptions';
      book: number | null;
      user: UserRef | null;
      code: CodeRef | null;
      extra: number | null;
      limit: number;
    }
  | { op: 'count'; book: number }
  | { op: 'age'; to: Age }
  | { op: 'repeat'; index: number };

/** Looks, and what is no single transaction, are made alone; everything else also at the same time as others. */
export const alone = new Set<Command['op']>([
  ...(['validate', 'read', 'events', 'list', 'redemptions', 'count', 'age', 'drawBatch'] as const),
]);

/** The book that has a public code. */
export const publicBook = 2;
const book = fc.nat(publicBook);
const user = fc.constantFrom<UserRef>('u1', 'u1', 'u2', 'u3');
const holder = fc.constantFrom<UserRef>(...Array<UserRef>(8).fill('holder'), 'u1', 'u2');
const by = fc.constantFrom<By>('admin', 'admin', 'customer');
const keyName = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const key = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 2, arbitrary: keyName });
/** Where few calls are carried out, most of them bring a key, so that one of those is repeated now and then. */
const mostlyKey = fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 5, arbitrary: keyName });
const limit = (most: number) => fc.option(fc.integer({ min: 1, max: most }));
const orNone = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof(arbitrary, fc.constant(null));
const index = fc.nat(30);
const code = (held: number, left: number, locked = 0, everybodys = 1) =>
  fc.record<CodeRef>({
    among: fc.oneof(
      { weight: held, arbitrary: fc.constant('held' as const) },
      { weight: left, arbitrary: fc.constant('left' as const) },
      { weight: locked, arbitrary: fc.constant('locked' as const) },
      { weight: everybodys, arbitrary: fc.constant('public' as const) },
      { weight: 1, arbitrary: fc.constantFrom('all' as const, 'unknown' as const) },
    ),
    // Few, so that calls made at once often want the same coupon.
    index: fc.nat(5),
  });
const typing = fc.oneof(
  { weight: 5, arbitrary: fc.constant('as kept' as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Typing>('in lower case', 'with white space', 'with other dashes', 'with lookalikes'),
  },
);

const terms = {
  window: fc.constantFrom(
    'open' as const,
    'open' as const,
    'bounded' as const,
    'bounded' as const,
    'future' as const,
    'past' as const,
  ),
  maxCodesPerUser: limit(3),
  maxRedemptionsPerCode: limit(3),
  maxRedemptionsPerUser: limit(4),
  maxRedemptions: limit(6),
  // From any day on, 200 days go over a change of the clocks of Berlin and of Santiago.
  validForDays: fc.constantFrom(null, null, 1, 3, 200),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Santiago', 'Pacific/Kiritimati'),
  requireLock: fc.constantFrom(false, false, false, true),
  selfService: fc.boolean(),
};
const changes: fc.Arbitrary<BookChanges> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ status: fc.constantFrom('active' as const, 'active' as const, 'paused' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ status: fc.constant('closed' as const) }) },
  { weight: 4, arbitrary: fc.record(terms, { requiredKeys: [] }) },
);

function onCoupon(op: CouponOp) {
  const token =
    op === 'unlock'
      ? fc.constantFrom<TokenRef>('current', 'current', 'current', 'former')
      : fc.constantFrom<TokenRef>(...Array<TokenRef>(8).fill('right'), 'none', 'none', 'current', 'former', 'next');
  return fc.record({
    op: fc.constant(op),
    code: code(10, 1, op === 'unlock' ? 30 : 10, 8),
    typing,
    user: holder,
    by,
    token,
    extra: fc.option(fc.nat(3)),
    key: op === 'unlock' ? mostlyKey : key,
  });
}

const generateCall = fc.record({
  op: fc.constant('generate' as const),
  book,
  count: fc.integer({ min: 1, max: 4 }),
  pattern: fc.constantFrom('AAA-####-####', 'BB-####-####'),
});
const uploadCall = fc.record({
  op: fc.constant('upload' as const),
  book,
  codes: fc.array(fc.nat(10), { minLength: 1, maxLength: 4 }),
});
const takeCall = fc.record({ op: fc.constant('take' as const), code: code(1, 6, 0, 2), typing, user, key });
const reason = fc.constantFrom(null, 'lost');
const voidCall = fc.record({ op: fc.constant('void' as const), code: code(6, 4), typing, reason, key });
const transferCall = fc.record({
  op: fc.constant('transfer' as const),
  code: code(20, 1, 4),
  typing,
  user,
  reason,
  key,
});
const forceCall = fc.record({
  op: fc.constant('forceUnlock' as const),
  code: code(2, 1, 12),
  typing,
  reason,
  key: mostlyKey,
});

const calls: [weight: number, arbitrary: fc.Arbitrary<Command>][] = [
  [6, fc.record({ op: fc.constant('draw' as const), book, user, by, key })],
  [3, takeCall],
  [11, onCoupon('redeem')],
  [10, onCoupon('lock')],
  [3, onCoupon('unlock')],
  [1, forceCall],
  [3, transferCall],
  [4, fc.record({ op: fc.constant('reverse' as const), redemption: index, key: mostlyKey })],
  [2, voidCall],
  [3, fc.record({ op: fc.constant('patch' as const), book, changes })],
  [1, generateCall],
  [1, uploadCall],
  [1, fc.record({ op: fc.constant('voidDeck' as const), deck: fc.nat(5) })],
  [1, fc.record({ op: fc.constant('erase' as const), user })],
  [5, fc.record({ op: fc.constant('repeat' as const), index })],
];
const looks: [weight: number, arbitrary: fc.Arbitrary<Command>][] = [
  [4, onCoupon('validate')],
  [3, onCoupon('read')],
  [2, fc.record({ op: fc.constant('events' as const), code: code(12, 1) })],
  [2, fc.record({ op: fc.constant('list' as const), user, by })],
  [
    2,
    fc.record({
      op: fc.constant('redemptions' as const),
      book: orNone(book),
      user: orNone(user),
      code: orNone(code(10, 1, 0, 3)),
      extra: orNone(fc.nat(3)),
      limit: fc.integer({ min: 1, max: 3 }),
    }),
  ],
  [2, fc.record({ op: fc.constant('count' as const), book })],
  [3, fc.record({ op: fc.constant('age' as const), to: fc.constantFrom<Age>('unlocked', 'old', 'over') })],
  [
    2,
    fc.record({
      op: fc.constant('drawBatch' as const),
      book,
      users: fc.array(user, { minLength: 1, maxLength: 4 }),
      key,
    }),
  ],
];

const weighted = (choices: [number, fc.Arbitrary<Command>][]) =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
/** Calls made at once that all want the same coupon, or bring the same public code. */
const contention = fc
  .record({
    code: code(6, 4, 4, 3),
    calls: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: onCoupon('redeem') },
        { weight: 3, arbitrary: onCoupon('lock') },
        { weight: 1, arbitrary: onCoupon('unlock') },
        { weight: 1, arbitrary: voidCall },
        { weight: 1, arbitrary: transferCall },
        { weight: 2, arbitrary: takeCall },
      ),
      { minLength: 2, maxLength: 4 },
    ),
  })
  .map(({ code, calls }): Command[] => calls.map((call) => ({ ...call, code })));
const group = fc.oneof(
  { weight: 3, arbitrary: contention },
  { weight: 3, arbitrary: fc.array(weighted(calls), { minLength: 1, maxLength: 1 }) },
  { weight: 4, arbitrary: fc.array(weighted(calls), { minLength: 2, maxLength: 4 }) },
  { weight: 3, arbitrary: fc.array(weighted(looks), { minLength: 1, maxLength: 1 }) },
);
/** Every sequence begins with coupons in some hands. */
const opening: Command[] = (['u1', 'u1', 'u2', 'u3'] as const).map((user, index) => {
  return { op: 'draw', book: index % (publicBook + 1), user, by: 'admin', key: index === 0 ? 'a' : null };
});

/**
 * Three books, the last one with a public code, the number of codes in each, and what is done at once, step by step.
 */
export const sequence = fc.record({
  books: fc.array(fc.record(terms), { minLength: publicBook + 1, maxLength: publicBook + 1 }),
  sizes: fc.array(fc.integer({ min: 2, max: 8 }), { minLength: publicBook + 1, maxLength: publicBook + 1 }),
  groups: fc.array(group, { minLength: 4, maxLength: 14, size: 'max' }).map((groups) => [opening, ...groups]),
});
export type Sequence = typeof sequence extends fc.Arbitrary<infer T> ? T : never;
