import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type ApiAnswer, ApiClient, countKinds } from '../support/api-client.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { type ApiProcess, startApiProcesses } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { startTestRedis, type TestRedis } from '../support/start-redis.ts';

const redis = await startTestRedis({ maxMemory: '6mb', policy: 'allkeys-lru' });
const shoppers = 12;

requireOrSkip('a redis-server on the PATH', redis !== null)('a Redis that fails under load', () => {
  let server: TestRedis;
  let database: TestDatabase;
  let processes: ApiProcess[];
  let api: ApiClient;
  let bookId: string;

  beforeAll(async () => {
    server = redis!;
    database = await createTestDatabase('redis loss');
    const environment = { REDIS_URL: server.url, RATE_LIMIT_PER_SECOND: '100000' };
    processes = await startApiProcesses(database.url, 2, environment);
    // What a busy machine turns away is repeated; with Redis killed for good, nothing that needs it ever succeeds.
    api = new ApiClient(
      processes.map(({ address }) => address),
      true,
    );
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
  async function shop(userId: string, isOver: () => boolean): Promise<ApiAnswer[][]> {
    const rounds: ApiAnswer[][] = [];
    while (!isOver()) {
      const assigned = await api.post('/v1/coupons/assign', { bookId, userId });
      const path = `/v1/coupons/${assigned.body.code}`;
      const locked = await api.post(`${path}/lock`, { userId });
      const redeemed = await api.post(`${path}/redeem`, { userId, lockToken: locked.body.lockToken });
      const again = await api.post(`${path}/redeem`, { userId });
      const guess = await api.post(`/v1/coupons/LOSS-GUESS${rounds.length}/redeem`, { userId: `guesser-${userId}` });
      rounds.push([assigned, locked, redeemed, again, guess]);
    }
    return rounds;
  }

  async function shopWhile(fault: () => Promise<void>): Promise<void> {
    let over = false;
    const shopping = Promise.all(Array.from({ length: shoppers }, (_, index) => shop(`shopper-${index}`, () => over)));
    try {
      await sleep(400);
      await fault();
      await sleep(800);
    } finally {
      over = true;
    }
    const rounds = (await shopping).flat();
    // How many more than one each there are is the machine’s business.
    expect(rounds.length).toBeGreaterThanOrEqual(shoppers);
    const [assigned, locked, redeemed, again, guesses] = [0, 1, 2, 3, 4].map((step) =>
      countKinds(rounds.map((round) => round[step]!)),
    );
    expect([assigned, locked, redeemed]).toEqual([{ ok: rounds.length }, { ok: rounds.length }, { ok: rounds.length }]);
    expect(again).toEqual({ 'code-already-redeemed': rounds.length });
    const { 'coupon-not-found': missed = 0, 'rate-limited': slowed = 0 } = guesses!;
    expect(missed + slowed).toBe(rounds.length);
    expect(await findBrokenInvariants(database.url)).toEqual([]);
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

  test('a Redis that is killed costs no wrong answer and no 5xx', () => shopWhile(() => server.kill()));
});
