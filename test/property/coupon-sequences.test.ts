import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Caller } from '../../core/caller.ts';
import type { Core } from '../../core/core.ts';
import { createBook, systemRandom } from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { answerOf, type ModelState } from '../support/coupon-model.ts';
import {
  type BookChanges,
  type By,
  type Call,
  makeCall,
  type Reply,
  type World,
} from '../support/coupon-model-calls.ts';
import { openTestCore, type TestCore } from '../support/open-test-core.ts';

const isLong = process.env.QURABLE_TEST_LONG === '1';
const sequences = isLong ? 2_000 : 60;
const seed = Number(process.env.QURABLE_TEST_SEED ?? systemRandom.below(2 ** 31));
/** The invariants are looked at after each sequence, over the whole database: it is a new one after so many. */
const sequencesOfDatabase = 50;

// Commands: calls that name what they are about by numbers, which are filled in once it is known what there is.

type UserRef = 'holder' | 'u1' | 'u2' | 'u3';
/** Where nothing is locked, `locked` is any that is held. */
type CodeRef = { among: 'held' | 'locked' | 'left' | 'all' | 'unknown'; index: number };
/** `right` is what the contract asks for: the token of a live lock, and none where there is no lock. */
type TokenRef = 'right' | 'none' | 'current' | 'former' | 'next';

type CouponOp = 'lock' | 'unlock' | 'redeem' | 'validate' | 'read';

type Command =
  | { op: 'patch'; book: number; changes: BookChanges }
  | { op: 'generate'; book: number; count: number; pattern: string }
  | { op: 'upload'; book: number; codes: number[] }
  | { op: 'voidDeck'; deck: number }
  | { op: 'erase'; user: UserRef }
  | { op: 'draw'; book: number; user: UserRef; by: By; key: string | null }
  | { op: 'drawBatch'; book: number; users: UserRef[]; key: string | null }
  | { op: 'take'; code: CodeRef; user: UserRef; key: string | null }
  | { op: 'void'; code: CodeRef; reason: string | null; key: string | null }
  | { op: 'reverse'; redemption: number; key: string | null }
  | {
      op: CouponOp;
      code: CodeRef;
      user: UserRef;
      by: By;
      token: TokenRef;
      extra: number | null;
      key: string | null;
    }
  | { op: 'events'; code: CodeRef }
  | { op: 'list'; user: UserRef; by: By }
  | { op: 'count'; book: number }
  | { op: 'expireLocks' }
  | { op: 'repeat'; index: number };

/** Looks, and what is no single transaction, are made alone; everything else also at the same time as others. */
const alone = new Set<Command['op']>(['validate', 'read', 'events', 'list', 'count', 'expireLocks', 'drawBatch']);

const book = fc.nat(1);
const user = fc.constantFrom<UserRef>('u1', 'u1', 'u2', 'u3');
const holder = fc.constantFrom<UserRef>(...Array<UserRef>(8).fill('holder'), 'u1', 'u2');
const by = fc.constantFrom<By>('admin', 'admin', 'customer');
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') },
);
const limit = (most: number) => fc.option(fc.integer({ min: 1, max: most }));
const index = fc.nat(30);
const code = (held: number, left: number, locked = 0) =>
  fc.record<CodeRef>({
    among: fc.oneof(
      { weight: held, arbitrary: fc.constant('held' as const) },
      { weight: left, arbitrary: fc.constant('left' as const) },
      { weight: locked, arbitrary: fc.constant('locked' as const) },
      { weight: 1, arbitrary: fc.constantFrom('all' as const, 'unknown' as const) },
    ),
    // Few, so that calls made at once often want the same coupon.
    index: fc.nat(5),
  });

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
    code: code(10, 1, op === 'unlock' ? 30 : 10),
    user: holder,
    by,
    token,
    extra: fc.option(fc.nat(3)),
    key,
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
  codes: fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
});
const takeCall = fc.record({ op: fc.constant('take' as const), code: code(1, 6), user, key });
const voidCall = fc.record({
  op: fc.constant('void' as const),
  code: code(3, 2),
  reason: fc.constantFrom(null, 'lost'),
  key,
});

const calls: [weight: number, arbitrary: fc.Arbitrary<Command>][] = [
  [6, fc.record({ op: fc.constant('draw' as const), book, user, by, key })],
  [3, takeCall],
  [10, onCoupon('redeem')],
  [9, onCoupon('lock')],
  [3, onCoupon('unlock')],
  [3, fc.record({ op: fc.constant('reverse' as const), redemption: index, key })],
  [2, voidCall],
  [3, fc.record({ op: fc.constant('patch' as const), book, changes })],
  [1, generateCall],
  [1, uploadCall],
  [1, fc.record({ op: fc.constant('voidDeck' as const), deck: fc.nat(5) })],
  [1, fc.record({ op: fc.constant('erase' as const), user })],
  [3, fc.record({ op: fc.constant('repeat' as const), index })],
];
const looks: [weight: number, arbitrary: fc.Arbitrary<Command>][] = [
  [2, onCoupon('validate')],
  [2, onCoupon('read')],
  [1, fc.record({ op: fc.constant('events' as const), code: code(6, 1) })],
  [1, fc.record({ op: fc.constant('list' as const), user, by })],
  [1, fc.record({ op: fc.constant('count' as const), book })],
  [1, fc.record({ op: fc.constant('expireLocks' as const) })],
  [
    1,
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
/** Calls made at once that all want the same coupon. */
const contention = fc
  .record({
    code: code(3, 2, 2),
    calls: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: onCoupon('redeem') },
        { weight: 3, arbitrary: onCoupon('lock') },
        { weight: 1, arbitrary: onCoupon('unlock') },
        { weight: 1, arbitrary: voidCall },
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
  { weight: 2, arbitrary: fc.array(weighted(looks), { minLength: 1, maxLength: 1 }) },
);
/** Every sequence begins with coupons in some hands. */
const opening: Command[] = (['u1', 'u1', 'u2', 'u3'] as const).map((user, index) => {
  return { op: 'draw', book: index % 2, user, by: 'admin', key: index === 0 ? 'a' : null };
});
const sequence = fc.record({
  books: fc.array(fc.record(terms), { minLength: 2, maxLength: 2 }),
  sizes: fc.array(fc.integer({ min: 2, max: 8 }), { minLength: 2, maxLength: 2 }),
  groups: fc.array(group, { minLength: 4, maxLength: 14, size: 'max' }).map((groups) => [opening, ...groups]),
});

type Sequence = typeof sequence extends fc.Arbitrary<infer T> ? T : never;

// Making calls of commands.

/** What has been called before, for repeats. */
interface History {
  /** Every state that explains what was answered; commands are filled in from the first. */
  states: ModelState[];
  keyed: Call[];
}

function stateOf({ states }: History): ModelState {
  return states[0]!;
}

function pick<T>(items: T[], index: number): T | undefined {
  return items.length === 0 ? undefined : items[index % items.length];
}

function codeOf(history: History, { among, index }: CodeRef): string {
  const codes = Object.entries(stateOf(history).codes);
  if (among === 'locked') {
    const locked = codes.filter(([, { coupon }]) => coupon !== null && coupon.lockedUntil !== null);
    return pick(locked, index)?.[0] ?? codeOf(history, { among: 'held', index });
  }
  const wanted = codes.filter(([, code]) => among === 'all' || (among === 'held') === (code.coupon?.voided === false));
  const found = among === 'unknown' ? undefined : pick(wanted, index);
  return found?.[0] ?? 'NO-SUCH-CODE';
}

function userOf(history: History, user: UserRef, code: string): string {
  return user === 'holder' ? (stateOf(history).codes[code]?.coupon?.userId ?? 'u1') : user;
}

function tokenOf(history: History, token: TokenRef, code: string): string | null {
  const { tokens = [], lockedUntil = null } = stateOf(history).codes[code]?.coupon ?? {};
  if (token === 'none' || (token === 'right' && lockedUntil === null)) return null;
  if (token === 'current' || token === 'right') return tokens.at(-1) ?? '0';
  // Whoever knows the tokens before can tell the number of the next one, and no more.
  return token === 'former' ? (tokens.at(-2) ?? '0') : `${tokens.length + 1}0000000000`;
}

function callOf(history: History, command: Command): Call | null {
  switch (command.op) {
    case 'repeat':
      return pick(history.keyed, command.index) ?? null;
    case 'upload':
      return { op: 'upload', book: command.book, codes: command.codes.map((code) => `UP-000${code}`) };
    case 'voidDeck': {
      const [deckId, book] = pick(Object.entries(stateOf(history).decks), command.deck)!;
      return { op: 'voidDeck', book, deckId };
    }
    case 'erase':
      return { op: 'erase', userId: command.user };
    case 'draw': {
      const { book, user, by, key } = command;
      return { op: 'draw', book, userId: user, by, key };
    }
    case 'drawBatch':
      return { op: 'drawBatch', book: command.book, userIds: command.users, key: command.key };
    case 'take':
      return { op: 'take', code: codeOf(history, command.code), userId: command.user, key: command.key };
    case 'void':
      return { ...command, code: codeOf(history, command.code) };
    case 'reverse': {
      const redemptionId = pick(Object.keys(stateOf(history).redemptions), command.redemption);
      const nowhere = '019fffff-0000-7000-8000-000000000000';
      return { op: 'reverse', redemptionId: redemptionId ?? nowhere, key: command.key };
    }
    case 'lock':
    case 'unlock':
    case 'redeem':
    case 'validate':
    case 'read':
      return couponCallOf(history, command);
    case 'events':
      return { op: 'events', code: codeOf(history, command.code) };
    case 'list':
      return { op: 'list', userId: command.user, by: command.by };
    default:
      return command;
  }
}

function couponCallOf(history: History, command: Command & { op: CouponOp }): Call {
  const { op, by, key, extra } = command;
  const code = codeOf(history, command.code);
  const userId = userOf(history, command.user, code);
  const lockToken = tokenOf(history, command.token, code);
  switch (op) {
    case 'lock':
      // A quarter of an hour and more: no lock runs out by itself while a sequence runs.
      return { op, code, userId, by, lockToken, ttlSeconds: extra === null ? null : 900 + extra, key };
    case 'unlock':
      return { op, code, userId, by, lockToken: lockToken ?? '0', key };
    case 'redeem':
      return { op, code, userId, by, lockToken, reference: extra === null ? null : `order ${extra}`, key };
    default:
      return { op, code, userId, by };
  }
}

// Running a sequence.

/** A copy of plain data. (structuredClone's arrays are another realm's under Jest, and so equal to none.) */
function copyOf<T>(data: T): T {
  return JSON.parse(JSON.stringify(data)) as T;
}

interface Made {
  call: Call;
  reply: Reply;
}

/**
 * Every state that the model can be in after calls that were made at the same time: one for each order of them in which
 * it gives the answers that they got. Orders that no answer tells apart can leave different states (was it this draw or
 * that one which came before the erasure?), and what comes later says which of them it was.
 */
function explain(states: ModelState[], made: Made[]): ModelState[] {
  const ends = new Map<string, ModelState>();
  const follow = (state: ModelState, rest: Made[]): void => {
    if (rest.length === 0) ends.set(canonical(state), state);
    for (const [index, { call, reply }] of rest.entries()) {
      const next = copyOf(state);
      if (!isDeepStrictEqual(copyOf(answerOf(next, call, reply)), copyOf(reply))) continue;
      follow(next, [...rest.slice(0, index), ...rest.slice(index + 1)]);
    }
  };
  for (const state of states) follow(state, made);
  return [...ends.values()];
}

/** Equal for equal states, in whichever order things came into them. */
function canonical(state: ModelState): string {
  return JSON.stringify(state, (_name, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** The answer in a word, with the operation: what a run has come across. */
function nameOf({ call, reply }: Made): string {
  if ('refused' in reply) return `${call.op}: ${reply.refused}`;
  return `${call.op}: ${reply.replayed ? 'replayed' : 'done'}`;
}

/** What so many sequences must have come across, so that they say something. */
const common = [
  ...[
    'patch',
    'generate',
    'upload',
    'voidDeck',
    'erase',
    'draw',
    'drawBatch',
    'take',
    'void',
    'reverse',
    'lock',
    'unlock',
  ],
  ...['redeem', 'validate', 'read', 'events', 'list', 'count', 'expireLocks'],
].map((op) => `${op}: done`);
const rare = [
  ...['book-not-active', 'book-outside-window', 'code-locked', 'lock-expired', 'lock-required', 'coupon-void'],
  ...['code-already-redeemed', 'redemption-limit-reached', 'user-limit-reached', 'held-by-another-user'],
  ...['coupon-not-found', 'idempotency-key-reused'],
].map((kind) => `redeem: ${kind}`);
const replays = ['draw', 'take', 'void', 'reverse', 'lock', 'unlock', 'redeem'].map((op) => `${op}: replayed`);

class Runner {
  /** How often each answer came. */
  readonly seen = new Map<string, number>();
  private testCore: TestCore | null = null;
  private cores: Core[] = [];
  private sequences = 0;
  /** A database in which something went wrong says nothing about the sequence after. */
  private isSpoilt = false;

  /** Runs a sequence in a tenant of its own, and throws where an answer or an invariant is not as promised. */
  async run(sequence: Sequence): Promise<void> {
    try {
      await this.runSequence(sequence);
    } catch (error) {
      this.isSpoilt = true;
      throw error;
    }
  }

  private async runSequence({ books, sizes, groups }: Sequence): Promise<void> {
    const { testCore, world } = await this.openWorld();
    const history: History = { keyed: [], states: [await this.setUp(world, books, sizes)] };
    for (const [step, group] of groups.entries()) await this.runGroup(world, history, group, step);
    const broken = await findBrokenInvariants(testCore.database.url);
    if (broken.length > 0) throw new Error(`after the sequence: ${JSON.stringify(broken, null, 2)}`);
  }

  private async openWorld(): Promise<{ testCore: TestCore; world: World }> {
    if (this.testCore === null || this.isSpoilt || this.sequences % sequencesOfDatabase === 0) {
      await this.close();
      this.isSpoilt = false;
      this.testCore = await openTestCore('sequences');
      this.cores = [this.testCore.core, await this.testCore.openAnother()];
    }
    this.sequences += 1;
    const { rows } = await this.testCore.core.pool.query<{ tenantId: number }>(
      `insert into tenants (id, slug, name, created_at) values (gen_random_uuid(), $1, 'A sequence', clock_timestamp())
        returning tenant_id as "tenantId"`,
      [`sequence-${this.sequences}`],
    );
    return { testCore: this.testCore, world: { tenantId: rows[0]!.tenantId, books: [] } };
  }

  private async setUp(
    world: World,
    books: Required<Omit<BookChanges, 'status'>>[],
    sizes: number[],
  ): Promise<ModelState> {
    const admin: Caller = { tenantId: world.tenantId, role: 'admin', actor: 'root', customerId: null };
    const state: ModelState = { bookIds: [], books: [], decks: {}, codes: {}, redemptions: {}, erasures: {}, keys: {} };
    for (const [index, terms] of books.entries()) {
      const { window: _window, ...limits } = terms;
      const { body } = await createBook(
        this.cores[0]!,
        admin,
        { name: `Book ${index}`, status: 'active', ...limits },
        null,
      );
      world.books.push(body.id);
      state.bookIds.push(body.id);
      state.books.push({ ...terms, status: 'active', window: 'open', rev: 1 });
      const generate: Call = { op: 'generate', book: index, count: sizes[index]!, pattern: 'AAA-####-####' };
      answerOf(state, generate, await makeCall(this.cores[0]!, world, generate));
    }
    return state;
  }

  private async runGroup(world: World, history: History, group: Command[], step: number): Promise<void> {
    const calls = group.flatMap((command) => callOf(history, command) ?? []);
    const made = await Promise.all(
      calls.map(async (call, index) => ({ call, reply: await makeCall(this.cores[(step + index) % 2]!, world, call) })),
    );
    const next = explain(history.states, made);
    if (next.length === 0) throw new Error(describeMismatch(stateOf(history), made, step));
    for (const name of made.map(nameOf)) this.seen.set(name, (this.seen.get(name) ?? 0) + 1);
    history.states = next;
    history.keyed.push(...calls.filter((call) => 'key' in call && call.key !== null && !alone.has(call.op)));
  }

  async close(): Promise<void> {
    await this.testCore?.close();
    this.testCore = null;
  }
}

/** What was answered, and what the model would have: each call as if it had been the first. */
function describeMismatch(state: ModelState, made: Made[], step: number): string {
  const lines = made.map(({ call, reply }) => {
    const expected = answerOf(copyOf(state), call, reply);
    return `${JSON.stringify(call)}\n   answered ${JSON.stringify(reply)}\n   expected ${JSON.stringify(expected)}`;
  });
  const what = made.length === 1 ? 'the call' : `no order of these ${made.length} calls`;
  return `step ${step}: ${what} is as the model has it:\n${lines.join('\n')}\nbefore it: ${JSON.stringify(state)}`;
}

describe(`over ${sequences} sequences of calls (QURABLE_TEST_SEED=${seed} runs them again)`, () => {
  const runner = new Runner();
  afterAll(() => runner.close());

  test(
    'every answer, also of calls made at once through two processes, is the model’s in some order, and every invariant holds',
    async () => {
      await fc.assert(
        fc.asyncProperty(sequence, (commands) => runner.run(commands)),
        // Finding a smaller failing sequence ends in time to be told.
        { seed, numRuns: sequences, interruptAfterTimeLimit: isLong ? 7_000_000 : 270_000 },
      );
      if (isLong) expect([...common, ...rare, ...replays].filter((name) => !runner.seen.has(name))).toEqual([]);
    },
    isLong ? 7_200_000 : 300_000,
  );
});
