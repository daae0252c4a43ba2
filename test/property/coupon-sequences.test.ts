import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Caller } from '../../core/caller.ts';
import type { Core } from '../../core/core.ts';
import { eventKindNumber } from '../../core/coupons/rules/coupon-state.ts';
import { changeBook, createBook, readReport, systemRandom } from '../../core/index.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { isLong } from '../support/long-run.ts';
import { type BookChanges, type Call, makeCall, type Reply, type World } from '../support/model/calls.ts';
import { alone, type Command, publicBook, type Sequence, sequence } from '../support/model/commands.ts';
import { answerOf } from '../support/model/coupon-model.ts';
import { fillCommand, type History, stateOf } from '../support/model/fill-command.ts';
import type { ModelState } from '../support/model/model-state.ts';
import { openTestCore, type TestCore } from '../support/open-test-core.ts';
import { countAll, settleAll } from '../support/settle-all.ts';

bePatient();
/** Other ones in each run: together the runs see more than any one of them could. */
const sequences = isLong ? 2_000 : 25;
const seed = Number(process.env.QURABLE_TEST_SEED ?? systemRandom.below(2 ** 31));
/** The invariants are looked at after each sequence, over the whole database: it is a new one after so many. */
const sequencesOfDatabase = 50;

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
  ...['patch', 'generate', 'upload', 'voidDeck', 'erase', 'draw', 'drawBatch', 'take', 'void', 'reverse', 'lock'],
  ...[
    'unlock',
    'forceUnlock',
    'transfer',
    'redeem',
    'validate',
    'read',
    'events',
    'list',
    'redemptions',
    'count',
    'age',
  ],
].map((op) => `${op}: done`);
const rare = [
  ...['book-not-active', 'book-outside-window', 'coupon-void', 'coupon-expired', 'code-locked', 'user-limit-reached'],
  ...['code-already-assigned', 'code-already-redeemed', 'conflict', 'coupon-not-found'],
].map((kind) => `transfer: ${kind}`);
const rareOfRedeem = [
  ...['book-not-active', 'book-outside-window', 'code-locked', 'lock-expired', 'lock-required', 'coupon-void'],
  ...['code-already-redeemed', 'redemption-limit-reached', 'user-limit-reached', 'held-by-another-user'],
  ...['coupon-not-found', 'idempotency-key-reused', 'coupon-expired', 'no-codes-left'],
].map((kind) => `redeem: ${kind}`);
const replays = ['draw', 'take', 'void', 'transfer', 'reverse', 'lock', 'unlock', 'redeem'].map(
  (op) => `${op}: replayed`,
);

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
    await this.checkReports(world, stateOf(history));
  }

  /** Every report's sums are the book's events, counted anew, and those that the model has. */
  private async checkReports(world: World, state: ModelState): Promise<void> {
    const { core } = this.testCore!;
    await settleAll(core);
    await countAll(core);
    for (const [index, bookId] of world.books.entries()) {
      const made = Object.values(state.codes)
        .filter(({ book }) => book === index)
        .flatMap(({ coupon }) => coupon?.events.map(({ kind }) => kind) ?? []);
      const report = await readReport(core, adminOf(world), bookId, { step: 'hour' });
      const recounted = await recount(core, world.tenantId, bookId);
      const reported = Object.fromEntries(
        counted.map((kind) => [kind, report.data.reduce((sum, step) => sum + step[kind], 0)]),
      );
      const modelled = Object.fromEntries(counted.map((kind) => [kind, made.filter((one) => one === kind).length]));
      expect({ bookId, reported, recounted }).toEqual({ bookId, reported: modelled, recounted: modelled });
    }
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
    const core = this.cores[0]!;
    const admin = adminOf(world);
    const state: ModelState = { bookIds: [], books: [], decks: {}, codes: {}, redemptions: {}, erasures: {}, keys: {} };
    for (const [index, terms] of books.entries()) {
      const { window: _window, ...limits } = terms;
      const isPublic = index === publicBook;
      const publicCode = isPublic ? 'SUMMER-20' : null;
      const input = { name: `Book ${index}`, ...limits, publicCode };
      const { body } = await createBook(core, admin, input, null);
      world.books.push(body.id);
      state.bookIds.push(body.id);
      state.books.push({ ...terms, publicCode, status: 'active', window: 'open', rev: 2 });
      const pattern = isPublic ? 'PU-####-####' : 'AAA-####-####';
      const generate: Call = { op: 'generate', book: index, count: sizes[index]!, pattern };
      answerOf(state, generate, await makeCall(core, world, generate));
      // A book with a public code that opens without codes is given more of them than a model wants to know.
      await changeBook(core, admin, body.id, { status: 'active' }, null);
    }
    return state;
  }

  private async runGroup(world: World, history: History, group: Command[], step: number): Promise<void> {
    const calls = group.flatMap((command) => fillCommand(history, command) ?? []);
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

const counted = ['assigned', 'locked', 'redeemed', 'reversed', 'voided'] as const;

/** A book's events by kind, of the events themselves. */
async function recount(core: Core, tenantId: number, bookId: string): Promise<Record<string, number>> {
  const { rows } = await core.pool.query<{ kind: number; total: number }>(
    `select e.kind, count(*)::int as total
      from books b join decks d using (tenant_id, book_id) join events e using (tenant_id, deck_id)
      where b.tenant_id = $1 and b.id = $2 group by e.kind`,
    [tenantId, bookId],
  );
  const totalOf = (number: number) => rows.find(({ kind }) => kind === number)?.total ?? 0;
  return Object.fromEntries(counted.map((kind) => [kind, totalOf(eventKindNumber(kind))]));
}

function adminOf({ tenantId }: World): Caller {
  return { tenantId, role: 'admin', actor: 'root', customerId: null };
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
      if (isLong)
        expect([...common, ...rare, ...rareOfRedeem, ...replays].filter((name) => !runner.seen.has(name))).toEqual([]);
    },
    isLong ? 7_200_000 : 300_000,
  );
});
