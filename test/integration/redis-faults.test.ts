import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type pg from 'pg';
import type { Caller } from '../../core/caller.ts';
import { systemClock } from '../../core/clock.ts';
import { openPool } from '../../core/db/pool.ts';
import { CouponError } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { openRedis, type RedisConnection, type RedisTimeouts } from '../../core/redis/open-redis.ts';
import { type Lookup, openThrottle, type Throttle } from '../../core/throttling/open-throttle.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { createTestDatabase, findDeadlocks, type TestDatabase } from '../support/start-postgres.ts';
import { startTestRedis, type TestRedis } from '../support/start-redis.ts';

const config = { codeSecret: 'a secret for tests, thirty-two characters', rateLimitPerSecond: 100_000 };
const address = '203.0.113.1';
/**
 * A call waits 100 ms at most for what is shared. Here is only told apart whether it waits for a Redis that is gone,
 * which would be for seconds: a busy machine's own delays decide nothing.
 */
const waitMaxMillis = 3_000;
/** The tests' own commands wait as long as a busy machine needs. */
const patientTimeouts = { commandTimeoutMillis: 30_000, silenceMaxMillis: 30_000 };

const redis: TestRedis | null = await startTestRedis({ maxMemory: '6mb' });
const url = redis?.url;
await redis?.stop();

let database: TestDatabase;
let pool: pg.Pool;
let server: TestRedis;
let admin: RedisConnection;
let connections: RedisConnection[];
let tasks: Throttle[];
let lastTenant = 0;

const customer = (id: string): Caller => ({
  tenantId: lastTenant,
  role: 'customer',
  actor: 'customer',
  customerId: id,
});

async function connect(timeouts?: RedisTimeouts): Promise<RedisConnection> {
  const connection = openRedis({ url: server.url, tls: false }, silentLog, undefined, timeouts)!;
  connections.push(connection);
  while (connection.status !== 'ready') await sleep(5);
  return connection;
}

const openTask = (connection: RedisConnection, over: pg.Pool | null = pool) =>
  openThrottle({ redis: connection, pool: over, clock: systemClock, log: silentLog, config });

function isRefused(task: Throttle, caller: Caller): boolean {
  try {
    const lookup = task.beginLookup(caller, address, null, 'SOME-CODE');
    if (lookup instanceof Promise) {
      // It waits for one in flight to end, and may be let through.
      lookup.then(
        (begun) => begun.unknown(),
        () => {},
      );
      return false;
    }
    lookup.unknown();
    return lookup.onlyIfHeld !== null;
  } catch (error) {
    if (error instanceof CouponError && error.kind === 'rate-limited') return true;
    throw error;
  }
}

/** A look-up that finds nothing, where it is not refused. */
async function guess(task: Throttle, caller: Caller): Promise<void> {
  try {
    const lookup = await task.beginLookup(caller, address, null, 'NO-CODE');
    await lookup.notFound();
  } catch (error) {
    if (!(error instanceof CouponError && error.kind === 'rate-limited')) throw error;
  }
}

/**
 * Guesses and requests without a pause, on both tasks, until it is stopped. Tells the longest wait of a call, less what
 * the process was held up as a whole.
 */
function startLoad(): { stop(): Promise<{ calls: number; longestMillis: number }> } {
  let running = true;
  let calls = 0;
  let longestMillis = 0;
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  const timed = async (work: Promise<void>) => {
    const began = performance.now();
    await work;
    longestMillis = Math.max(longestMillis, performance.now() - began);
    calls += 1;
  };
  const workers = Array.from({ length: 16 }, async (_, worker) => {
    for (let n = 0; running; n += 1) {
      const task = tasks[worker % tasks.length]!;
      const caller = customer(`load-${worker}-${n % 500}`);
      isRefused(task, caller);
      await timed(task.checkRate(caller));
      await timed(guess(task, caller));
      await sleep(1);
    }
  });
  return {
    async stop() {
      running = false;
      await Promise.all(workers);
      delays.disable();
      // A call waits for at most two timers, each of which fires late when the whole process is held up.
      return { calls, longestMillis: longestMillis - (2 * delays.max) / 1_000_000 };
    },
  };
}

/** A look-up of the guesser's that the first task let through before the block, and that has not ended yet. */
let lateGuess: Lookup;

/** Each task has seen the guesser once and must go on refusing it, whatever becomes of Redis. */
async function blockGuesser(): Promise<Caller> {
  const guesser = customer('guesser');
  const [first, second] = [tasks[0]!, tasks[1]!];
  const begin = (task: Throttle) => task.beginLookup(guesser, address, null, 'NO-CODE');
  lateGuess = await begin(first);
  const inFlight = await Promise.all([second, first].flatMap((task) => Array.from({ length: 7 }, () => begin(task))));
  for (let n = 0; n < 15; n += 1) await guess(first, guesser);
  for (let n = 0; n < 7; n += 1) await guess(second, guesser);
  // They are 36 by now: each above thirty doubles the block of half a minute, which so outlasts any fault.
  for (const lookup of inFlight) await lookup.notFound();
  // Where a count took longer than a note waits for, it is learned a little later, or with the next failure.
  for (let n = 0; n < 8 && !(await isSoon(() => isRefused(first, guesser))); n += 1) await guess(first, guesser);
  for (let n = 0; n < 30 && !(await isSoon(() => isRefused(second, guesser))); n += 1) await guess(second, guesser);
  for (const task of tasks) expect(isRefused(task, guesser)).toBe(true);
  return guesser;
}

/** One failure is enough, unless the count needs longer than a note waits for: by itself a task would give ten. */
async function learnsOfGuesser(task: Throttle): Promise<void> {
  const isLearned = () => isRefused(task, customer('guesser'));
  for (let n = 0; n < 5 && !(n > 0 && (await isSoon(isLearned))); n += 1) await guess(task, customer('guesser'));
  expect(await isSoon(isLearned)).toBe(true);
}

/** Whether it comes to be so within two seconds. */
async function isSoon(condition: () => boolean): Promise<boolean> {
  for (let n = 0; n < 100 && !condition(); n += 1) await sleep(20);
  return condition();
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 6_000 && !condition(); n += 1) await sleep(5);
  expect(condition()).toBe(true);
}

async function underLoad(fault: () => Promise<void>): Promise<void> {
  const guesser = await blockGuesser();
  const load = startLoad();
  try {
    await sleep(300);
    await fault();
    for (const task of tasks) expect(isRefused(task, guesser)).toBe(true);
    await sleep(300);
  } finally {
    await load.stop();
  }
  const { calls, longestMillis } = await load.stop();
  expect(calls).toBeGreaterThan(16);
  expect(longestMillis).toBeLessThan(waitMaxMillis);
  for (const task of tasks) expect(isRefused(task, guesser)).toBe(true);
  for (const task of tasks) expect(isRefused(task, customer('someone-else'))).toBe(false);
}

requireOrSkip('a redis-server or valkey-server on the PATH', url !== undefined)('throttling under load', () => {
  beforeAll(async () => {
    database = await createTestDatabase('redis faults');
    const options = { max: 4, applicationName: 'redis faults test', onError: () => {} };
    pool = openPool({ connectionString: database.url }, options);
  });
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });
  beforeEach(async () => {
    lastTenant += 1;
    connections = [];
    server = (await startTestRedis({ maxMemory: '6mb' }))!;
    admin = await connect(patientTimeouts);
    tasks = [openTask(await connect()), openTask(await connect())];
  });
  afterEach(async () => {
    for (const connection of connections) await connection.close();
    await server.stop();
  });

  test('goes on without an error or a wait when Redis is killed, and a third task learns from PostgreSQL', async () => {
    await underLoad(async () => {
      await server.kill();
      await sleep(300);
      // What the tasks knew goes to PostgreSQL with the guesser's next failure.
      await lateGuess.notFound();
      await learnsOfGuesser(openTask(connections[1]!));
    });
  });

  test('goes on when Redis is flushed, which then learns from the tasks again', async () => {
    await underLoad(async () => {
      await admin.command((client) => client.flushall());
      await lateGuess.notFound();
      await learnsOfGuesser(openTask(connections[1]!, null));
    });
  });

  test('goes on when Redis is full and evicts what it likes', async () => {
    // It fills Redis on a busy machine too; whom the fault must not hold up are the tasks.
    const filling = await connect(patientTimeouts);
    await underLoad(async () => {
      const value = 'x'.repeat(10_000);
      for (let round = 0; round < 20; round += 1) {
        await filling.command((client) => {
          const pipeline = client.pipeline();
          for (let n = 0; n < 100; n += 1) pipeline.set(`fill-${round}-${n}`, value);
          return pipeline.exec();
        });
      }
      const info = await admin.command((client) => client.info('stats'));
      expect(Number(/evicted_keys:(\d+)/.exec(info)?.[1])).toBeGreaterThan(100);
    });
  });

  test('goes on in PostgreSQL when a full Redis refuses to write', async () => {
    await underLoad(async () => {
      await admin.command((client) => client.config('SET', 'maxmemory-policy', 'noeviction'));
      await admin.command((client) => client.config('SET', 'maxmemory', '1mb'));
      const count = 'select count(*)::int as n from failed_lookups where tenant_id = $1';
      const rows = async () => (await pool.query<{ n: number }>(count, [lastTenant])).rows[0]!.n;
      for (let n = 0; n < 1_500 && (await rows()) === 0; n += 1) await sleep(20);
      expect(await rows()).toBeGreaterThan(0);
    });
  });

  test('goes on when Redis stalls, and uses it again when it is back', async () => {
    const pid = Number(/process_id:(\d+)/.exec(await admin.command((client) => client.info('server')))?.[1]);
    await underLoad(async () => {
      process.kill(pid, 'SIGSTOP');
      for (const connection of connections.slice(1)) await until(() => connection.status === 'away');
      await sleep(300);
      process.kill(pid, 'SIGCONT');
      await until(() => connections[1]!.status === 'ready');
      await guess(tasks[0]!, customer('back-again'));
    });
  });

  test('goes on in memory when Redis and PostgreSQL are both gone', async () => {
    const lost = openPool(
      { connectionString: 'postgres://nobody@127.0.0.1:1/nothing' },
      { max: 2, applicationName: 'redis faults test', onError: () => {} },
    );
    tasks = [openTask(connections[1]!, lost), openTask(connections[2]!, lost)];
    await underLoad(async () => {
      await server.kill();
      await sleep(200);
    });
    await lost.end();
  });

  test('leaves no deadlock in PostgreSQL’s log', async () => {
    expect(await findDeadlocks(database.name)).toEqual([]);
  });
});
