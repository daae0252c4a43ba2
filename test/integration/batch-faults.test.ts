import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../containers/local/postgres/embedded-postgres.ts';
import type { Core } from '../../core/core.ts';
import { databaseLimits } from '../../core/db/database-limits.ts';
import { migrateToLatest } from '../../core/db/migrate.ts';
import { openPool } from '../../core/db/pool.ts';
import { retryTransaction } from '../../core/db/retry-transaction.ts';
import { isConnectionLoss } from '../../core/db/sql-errors.ts';
import { inTransaction, type Transaction } from '../../core/db/transaction.ts';
import {
  assignCode,
  assignCoupon,
  CouponError,
  checkReady,
  closeCore,
  createBook,
  generateCodes,
  listCodes,
  openCore,
  readCoupon,
  redeemCoupon,
  silentLog,
  voidCoupon,
} from '../../core/index.ts';
import { systemRandom } from '../../core/random.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { type FaultProxy, openFaultProxy } from '../support/fault-proxy.ts';
import { keyed } from '../support/keyed.ts';
import { admin, openTestCore, type TestCore, testConfig } from '../support/open-test-core.ts';

bePatient();
let observer: TestCore;
let proxy: FaultProxy;
/** Talks to the database by way of the proxy, which breaks the conversation. */
let core: Core;
let bookId: string;
let freeCodes: string[];

beforeAll(async () => {
  observer = await openTestCore('batch faults');
  proxy = await openFaultProxy(observer.database.url);
  core = await openCore(testConfig(proxy.url), { log: silentLog });
  const book = await createBook(
    observer.core,
    admin,
    { name: 'Faults', status: 'active', maxCodesPerUser: 1000, maxRedemptionsPerUser: 1000, maxRedemptions: 1000 },
    null,
  );
  bookId = book.body.id;
  const deck = await generateCodes(observer.core, admin, bookId, { count: 1000, pattern: 'FALL-####-####' }, null);
  freeCodes = await codesOfDeck(observer.core, 1, deck.body.deckId);
});
afterEach(() => proxy.accept());
afterAll(async () => {
  await closeCore(core);
  await proxy.close();
  await observer.close();
});

async function heldCodes(count: number): Promise<string[]> {
  const coupons = Array.from({ length: count }, () => assignCoupon(observer.core, admin, { bookId, userId: 'u-1' }));
  return (await Promise.all(coupons)).map(({ body }) => body.code);
}

/** The status of a success, what an `unavailable` says became of it, or the kind of another refusal. */
function outcomeOf(answer: Promise<{ body: { status: string } }>): Promise<string> {
  return answer.then(
    ({ body }) => body.status,
    (error: unknown) => {
      if (error instanceof CouponError) return error.refusal.outcome ?? error.kind;
      throw error;
    },
  );
}

function redeemAll(codes: string[], from: Core, metadataOf: (index: number) => Record<string, unknown> = () => ({})) {
  return Promise.all(
    codes.map((code, index) => {
      const input = { userId: 'u-1', metadata: metadataOf(index) };
      return outcomeOf(
        redeemCoupon(from, admin, code, input, keyed(`redeem ${code}`, `coupons/${code}/redeem`, input)),
      );
    }),
  );
}

async function statuses(codes: string[]): Promise<string[]> {
  return Promise.all(codes.map(async (code) => (await readCoupon(observer.core, admin, code)).status));
}

describe('a poisoned member of a batch', () => {
  test('of 30 redeems in one batch, one with what jsonb refuses, the other 29 succeed and that one changes nothing', async () => {
    const codes = await heldCodes(30);
    const outcomes = await redeemAll(codes, core, (index) => (index === 17 ? { note: 'a\u0000b' } : { note: 'ab' }));
    const expected = codes.map((_, index) => (index === 17 ? 'internal' : 'redeemed'));
    expect(outcomes).toEqual(expected);
    expect(await statuses(codes)).toEqual(codes.map((_, index) => (index === 17 ? 'assigned' : 'redeemed')));
  });

  test('of 30 assigns in one batch, one to a user whose id text refuses, the other 29 get a code each', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        outcomeOf(assignCoupon(core, admin, { bookId, userId: index === 3 ? 'u\u0000' : `poison-${index}` })),
      ),
    );
    expect(outcomes).toEqual(outcomes.map((_, index) => (index === 3 ? 'internal' : 'assigned')));
  });

  test('its key is free: the same request without the poison succeeds', async () => {
    const [code] = await heldCodes(1);
    const redeem = (note: string) => {
      const input = { userId: 'u-1', metadata: { note } };
      return redeemCoupon(core, admin, code!, input, keyed('mended', `coupons/${code}/redeem`, input));
    };
    const poisoned = redeem('\u0000');
    await expect(poisoned).rejects.toMatchObject({ kind: 'internal' });
    const mended = await redeem('');
    expect(mended).toMatchObject({ replayed: false, body: { status: 'redeemed' } });
  });
});

describe('a connection that is cut', () => {
  /** The statements of one batch, as they went by; marks are written beside it, every second or so. */
  async function traceOf(batch: () => Promise<unknown>): Promise<string[]> {
    proxy.takeTrace();
    await batch();
    return [...new Set(proxy.takeTrace())].filter((name) => !name.startsWith('marks-of-'));
  }

  /** What is written goes out with COMMIT: whether that arrived, the process can't know. */
  const outcomeAt = (point: string) =>
    /^(update|insert|write|add|mark|delete|commit)\b/.test(point) ? 'unknown' : 'not-begun';

  test('before any statement of a batch of redeems: nobody has an effect, and repeats with the same keys have one each', async () => {
    const trace = await traceOf(async () => redeemAll(await heldCodes(2), core));
    expect(trace).toEqual(
      expect.arrayContaining(['lock-coupons', 'lock-holders', 'lock-counters', 'write-events', 'commit']),
    );
    for (const point of trace) {
      const codes = await heldCodes(3);
      const fault = proxy.arm(point, 'cut-before');
      expect([point, await redeemAll(codes, core)]).toEqual([point, Array(3).fill(outcomeAt(point))]);
      fault.release();
      await fault.struck;
      expect([point, await statuses(codes)]).toEqual([point, Array(3).fill('assigned')]);
      expect([point, await redeemAll(codes, core)]).toEqual([point, Array(3).fill('redeemed')]);
      expect([point, await redeemAll(codes, core)]).toEqual([point, Array(3).fill('redeemed')]);
    }
  });

  test('before any statement of a batch of assigns: no code has left its deck, and repeats get one each', async () => {
    const assign = (userId: string) => {
      const input = { bookId, userId };
      return outcomeOf(assignCoupon(core, admin, input, keyed(userId, 'coupons/assign', input)));
    };
    const assignAll = (name: string) => Promise.all([assign(`${name} 1`), assign(`${name} 2`)]);
    const countCoupons = async () =>
      (await observer.core.pool.query<{ count: number }>('select count(*) from coupons')).rows[0]!.count;
    const trace = await traceOf(() => assignAll('trace'));
    expect(trace).toEqual(expect.arrayContaining(['lock-dealers', 'insert-coupons', 'write-dealt-decks', 'commit']));
    for (const point of trace) {
      const before = await countCoupons();
      const fault = proxy.arm(point, 'cut-before');
      expect([point, await assignAll(point)]).toEqual([point, Array(2).fill(outcomeAt(point))]);
      fault.release();
      await fault.struck;
      expect([point, await countCoupons()]).toEqual([point, before]);
      expect([point, await assignAll(point)]).toEqual([point, ['assigned', 'assigned']]);
      expect([point, await assignAll(point)]).toEqual([point, ['assigned', 'assigned']]);
      expect([point, await countCoupons()]).toEqual([point, before + 2]);
    }
  });

  test('in the middle of a list or an export, ends that one request and nothing else', async () => {
    for (const point of ['walk-decks', 'walk-coupons', 'commit']) {
      const fault = proxy.arm(point, 'cut-before');
      const error = await listCodes(core, admin, bookId, { limit: 10 }).catch((e: unknown) => e);
      await fault.struck;
      expect([point, isConnectionLoss(error)]).toEqual([point, true]);
    }
    expect((await listCodes(core, admin, bookId, { limit: 10 })).data).toHaveLength(10);
  });

  test('while idle in the pool, is replaced, and nobody hears of it', async () => {
    const codes = await heldCodes(4);
    await redeemAll(codes.slice(0, 2), core);
    const idle = new Set<pg.PoolClient>();
    for (const client of await Promise.all([core.pool.connect(), core.pool.connect()])) {
      idle.add(client);
      client.release();
    }
    const gone = new Promise<void>((resolve) => {
      core.pool.on('remove', (client) => {
        idle.delete(client as pg.PoolClient);
        if (idle.size === 0) resolve();
      });
    });
    proxy.cutAll();
    await gone;
    expect(await redeemAll(codes.slice(2), core)).toEqual(['redeemed', 'redeemed']);
  });
});

describe('a database that takes no connection', () => {
  test('is everyone’s 503 and nothing worse, and is used again as soon as it is back', async () => {
    const codes = await heldCodes(3);
    await proxy.refuse();
    proxy.cutAll();
    expect(await redeemAll(codes, core)).toEqual(Array(3).fill('not-begun'));
    await expect(checkReady(core)).rejects.toMatchObject({ kind: 'unavailable' });
    await proxy.accept();
    await checkReady(core);
    expect(await redeemAll(codes, core)).toEqual(Array(3).fill('redeemed'));
  });
});

describe('a database that has gone silent', () => {
  test('counts as lost once its own time-outs are over: a batch is not held by a connection that nobody answers', async () => {
    const pool = openPool(
      { connectionString: proxy.url },
      { max: 1, applicationName: 'test', onError: () => {}, answerTimeoutMillis: 100 },
    );
    // The first statement: an earlier one might take a slow machine as long.
    const fault = proxy.arm('begin', 'stall-before');
    const error = await inTransaction(pool, async () => 'never').catch((e: unknown) => e);
    await fault.struck;
    expect(isConnectionLoss(error)).toBe(true);
    // What is shown next takes no time-out.
    Object.assign(pool.options, { query_timeout: databaseLimits.answerTimeoutMillis });
    expect(await inTransaction(pool, async () => 'another connection')).toBe('another connection');
    fault.release();
    await pool.end();
  });

  test('every connection of the primary’s pool has such a limit, and the server’s own comes first', () => {
    const { query_timeout, options } = core.pool.options as pg.PoolConfig;
    expect(query_timeout).toBe(databaseLimits.answerTimeoutMillis);
    expect(options).toContain(`statement_timeout=${databaseLimits.statementTimeoutMillis}`);
    expect(databaseLimits.answerTimeoutMillis).toBeGreaterThan(databaseLimits.statementTimeoutMillis);
  });
});

describe('deadlocks', () => {
  /** A session that never looks for deadlocks itself: the other one of a circle is then the victim. */
  async function openRival(): Promise<pg.Client> {
    const rival = new pg.Client({ connectionString: observer.database.url });
    await rival.connect();
    await rival.query(`set deadlock_timeout = '1h'; set lock_timeout = '30s'`);
    return rival;
  }

  const lockOne = 'select from coupons where code = $1 for update';

  async function waitersFor(rival: pg.Client): Promise<number> {
    const { rows } = await rival.query<{ waiting: number }>(
      'select count(*)::int as waiting from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))',
    );
    return rows[0]!.waiting;
  }

  test('a batch that falls victim to one is done again, and its members never know', async () => {
    const codes = await heldCodes(2);
    const { rows } = await observer.core.pool.query<{ code: string }>(
      'select code from coupons where code = any($1) order by deck_id, pos',
      [codes],
    );
    const [first, second] = rows.map(({ code }) => code);
    const rival = await openRival();
    await rival.query('begin');
    await rival.query(lockOne, [second]);
    const outcomes = redeemAll(codes, core);
    // The batch has the first coupon and waits for the second one.
    while ((await waitersFor(rival)) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await rival.query(lockOne, [first]);
    await rival.query('commit');
    await rival.end();
    expect(await outcomes).toEqual(['redeemed', 'redeemed']);
  });

  test('a transaction is tried again at most three times, after deadlocks and serialization failures alone', async () => {
    const triesUntil = async (sqlState: string) => {
      let tries = 0;
      const transaction = async (tx: Transaction) => {
        tries += 1;
        await tx.query(`do $$ begin raise exception 'injected' using errcode = '${sqlState}'; end $$`);
      };
      const random = { ...systemRandom, below: () => 0 };
      const failing = retryTransaction(random, () => inTransaction(core.pool, transaction));
      await expect(failing).rejects.toMatchObject({ code: sqlState });
      return tries;
    };
    expect([await triesUntil('40P01'), await triesUntil('40001')]).toEqual([4, 4]);
    expect([await triesUntil('57014'), await triesUntil('55P03'), await triesUntil('22021')]).toEqual([1, 1, 1]);
  });
});

describe('a code that is dealt while somebody asks for it', () => {
  test('is not called void: an operator’s void finds the coupon that it has just become', async () => {
    const code = freeCodes[900]!;
    const fault = proxy.arm('find-void-places', 'stall-before');
    const voiding = voidCoupon(core, admin, code, {});
    await fault.struck;
    await assignCode(observer.core, admin, code, { userId: 'u-9' });
    await drawUpTo(code);
    fault.release();
    expect((await voiding).body).toMatchObject({ status: 'voided', userId: 'u-9', rev: 2 });
  });

  test('is not there or is there, but never void, to one who looks', async () => {
    const code = freeCodes[950]!;
    const fault = proxy.arm('find-void-places', 'stall-before');
    const looking = readCoupon(core, admin, code).catch((error: CouponError) => error.kind);
    await fault.struck;
    await assignCode(observer.core, admin, code, { userId: 'u-9' });
    await drawUpTo(code);
    fault.release();
    expect(await looking).toBe('coupon-not-found');
  });

  /** Moves the deal past a code that was taken by name, as many draws would. */
  async function drawUpTo(code: string): Promise<void> {
    await observer.core.pool.query(
      `with gone as (delete from deck_taken t using coupons c where c.code = $1
          and (t.tenant_id, t.deck_id, t.pos) = (c.tenant_id, c.deck_id, c.pos) returning t.deck_id, t.pos)
        update decks d set voided = d.voided + gone.pos - d.next_pos, next_pos = gone.pos + 1, taken_ahead = 0
        from gone where d.deck_id = gone.deck_id`,
      [code],
    );
  }
});

test('every invariant holds after it', async () => {
  expect(await findBrokenInvariants(observer.database.url)).toEqual([]);
});

describe('a database that is killed and comes back', () => {
  test('every redeem that was acknowledged is there, every other one has its one effect when it is repeated', async () => {
    const root = mkdtempSync(join(tmpdir(), 'qurable-restart-'));
    chmodSync(root, 0o711);
    const options = { dataDirectory: join(root, 'postgres'), settings: { fsync: 'off' }, log: () => {} };
    let server = await startEmbeddedPostgres(options);
    const { url, port } = server;
    try {
      await migrateToLatest({ connectionString: url }, silentLog);
      const core = await openCore(testConfig(url), { log: silentLog });
      const book = await createBook(core, admin, { name: 'Restart', status: 'active' }, null);
      await generateCodes(core, admin, book.body.id, { count: 600, pattern: 'LOST-####-####' }, null);
      const codes = await Promise.all(
        Array.from({ length: 600 }, async () => {
          const { body } = await assignCoupon(core, admin, { bookId: book.body.id, userId: 'u-1' });
          return body.code;
        }),
      );
      const input = { userId: 'u-1' };
      const redeemOne = (code: string) =>
        redeemCoupon(core, admin, code, input, keyed(`k ${code}`, `coupons/${code}/redeem`, input));
      const redeem = (from: number, to: number) =>
        Promise.all(codes.slice(from, to).map((code) => outcomeOf(redeemOne(code))));
      const acknowledged = await redeem(0, 200);
      const underWay = redeem(200, 400);
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
      await server.stop();
      const tooLate = await redeem(400, 600);
      const outcomes = [...acknowledged, ...(await underWay), ...tooLate];
      expect(new Set(acknowledged)).toEqual(new Set(['redeemed']));
      expect(new Set(tooLate)).toEqual(new Set(['not-begun']));
      expect(outcomes.filter((outcome) => !['redeemed', 'not-begun', 'unknown'].includes(outcome))).toEqual([]);
      server = await startEmbeddedPostgres({ ...options, port });
      const repeated = await Promise.all(codes.map(redeemOne));
      const lost = repeated.filter(({ replayed }, index) => outcomes[index] === 'redeemed' && !replayed);
      expect(lost).toEqual([]);
      const { rows } = await core.pool.query<{ count: number }>('select count(*) from redemptions');
      expect(rows[0]!.count).toBe(600);
      expect(await findBrokenInvariants(url)).toEqual([]);
      await closeCore(core);
    } finally {
      await server.stop();
      rmSync(root, { recursive: true, force: true });
    }
  });
});
