import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type ApiAnswer, ApiClient, countKinds } from '../support/api-client.ts';
import { patientProcess } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { isLong } from '../support/long-run.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { type ApiProcess, startApiProcesses } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { startTestRedis, type TestRedis } from '../support/start-redis.ts';

const full = { maxMemory: '6mb', policy: 'allkeys-lru' };
const redis = await startTestRedis(full);
/** Each has a request under way at any moment, also at that of the fault. */
const shoppers = isLong ? 12 : 4;

requireOrSkip('a redis-server on the PATH', redis !== null)('a Redis that fails under load', () => {
  let server: TestRedis;
  let database: TestDatabase;
  let processes: ApiProcess[];
  let api: ApiClient;
  let bookId: string;

  beforeAll(async () => {
    server = redis!;
    database = await createTestDatabase('redis loss');
    // They turn nothing away because the machine is slow: so a 503, however short, is the lost Redis' doing.
    const environment = { ...patientProcess, REDIS_URL: server.url, RATE_LIMIT_PER_SECOND: '100000' };
    processes = await startApiProcesses(database.url, 2, environment);
    api = new ApiClient(processes.map(({ address }) => address));
    const book = await api.post('/v1/books', { name: 'Loss', status: 'active', maxCodesPerUser: 100_000 });
    bookId = book.body.id;
    await api.post(`/v1/books/${bookId}/codes/generate`, { count: 100_000, pattern: 'LOSS-########' });
  });
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.stop()));
    await server.stop();
    await database.drop();
  });

  /** Shops until told to stop: assign, lock, redeem, redeem again, and a guess at a code that is not there. */
  async function shop(userId: string, rounds: ApiAnswer[][], isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const assigned = await api.post('/v1/coupons/assign', { bookId, userId });
      const path = `/v1/coupons/${assigned.body.code}`;
      const locked = await api.post(`${path}/lock`, { userId });
      const redeemed = await api.post(`${path}/redeem`, { userId, lockToken: locked.body.lockToken });
      const again = await api.post(`${path}/redeem`, { userId });
      const guess = await api.post(`/v1/coupons/LOSS-GUESS${rounds.length}/redeem`, { userId: `guesser-${userId}` });
      rounds.push([assigned, locked, redeemed, again, guess]);
    }
  }

  /**
   * Shops before a fault, while it lasts and behind it.
   * @param fault is handed what waits until every shopper has begun and ended a round
   */
  async function shopWhile(fault: (shopOn: () => Promise<void>) => Promise<void>): Promise<void> {
    let isOver = false;
    const roundsOf = Array.from({ length: shoppers }, (): ApiAnswer[][] => []);
    const shopping = Promise.all(roundsOf.map((rounds, index) => shop(`shopper-${index}`, rounds, () => isOver)));
    const shopOn = async () => {
      // One may have been begun before.
      const goals = roundsOf.map((rounds) => rounds.length + 2);
      const areDone = async () => {
        while (!isOver && roundsOf.some((rounds, index) => rounds.length < goals[index]!)) await sleep(20);
      };
      await Promise.race([areDone(), shopping]);
    };
    try {
      await shopOn();
      await fault(shopOn);
      await shopOn();
    } finally {
      isOver = true;
    }
    await shopping;
    const rounds = roundsOf.flat();
    const [assigned, locked, redeemed, again, guesses] = [0, 1, 2, 3, 4].map((step) =>
      countKinds(rounds.map((round) => round[step]!)),
    );
    expect([assigned, locked, redeemed]).toEqual([{ ok: rounds.length }, { ok: rounds.length }, { ok: rounds.length }]);
    expect(again).toEqual({ 'code-already-redeemed': rounds.length });
    const { 'coupon-not-found': missed = 0, 'rate-limited': slowed = 0 } = guesses!;
    expect([guesses, missed + slowed]).toEqual([guesses, rounds.length]);
    expect(await findBrokenInvariants(database.url)).toEqual([]);
  }

  /** Waits until every process has seen that Redis gives no answer, as its metrics say. */
  async function untilAway(): Promise<void> {
    const headers = { authorization: `Bearer ${testSecrets.QURABLE_ADMIN_KEY}` };
    for (const { address } of processes) {
      const isUp = async () =>
        (await (await fetch(`${address}/metrics`, { headers })).text()).includes('qurable_redis_up 1');
      while (await isUp()) await sleep(20);
    }
  }

  /** Waits until the processes write into an empty Redis. */
  async function untilUsed(client: Redis): Promise<void> {
    while ((await client.dbsize()) === 0) await sleep(20);
  }

  test('a Redis that is flushed costs no wrong answer and no 5xx', () =>
    shopWhile(async () => {
      const client = new Redis(server.url);
      await client.flushall();
      client.disconnect();
    }));

  test('a Redis that is filled to its 6 MB and evicts costs no wrong answer and no 5xx', () =>
    shopWhile(async () => {
      const client = new Redis(server.url);
      const filler = 'x'.repeat(10_000);
      for (let from = 0; from < 1_500; from += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, index) => client.set(`filler-${from + index}`, filler)));
      }
      expect(Number(/evicted_keys:(\d+)/.exec(await client.info('stats'))![1])).toBeGreaterThan(0);
      client.disconnect();
    }));

  test('a Redis that hangs, and goes on again, costs no wrong answer and no 5xx', () =>
    shopWhile(async (shopOn) => {
      server.stall();
      try {
        await untilAway();
        await shopOn();
      } finally {
        server.goOn();
      }
      const client = new Redis(server.url);
      await client.flushall();
      await untilUsed(client);
      client.disconnect();
    }));

  test('a Redis that is killed, and an empty one that comes in its place, cost no wrong answer and no 5xx', () =>
    shopWhile(async (shopOn) => {
      const before = server;
      const { password } = new URL(before.url);
      await before.kill();
      await untilAway();
      await shopOn();
      server = (await startTestRedis({ ...full, port: before.port }))!;
      await before.stop();
      const client = new Redis(server.url);
      // It refuses the processes at first, as one that was set up with another password.
      await shopOn();
      await client.config('SET', 'requirepass', password);
      await untilUsed(client);
      client.disconnect();
    }));

  test('a Redis that is gone for good costs no wrong answer and no 5xx', () =>
    shopWhile(async () => {
      await server.kill();
      await untilAway();
    }));
});
