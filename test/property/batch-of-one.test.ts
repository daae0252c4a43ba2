import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { type MicroBatcher, openMicroBatcher } from '../../core/batching/micro-batcher.ts';
import type { Core } from '../../core/core.ts';
import { areChangesFree, changeCoupons } from '../../core/coupons/engine/change-coupons.ts';
import type { ChangeCommand, DealCommand } from '../../core/coupons/engine/commands.ts';
import { areDealsFree, dealCodes } from '../../core/coupons/engine/deal-codes.ts';
import type { CouponAnswer } from '../../core/coupons/rules/recorded-change.ts';
import { openPool } from '../../core/db/pool.ts';
import { sqlStateOf } from '../../core/db/sql-errors.ts';
import { keyedRequest } from '../../core/idempotency/key-hash.ts';
import {
  CouponError,
  closeCore,
  createBook,
  generateCodes,
  openCore,
  silentLog,
  systemRandom,
} from '../../core/index.ts';
import type { BookKey } from '../../core/keys.ts';
import type { Random } from '../../core/random.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { isLong } from '../support/long-run.ts';
import { admin, openTestCore, testConfig } from '../support/open-test-core.ts';
import { testPostgresUrl } from '../support/start-postgres.ts';

bePatient();
const seed = Number(process.env.QURABLE_TEST_SEED ?? systemRandom.below(2 ** 31));
const patterns = ['AAA-####-####', 'BB-####-####'];

/** Draws the same deck from the same state, so that two equal databases stay equal. */
const middle: Random = { bytes: systemRandom.bytes, below: (bound) => Math.floor(bound / 2) };

/** One of two databases that were equal to begin with. */
interface Side {
  core: Core;
  /** The batches' connections. */
  patient: pg.Pool;
  url: string;
  batchers: { deals: MicroBatcher<DealCommand, CouponAnswer>; changes: MicroBatcher<ChangeCommand, CouponAnswer> };
  bookIds: { bookId: string; bookKey: BookKey }[];
  redemptions: string[];
}

type Step = {
  op: 'draw' | 'take' | 'discard' | 'lock' | 'unlock' | 'redeem' | 'void' | 'reverse';
  book: number;
  code: number;
  user: string;
  token: number | null;
  redemption: number;
  key: number | null;
  isPoisoned: boolean;
};

/**
 * A fault at a statement of a batch, counted from its first: the transaction fails as PostgreSQL would make it, or it
 * waits.
 */
interface Fault {
  at: number;
  what: '40001' | '40P01' | 'wait';
}

interface Batch {
  queue: 'deals' | 'changes';
  steps: Step[];
  faults: Fault[];
  expireLocks: boolean;
}

const stepOf = (ops: Step['op'][]) =>
  fc.record<Step>({
    op: fc.constantFrom(...ops),
    book: fc.nat(1),
    code: fc.nat(11),
    user: fc.constantFrom('u1', 'u1', 'u2'),
    token: fc.option(fc.integer({ min: 0, max: 3 }), { freq: 2 }),
    redemption: fc.nat(7),
    key: fc.option(fc.nat(5), { freq: 2 }),
    isPoisoned: fc.integer({ min: 0, max: 14 }).map((number) => number === 0),
  });
const faults = fc.array(
  fc.record<Fault>({ at: fc.nat(14), what: fc.constantFrom('40001', '40P01', 'wait') }),
  // No more than a transaction is tried again.
  { maxLength: 3 },
);
const batchOf = (queue: Batch['queue'], ops: Step['op'][]) =>
  fc.record<Batch>({
    queue: fc.constant(queue),
    steps: fc.array(stepOf(ops), { minLength: 1, maxLength: 12, size: 'max' }),
    faults,
    expireLocks: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
  });
const limit = (most: number) => fc.option(fc.integer({ min: 1, max: most }));
const plan = fc.record({
  books: fc.array(
    fc.record({
      maxCodesPerUser: limit(4),
      maxRedemptionsPerCode: limit(3),
      maxRedemptionsPerUser: limit(4),
      maxRedemptions: limit(6),
      requireLock: fc.constantFrom(false, false, true),
    }),
    { minLength: 2, maxLength: 2 },
  ),
  first: batchOf('deals', ['draw', 'draw', 'take']),
  rest: fc.array(
    fc.oneof(
      { weight: 1, arbitrary: batchOf('deals', ['draw', 'draw', 'take', 'take', 'discard']) },
      {
        weight: 3,
        arbitrary: batchOf('changes', ['lock', 'lock', 'unlock', 'redeem', 'redeem', 'redeem', 'void', 'reverse']),
      },
    ),
    { minLength: 1, maxLength: 6 },
  ),
});

/** Faults still to strike; and how many statements went by, and how many times some were sent. */
interface Trouble {
  faults: Fault[];
  statements: number;
  sendings: number;
}

/** Whose connections to the server are in trouble. */
const troubles = new WeakMap<object, Trouble>();

/** What the driver's query does when it writes itself, alone or with others. */
const driver = pg.Query.prototype as unknown as { prepare(this: pg.QueryConfig, wire: object): void };

/** Puts a statement that fails into the place of one that a fault strikes: the server refuses what comes behind it. */
function strikeStatements(): () => void {
  const { prepare } = driver;
  driver.prepare = function strike(wire) {
    const trouble = troubles.get(wire) ?? troubles.get(Object.getPrototypeOf(wire));
    if (trouble !== undefined) {
      const { what } = trouble.faults.find(({ at }) => at === trouble.statements) ?? {};
      trouble.statements += 1;
      if (what !== undefined && what !== 'wait') {
        const text = `do $$ begin raise exception 'injected' using errcode = '${what}'; end $$`;
        Object.assign(this, { name: undefined, values: undefined, text });
      }
    }
    prepare.call(this, wire);
  };
  return () => {
    driver.prepare = prepare;
  };
}

/** A pool whose connections fail and wait as `trouble` says. */
function troubled(pool: pg.Pool, trouble: Trouble): pg.Pool {
  const connect = async () => {
    const client = await pool.connect();
    const wire = (client as unknown as { connection: object }).connection;
    troubles.set(wire, trouble);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const release = client.release.bind(client);
    // What is sent is sent in its order, also behind what waits.
    let turn = Promise.resolve();
    client.query = ((...args: unknown[]) => {
      const sending = trouble.sendings;
      trouble.sendings += 1;
      // A batch is sent in two or three goes.
      if (trouble.faults.some(({ at, what }) => what === 'wait' && at % 3 === sending)) {
        turn = turn.then(() => sleep(2));
      }
      return turn.then(() => query(...args));
    }) as pg.PoolClient['query'];
    client.release = (error) => {
      troubles.delete(wire);
      Reflect.deleteProperty(client, 'query');
      release(error);
    };
    return client;
  };
  return Object.create(pool, { connect: { value: connect }, query: { value: pool.query.bind(pool) } }) as pg.Pool;
}

describe(`with QURABLE_TEST_SEED=${seed}`, () => {
  const trouble: Trouble = { faults: [], statements: 0, sendings: 0 };
  const restore = strikeStatements();
  let batched: Side;
  let single: Side;
  let drop: () => Promise<void>;
  let runs = 0;

  beforeAll(async () => {
    const origin = await openTestCore('batch of one');
    // The patterns' keys are random: made before the copy, they make the same codes on both sides.
    const book = await createBook(origin.core, admin, { name: 'Keys', status: 'active' }, null);
    for (const pattern of patterns) await generateCodes(origin.core, admin, book.body.id, { count: 1, pattern }, null);
    await closeCore(origin.core);
    const copy = `${origin.database.name}_copy`;
    await copyDatabase(origin.database.name, copy);
    const copyUrl = new URL(origin.database.url);
    copyUrl.pathname = `/${copy}`;
    batched = await openSide(origin.database.url, 256, trouble);
    single = await openSide(copyUrl.href, 1, null);
    drop = async () => {
      await Promise.all([batched, single].flatMap(({ core, patient }) => [closeCore(core), patient.end()]));
      await runStatement(`drop database ${copy} with (force)`);
      await runStatement(`drop database ${origin.database.name} with (force)`);
    };
  });
  afterAll(async () => {
    restore();
    await drop();
  });

  test(
    'each member of a batch, under faults and delays, has the outcome that it has in a batch of one, and leaves the same behind',
    async () => {
      const property = fc.asyncProperty(plan, async ({ books, first, rest }) => {
        runs += 1;
        const codes = await Promise.all([batched, single].map((side) => setUp(side, books)));
        expect(codes[1]).toEqual(codes[0]);
        for (const [index, batch] of [first, ...rest].entries()) {
          const key = (number: number) => `${runs} ${number}`;
          trouble.faults = batch.faults;
          Object.assign(trouble, { statements: 0, sendings: 0 });
          const outcomes = await Promise.all([batched, single].map((side) => run(side, batch, codes[0]!, key)));
          expect({ index, outcomes: outcomes[0] }).toEqual({ index, outcomes: outcomes[1] });
        }
        expect(await whatIsThere(batched)).toEqual(await whatIsThere(single));
      });
      await fc.assert(property, {
        seed,
        // Other ones in each run: together the runs see more than any one of them could.
        numRuns: isLong ? 500 : 15,
        interruptAfterTimeLimit: isLong ? 1_700_000 : 100_000,
      });
      expect(await findBrokenInvariants(batched.url)).toEqual([]);
      expect(await findBrokenInvariants(single.url)).toEqual([]);
    },
    isLong ? 1_900_000 : 240_000,
  );
});

async function openSide(url: string, maxMembers: number, trouble: Trouble | null): Promise<Side> {
  const core = await openCore(testConfig(url), { log: silentLog, random: middle });
  // Both sides are sent the same tokens, and their coupons stand in other decks: a grant's number does for either.
  const lockTokens: Core['lockTokens'] = {
    tokenOf: (_, { fence }) => String(fence),
    isTokenOf: (_, { fence }, token) => token === String(fence),
  };
  // What takes long is the machine's business: only the faults of the plan may fail a batch.
  const patient = openPool(core.config.database, {
    ...{ max: 4, applicationName: 'test', onError: () => {}, plans: 'by-key' },
    ...{ lockTimeoutMillis: 60_000, statementTimeoutMillis: 60_000, idleInTransactionMillis: 60_000 },
  });
  const pool = trouble === null ? patient : troubled(patient, trouble);
  const used: Core = { ...core, pool, lockTokens };
  const common = {
    clock: core.clock,
    log: silentLog,
    laneOf: () => 'lane',
    maxMembers,
    maxInFlight: 1,
    worthwhileMembers: 1,
    answeredATurn: 100,
    gatherMillis: 0,
    maxWaiting: 1000,
    maxWaitMillis: 60_000,
    shedAgeMillis: 60_000,
    slowMillis: 60_000,
    maxSlow: 0,
    heldUpEveryMillis: 10,
    heldUpMaxMillis: 60_000,
    heldUpMaxOfTenant: 1000,
    heldUpMaxOfAll: 1000,
  };
  return {
    core,
    patient,
    url,
    batchers: {
      deals: openMicroBatcher({
        ...common,
        name: 'deals',
        run: (tenant, commands) => dealCodes(used, tenant, commands),
        isFree: (tenant, commands) => areDealsFree(used, tenant, commands),
      }),
      changes: openMicroBatcher({
        ...common,
        name: 'changes',
        run: (tenant, commands) => changeCoupons(used, tenant, commands),
        isFree: (tenant, commands) => areChangesFree(used, tenant, commands),
      }),
    },
    bookIds: [],
    redemptions: [],
  };
}

/** Makes the books of a run, two decks in each, and returns their codes. */
async function setUp(side: Side, books: object[]): Promise<string[]> {
  side.bookIds = [];
  side.redemptions = [];
  const codes: string[] = [];
  for (const terms of books) {
    const { body } = await createBook(side.core, admin, { name: 'Run', status: 'active', ...terms }, null);
    side.bookIds.push({ bookId: body.id, bookKey: (await side.core.knownBooks.bookKeyOf(1, body.id))! });
    for (const pattern of patterns) {
      const deck = await generateCodes(side.core, admin, body.id, { count: 3, pattern }, null);
      codes.push(...(await codesOfDeck(side.core, 1, deck.body.deckId)));
    }
  }
  return codes;
}

/** Pushes the members of a batch all at once and in one lane, and returns what became of each. */
async function run(side: Side, batch: Batch, codes: string[], key: (number: number) => string): Promise<unknown[]> {
  if (batch.expireLocks) await expireLocks(side);
  const answers = batch.steps.map((step) =>
    batch.queue === 'deals'
      ? side.batchers.deals.push(1, dealOf(side, step, codes, key))
      : side.batchers.changes.push(1, changeOf(side, step, codes, key)),
  );
  const settled = await Promise.allSettled(answers);
  for (const outcome of settled) {
    if (outcome.status !== 'fulfilled' || outcome.value.replayed) continue;
    if ('redemption' in outcome.value.body) side.redemptions.push(outcome.value.body.redemption.id);
  }
  return settled.map((outcome) => (outcome.status === 'fulfilled' ? shape(outcome.value) : refusalOf(outcome.reason)));
}

function keyedOf(step: Step, key: (number: number) => string) {
  return step.key === null ? null : keyedRequest(admin, key(step.key), step.op, { ...step, key: null });
}

/** PostgreSQL takes no U+0000 in a text. */
const poison = '\u0000';

function dealOf(side: Side, step: Step, codes: string[], key: (number: number) => string): DealCommand {
  const common = { caller: admin, keyed: keyedOf(step, key) };
  const userId = step.isPoisoned ? `${step.user}${poison}` : step.user;
  const code = codes[step.code]!;
  if (step.op === 'draw') return { ...common, op: 'draw', bookKey: side.bookIds[step.book]!.bookKey, userId };
  if (step.op === 'take') return { ...common, op: 'take', code, userId };
  return { ...common, op: 'discard', code, reason: step.isPoisoned ? poison : null };
}

function changeOf(side: Side, step: Step, codes: string[], key: (number: number) => string): ChangeCommand {
  const common = { caller: admin, keyed: keyedOf(step, key) };
  const code = codes[step.code]!;
  const lockToken = step.token === null ? null : String(step.token);
  const reason = step.isPoisoned ? poison : null;
  switch (step.op) {
    case 'lock':
      return { ...common, op: 'lock', code, userId: step.user, ttlSeconds: 1000, lockToken };
    case 'unlock':
      return { ...common, op: 'unlock', code, userId: step.user, lockToken: lockToken ?? '1' };
    case 'redeem': {
      const metadata = step.isPoisoned ? { note: poison } : null;
      return { ...common, op: 'redeem', code, userId: step.user, lockToken, reference: 'order', metadata };
    }
    case 'reverse': {
      const nowhere = '019fffff-0000-7000-8000-000000000000';
      return { ...common, op: 'reverse', redemptionId: side.redemptions[step.redemption] ?? nowhere, reason };
    }
    default:
      return { ...common, op: 'void', code, reason };
  }
}

/** An answer without what differs from run to run: moments and ids. */
function shape({ body, replayed }: CouponAnswer) {
  const { bookId: _bookId, lockedUntil, assignedAt, ...rest } = body;
  const redemption = 'redemption' in body ? { ...body.redemption, id: null, at: null } : null;
  return { ...rest, redemption, isLocked: lockedUntil !== null, isAssigned: assignedAt !== null, replayed };
}

function refusalOf(error: unknown) {
  if (!(error instanceof CouponError)) throw error;
  return { refused: error.kind, rev: error.refusal.rev ?? null };
}

async function expireLocks({ core }: Side): Promise<void> {
  await core.pool.query(
    `with live as (
        update coupons set lock_expires_at = date_trunc('milliseconds', clock_timestamp())
        where lock_expires_at > clock_timestamp() returning *)
      update events e set lock_expires_at = live.lock_expires_at from live
      where (e.tenant_id, e.deck_id, e.pos, e.rev) = (live.tenant_id, live.deck_id, live.pos, live.rev)`,
  );
}

/** All that a run has left behind in its books. */
async function whatIsThere({ core, bookIds }: Side): Promise<unknown> {
  const books = [bookIds.map(({ bookKey }) => bookKey)];
  const { rows: coupons } = await core.pool.query(
    `select c.code, h.user_id, c.rev, c.redemptions, c.fence, c.lock_expires_at > clock_timestamp() as locked, c.voided,
        c.max_redemptions, array_agg(array[e.rev, e.kind, e.redemptions, e.fence] order by e.rev) as events
      from coupons c join decks d using (tenant_id, deck_id) left join holders h using (tenant_id, holder_id)
      join events e using (tenant_id, deck_id, pos)
      where d.book_id = any($1) group by c.tenant_id, c.deck_id, c.pos, h.user_id order by c.code`,
    books,
  );
  const { rows: decks } = await core.pool.query(
    `select d.size, d.next_pos, d.taken_ahead, d.voided,
        (select array_agg(pos order by pos) from deck_taken t where t.deck_id = d.deck_id) as taken
      from decks d where d.book_id = any($1) order by d.deck_id`,
    books,
  );
  const { rows: counters } = await core.pool.query(
    `select sum(redemptions) as redemptions, sum(voided) as voided from book_counters
      where book_id = any($1) group by book_id order by book_id`,
    books,
  );
  return { coupons, decks, counters };
}

/** Waits for the last connection to the original to end, which its server may notice a moment later. */
async function copyDatabase(original: string, copy: string): Promise<void> {
  for (;;) {
    try {
      return await runStatement(`create database ${copy} template ${original}`);
    } catch (error) {
      if (sqlStateOf(error) !== '55006') throw error;
      await sleep(100);
    }
  }
}

async function runStatement(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: testPostgresUrl() });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
