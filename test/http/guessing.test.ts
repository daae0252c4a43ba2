import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '../../core/index.ts';
import { throttleLimits } from '../../core/throttling/throttle-limits.ts';
import { isLong } from '../support/long-run.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { setForFile } from '../support/set-for-file.ts';
import { startTestRedis, type TestRedis } from '../support/start-redis.ts';
import { startTestApi, type TestApi, tokenOf } from './support.ts';

/** What is sent at once is sent at one moment, however long this machine takes for it. */
const start = systemClock.now();
const clock: Clock = { now: () => start, monotonic: systemClock.monotonic };
// Nor is anybody refused because a busy machine answers those before them slowly.
setForFile(throttleLimits, { waitingMaxMillis: 120_000 });

const redis: TestRedis | null = await startTestRedis();
afterAll(() => redis?.stop());

/** Ten times as many as are answered: each of them is under way before the first has failed. */
const guesses = isLong ? 2_000 : 300;

const places: [string, Record<string, string>, boolean][] = [
  ['with Redis', { REDIS_URL: redis?.url ?? '' }, redis !== null],
  ['without Redis', {}, true],
];
for (const [place, environment, isThere] of places) {
  requireOrSkip('a redis-server or valkey-server on the PATH', isThere)(`guesses sent at once, ${place}`, () => {
    let api: TestApi;
    let bookId: string;
    beforeAll(async () => {
      api = await startTestApi('guessing', environment, clock);
      const { body } = await api.call('POST', '/v1/books', { body: { name: 'Guessing', status: 'active' } });
      bookId = body.id;
      const deck = { count: 1_000, pattern: 'GUES-####-####' };
      await api.call('POST', `/v1/books/${bookId}/codes/generate`, { body: deck });
    });
    afterAll(() => api.close());

    const assign = async (userId: string) =>
      (await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId } })).body.code;
    const wrongCode = (n: number) => `GUES-ZZZZ-${String(n).padStart(4, '0')}`;
    /** How often each status came. */
    async function tally(calls: Promise<{ status: number }>[]): Promise<Record<number, number>> {
      const counts: Record<number, number> = {};
      for (const { status } of await Promise.all(calls)) counts[status] = (counts[status] ?? 0) + 1;
      return counts;
    }

    test.each([
      ['lock', 'a customer', () => tokenOf('customer', 'lock-guesser'), 'lock-guesser'],
      ['redeem', 'a shop for one user', () => tokenOf('redeemer', 'shop'), 'shop-guesser'],
      ['assign', 'an operator for one user', () => tokenOf('operator', 'desk'), 'desk-guesser'],
    ])(
      `of ${guesses} by %s of %s at most thirty are answered, and the rest are 429`,
      async (verb, _who, tokenOfCaller, userId) => {
        const as = tokenOfCaller();
        const calls = Array.from({ length: guesses }, (_, n) =>
          api.call('POST', `/v1/coupons/${wrongCode(n)}/${verb}`, { body: { userId }, as }),
        );
        expect(await tally(calls)).toEqual({ 404: 30, 429: guesses - 30 });
      },
    );

    test('of a support desk’s 100 good codes none is refused', async () => {
      const codes = await Promise.all(Array.from({ length: 100 }, () => assign('collector')));
      const as = tokenOf('redeemer', 'support');
      const calls = codes.map((code) =>
        api.call('POST', `/v1/coupons/${code}/validate`, { body: { userId: 'collector' }, as }),
      );
      expect(await tally(calls)).toEqual({ 200: 100 });
    });

    test('a customer whose own guesses block it reaches what it holds, and nothing else', async () => {
      const [own, other] = [await assign('bob'), await assign('ann')];
      const as = tokenOf('customer', 'bob');
      const redeem = (code: string) => api.call('POST', `/v1/coupons/${code}/redeem`, { body: { userId: 'bob' }, as });
      for (let n = 0; n < 30; n += 1) expect((await redeem(wrongCode(n))).status).toBe(404);
      for (const code of [wrongCode(1), other, wrongCode(2)]) {
        const { status, body, headers } = await redeem(code);
        expect([status, body.kind, headers['retry-after']]).toEqual([429, 'rate-limited', '30']);
      }
      expect((await api.call('GET', `/v1/coupons/${own}`, { as })).status).toBe(200);
      expect((await redeem(own)).status).toBe(200);
      expect((await redeem(own)).body.kind).toBe('code-already-redeemed');
      // What was found meanwhile forgives nothing.
      expect((await redeem(other)).status).toBe(429);
    });

    test('what a backend fails at for a user does not lock that user out', async () => {
      const code = await assign('carol');
      const shop = tokenOf('redeemer', 'leaked');
      for (let n = 0; n < 31; n += 1) {
        await api.call('POST', `/v1/coupons/${wrongCode(n)}/validate`, { body: { userId: 'carol' }, as: shop });
      }
      expect(
        (await api.call('POST', `/v1/coupons/${code}/validate`, { body: { userId: 'carol' }, as: shop })).status,
      ).toBe(429);
      const as = tokenOf('customer', 'carol');
      expect((await api.call('POST', `/v1/coupons/${code}/redeem`, { body: { userId: 'carol' }, as })).status).toBe(
        200,
      );
    });
  });
}
