import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../containers/local/postgres/embedded-postgres.ts';
import type { Core } from '../../core/core.ts';
import { migrateToLatest } from '../../core/db/migrate.ts';
import { openPool } from '../../core/db/pool.ts';
import { inTransaction, inTwoSteps, type Transaction } from '../../core/db/transaction.ts';
import {
  assignCode,
  assignCoupon,
  type CouponError,
  closeCore,
  createBook,
  generateCodes,
  lockCoupon,
  openCore,
  readBook,
  readCoupon,
  redeemCoupon,
  reverseRedemption,
  silentLog,
  unlockCoupon,
  voidCoupon,
} from '../../core/index.ts';
import { systemRandom } from '../../core/random.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { type FaultProxy, openFaultProxy } from '../support/fault-proxy.ts';
import { keyed } from '../support/keyed.ts';
import { admin, openTestCore, type TestCore, testConfig } from '../support/open-test-core.ts';

interface Answer {
  body: object;
  replayed: boolean;
}

/** A request ready to be sent, as often as wanted and to any core. */
type Request = (core: Core, key: string) => Promise<Answer>;

bePatient();
let observer: TestCore;
let proxy: FaultProxy;
/** Talks to the database by way of the proxy, which breaks the conversation. */
let core: Core;
let bookId: string;
let freeCodes: string[];
let keys = 0;

beforeAll(async () => {
  observer = await openTestCore('commit fate');
  proxy = await openFaultProxy(observer.database.url);
  core = await openCore(testConfig(proxy.url), { log: silentLog });
  const book = await createBook(observer.core, admin, { name: 'Fate', status: 'active' }, null);
  bookId = book.body.id;
  const deck = await generateCodes(observer.core, admin, bookId, { count: 1000, pattern: 'FATE-####-####' }, null);
  // The deck is dealt from its start, and codes are named from its end.
  freeCodes = await codesOfDeck(observer.core, 1, deck.body.deckId);
});
afterEach(() => proxy.accept());
afterAll(async () => {
  await closeCore(core);
  await proxy.close();
  await observer.close();
});

async function heldCode(): Promise<string> {
  const { body } = await assignCoupon(observer.core, admin, { bookId, userId: 'u-1' });
  return body.code;
}

async function lockedCode(): Promise<{ code: string; lockToken: string }> {
  const code = await heldCode();
  const { body } = await lockCoupon(observer.core, admin, code, { userId: 'u-1' });
  return { code, lockToken: body.lockToken };
}

/** Each request that changes something: made ready, so that nothing but itself is still to happen. */
const requests: Record<string, () => Promise<Request>> = {
  'an assign': async () => (core, key) => {
    const input = { bookId, userId: 'u-1' };
    return assignCoupon(core, admin, input, keyed(key, 'coupons/assign', input));
  },
  'an assign by name': async () => {
    const code = freeCodes.pop()!;
    return (core, key) =>
      assignCode(core, admin, code, { userId: 'u-1' }, keyed(key, `coupons/${code}/assign`, { userId: 'u-1' }));
  },
  'a lock': async () => {
    const code = await heldCode();
    return (core, key) =>
      lockCoupon(core, admin, code, { userId: 'u-1' }, keyed(key, `coupons/${code}/lock`, { userId: 'u-1' }));
  },
  'an unlock': async () => {
    const { code, lockToken } = await lockedCode();
    const input = { userId: 'u-1', lockToken };
    return (core, key) => unlockCoupon(core, admin, code, input, keyed(key, `coupons/${code}/unlock`, input));
  },
  'a redeem': async () => {
    const code = await heldCode();
    const input = { userId: 'u-1', reference: 'o-1' };
    return (core, key) => redeemCoupon(core, admin, code, input, keyed(key, `coupons/${code}/redeem`, input));
  },
  'a reverse': async () => {
    const { body } = await redeemCoupon(observer.core, admin, await heldCode(), { userId: 'u-1' });
    const { id } = body.redemption;
    return (core, key) => reverseRedemption(core, admin, id, {}, keyed(key, `redemptions/${id}/reverse`, {}));
  },
  'a void': async () => {
    const code = await heldCode();
    return (core, key) =>
      voidCoupon(core, admin, code, { reason: 'leaked' }, keyed(key, `coupons/${code}/void`, { reason: 'leaked' }));
  },
};

async function countEvents(): Promise<number> {
  const { rows } = await observer.core.pool.query<{ count: number }>('select count(*) from events');
  return rows[0]!.count;
}

/** Runs a request into a fault and returns its answer, or what an `unavailable` says became of it. */
async function breakAt(kind: 'cut-before' | 'cut-after' | 'cut-during', request: Request, key: string) {
  const fault = proxy.arm('commit', kind);
  const outcome = await request(core, key).catch((error: CouponError) => error.refusal.outcome ?? error.kind);
  fault.release();
  await fault.struck;
  return outcome;
}

describe.each(Object.entries(requests))('%s whose connection is cut', (_name, makeReady) => {
  test('before COMMIT arrives, has no effect, is answered 503, and has its one effect when it is repeated', async () => {
    const request = await makeReady();
    const key = `k-${++keys}`;
    const before = await countEvents();
    expect(await breakAt('cut-before', request, key)).toBe('unknown');
    expect(await countEvents()).toBe(before);
    const repeated = await request(core, key);
    expect(repeated.replayed).toBe(false);
    expect(await request(core, key)).toEqual({ body: repeated.body, replayed: true });
    expect(await countEvents()).toBe(before + 1);
  });

  test('before COMMIT’s answer comes, is answered 503, and a repeat with its key gets the effect that is there', async () => {
    const request = await makeReady();
    const key = `k-${++keys}`;
    const before = await countEvents();
    const outcome = await breakAt('cut-after', request, key);
    expect(outcome).toBe('unknown');
    expect(await countEvents()).toBe(before + 1);
    expect(await request(core, key)).toMatchObject({ replayed: true });
    expect(await countEvents()).toBe(before + 1);
  });

  test('while COMMIT is on its way, has one effect whatever became of it', async () => {
    const request = await makeReady();
    const key = `k-${++keys}`;
    const before = await countEvents();
    const outcome = await breakAt('cut-during', request, key);
    const repeated = await request(core, key);
    if (outcome !== 'unknown') expect(repeated).toEqual({ body: (outcome as Answer).body, replayed: true });
    expect(await request(core, key)).toEqual({ body: repeated.body, replayed: true });
    expect(await countEvents()).toBe(before + 1);
  });
});

describe('a code that nobody has, voided over a connection that is cut before COMMIT’s answer', () => {
  test('is voided once, and a repeat with its key says so', async () => {
    const code = freeCodes.pop()!;
    const request = keyed('void-free', `coupons/${code}/void`, {});
    // The first COMMIT is that of the look whether somebody has it.
    const fault = proxy.arm('commit', 'cut-after', 1);
    await expect(voidCoupon(core, admin, code, {}, request)).rejects.toMatchObject({
      refusal: { outcome: 'unknown' },
    });
    fault.release();
    await fault.struck;
    const repeated = await voidCoupon(core, admin, code, {}, request);
    expect(repeated).toMatchObject({ body: { status: 'voided', rev: 1 }, replayed: true });
  });
});

describe('when the database can’t be asked what became of a COMMIT', () => {
  test('the caller gets 503, and a repeat with its key gets the effect that is there', async () => {
    const request = await requests['a redeem']!();
    const before = await countEvents();
    const fault = proxy.arm('commit', 'stall-answer');
    const outcome = request(core, 'unknown').catch((error: unknown) => error);
    await fault.struck;
    await proxy.refuse();
    proxy.cutAll();
    expect(await outcome).toMatchObject({ kind: 'unavailable', refusal: { outcome: 'unknown', retryAfterSeconds: 1 } });
    await proxy.accept();
    const repeated = await request(core, 'unknown');
    expect(repeated.replayed).toBe(true);
    expect(await countEvents()).toBe(before + 1);
  });
});

describe('a pool with room for one connection', () => {
  test('goes on after a COMMIT whose answer was lost: the lost connection has left it', async () => {
    const pool = openPool({ connectionString: proxy.url }, { max: 1, applicationName: 'test', onError: () => {} });
    const fault = proxy.arm('commit', 'cut-after');
    await expect(inTransaction(pool, async () => 'done')).rejects.toMatchObject({ kind: 'unavailable' });
    fault.release();
    await fault.struck;
    expect(await inTransaction(pool, async () => 'done')).toBe('done');
    await pool.end();
  });
});

describe('cold requests', () => {
  test.each(['cut-before', 'cut-after'] as const)('a book is made once over a connection that is %s', async (kind) => {
    const { rows } = await observer.core.pool.query<{ count: number }>('select count(*) from books');
    const outcome = await breakAt(kind, (core) => createBook(core, admin, { name: 'Cold' }, null), '');
    const after = await observer.core.pool.query<{ count: number }>('select count(*) from books');
    expect(outcome).toBe('unknown');
    expect(after.rows[0]!.count - rows[0]!.count).toBe(kind === 'cut-before' ? 0 : 1);
  });

  test.each(['cut-before', 'cut-after'] as const)('a deck is there once over a connection that is %s', async (kind) => {
    const before = await readBook(observer.core, admin, bookId);
    const input = { count: 10, pattern: 'FATE-####-####' };
    const outcome = await breakAt(kind, (core) => generateCodes(core, admin, bookId, input, null), '');
    const after = await readBook(observer.core, admin, bookId);
    expect(outcome).toBe('unknown');
    expect(after.counts.codes - before.counts.codes).toBe(kind === 'cut-before' ? 0 : 10);
  });
});

describe('the members of a batch', () => {
  async function heldCodes(count: number): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, heldCode));
  }

  /** Redeems each code in one batch and notes the answers as they come. */
  function redeemAll(codes: string[]) {
    const answered: string[] = [];
    const all = codes.map(async (code) => {
      const { body } = await redeemCoupon(core, admin, code, { userId: 'u-1' });
      answered.push(body.status);
    });
    return { answered, all: Promise.all(all) };
  }

  test('none is answered, and nobody sees an effect, before COMMIT', async () => {
    const codes = await heldCodes(20);
    const fault = proxy.arm('commit', 'stall-before');
    const { answered, all } = redeemAll(codes);
    await fault.struck;
    const seen = await Promise.all(codes.map((code) => readCoupon(observer.core, admin, code)));
    expect(new Set(seen.map(({ status }) => status))).toEqual(new Set(['assigned']));
    expect(answered).toEqual([]);
    fault.release();
    await all;
    expect(answered).toEqual(Array(20).fill('redeemed'));
  });

  test('none is answered before COMMIT’s answer, though others see the effects already', async () => {
    const codes = await heldCodes(20);
    const fault = proxy.arm('commit', 'stall-answer');
    const { answered, all } = redeemAll(codes);
    await fault.struck;
    const seen = await Promise.all(codes.map((code) => readCoupon(observer.core, admin, code)));
    expect(new Set(seen.map(({ status }) => status))).toEqual(new Set(['redeemed']));
    expect(answered).toEqual([]);
    fault.release();
    await all;
  });

  test('none is told of a success when the connection is cut before COMMIT’s answer', async () => {
    const codes = await heldCodes(20);
    const fault = proxy.arm('commit', 'cut-after');
    const { answered, all } = redeemAll(codes);
    await expect(all).rejects.toMatchObject({ kind: 'unavailable', refusal: { outcome: 'unknown' } });
    fault.release();
    await fault.struck;
    expect(answered).toEqual([]);
  });
});

test.each(['ECONNRESET', 'ENETUNREACH', 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'UNHEARD_OF'])(
  'a COMMIT whose connection ends with %s before its answer is an open question, never a failure',
  async (code) => {
    const streams: { destroy(error: Error): void }[] = [];
    const pool = openPool({ connectionString: proxy.url }, { max: 1, applicationName: 'test', onError: () => {} });
    pool.on('connect', (client) =>
      streams.push((client as unknown as { connection: { stream: never } }).connection.stream),
    );
    const fault = proxy.arm('commit', 'stall-answer');
    const outcome = inTransaction(pool, async () => 'done').catch((error: unknown) => error);
    await fault.struck;
    for (const stream of streams) stream.destroy(Object.assign(new Error(`read ${code}`), { code }));
    expect(await outcome).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('may or may not') });
    fault.release();
    await pool.end();
  },
);

describe('work that throws', () => {
  test('has nothing carried out that it sent in the same turn', async () => {
    const { pool } = observer.core;
    await pool.query('create table thrown_here (n int)');
    const work = (tx: Transaction) =>
      Promise.all([tx.query('insert into thrown_here values (1)'), Promise.reject(new Error('refused'))]);
    await expect(inTransaction(pool, work)).rejects.toThrow('refused');
    await sleep(50);
    expect((await pool.query('select n from thrown_here')).rows).toEqual([]);
  });

  test('before it has sent anything leaves no open transaction in the pool', async () => {
    const name = 'thrown at once';
    const pool = openPool(
      { connectionString: observer.database.url },
      { max: 1, applicationName: name, onError: () => {} },
    );
    const read = (): Promise<number> => {
      throw new Error('refused');
    };
    await expect(inTwoSteps(pool, { read, write: async () => 1 })).rejects.toThrow('refused');
    await sleep(50);
    const { rows } = await observer.core.pool.query('select state from pg_stat_activity where application_name = $1', [
      name,
    ]);
    expect(rows).toEqual([{ state: 'idle' }]);
    await pool.end();
  });
});

describe('a statement that the driver itself refuses', () => {
  test('keeps COMMIT from being sent, and its connection is as good as before', async () => {
    const { pool } = observer.core;
    await pool.query('create table refused_here (n int)');
    const insert = { name: 'refused-here', text: 'insert into refused_here values ($1)' };
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    const work = async (tx: Transaction) => {
      for (const value of [1, cyclic, 3]) tx.send({ ...insert, values: [value] });
    };
    await expect(inTransaction(pool, work)).rejects.toThrow();
    expect((await pool.query('select n from refused_here')).rows).toEqual([]);
    await inTransaction(pool, async (tx) => tx.send({ ...insert, values: [7] }));
    expect((await pool.query('select n from refused_here')).rows).toEqual([{ n: 7 }]);
  });
});

test('a redeem that a crash has lost is not acknowledged, though another transaction got its id and committed', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'qurable-crash-'));
  const server = await startEmbeddedPostgres({
    dataDirectory: join(scratch, 'postgres'),
    ephemeralRoot: scratch,
    log: () => {},
    settings: { shared_buffers: '32MB' },
  });
  try {
    await migrateToLatest({ connectionString: server.url }, silentLog);
    const stripe = (number: number) => ({ log: silentLog, random: { ...systemRandom, below: () => number } });
    const victim = await openCore(testConfig(server.url), stripe(0));
    const other = await openCore(testConfig(server.url), stripe(1));
    const book = (await createBook(victim, admin, { name: 'Crash', status: 'active' }, null)).body;
    await generateCodes(victim, admin, book.id, { count: 10, pattern: 'CRASH-########' }, null);
    const codes: string[] = [];
    for (let n = 0; n < 4; n += 1)
      codes.push((await assignCoupon(victim, admin, { bookId: book.id, userId: 'u' })).body.code);
    const holder = new Client({ connectionString: server.url });
    holder.on('error', () => {});
    await holder.connect();
    await holder.query('begin; update book_counters set voided = voided where stripe = 0');
    const request = keyed('key', `coupons/${codes[0]}/redeem`, { userId: 'u' });
    const lost = redeemCoupon(victim, admin, codes[0]!, { userId: 'u' }, request).catch((error: unknown) => error);
    let pid = 0;
    while (pid === 0) {
      await sleep(5);
      pid = (await holder.query(`select pid from pg_stat_activity where wait_event_type = 'Lock'`)).rows[0]?.pid ?? 0;
    }
    process.kill(pid, 'SIGKILL');
    for (const code of codes.slice(1)) {
      // The crash may swallow the answer to one that is there: its key tells.
      const own = keyed(code, `coupons/${code}/redeem`, { userId: 'u' });
      while ((await redeemCoupon(other, admin, code, { userId: 'u' }, own).catch(() => null)) === null) await sleep(5);
    }
    expect(await lost).toMatchObject({ kind: 'unavailable' });
    expect((await readCoupon(other, admin, codes[0]!)).status).toBe('assigned');
    await Promise.all([closeCore(victim), closeCore(other)]);
  } finally {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
});

test('every invariant holds after it', async () => {
  expect(await findBrokenInvariants(observer.database.url)).toEqual([]);
});
