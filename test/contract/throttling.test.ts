import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import type { Caller } from '../../core/caller.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { openPool } from '../../core/db/pool.ts';
import { CouponError } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { systemRandom } from '../../core/random.ts';
import { openRedis, type RedisConnection } from '../../core/redis/open-redis.ts';
import { addFailures, type Failures } from '../../core/throttling/failure-rules.ts';
import type { FailureMark, FailureSide } from '../../core/throttling/failure-side.ts';
import { memoryFailures } from '../../core/throttling/memory-failures.ts';
import { openThrottle, openThrottleOver, type Throttle } from '../../core/throttling/open-throttle.ts';
import { postgresFailures } from '../../core/throttling/postgres-failures.ts';
import { redisFailures } from '../../core/throttling/redis-failures.ts';
import { type FailureKind, failureBudgets } from '../../core/throttling/throttle-limits.ts';
import { isLong } from '../support/long-run.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { startTestRedis, type TestRedis } from '../support/start-redis.ts';

const minute = 60_000;
const hour = 60 * minute;
const config = { codeSecret: 'a secret for tests, thirty-two characters', rateLimitPerSecond: 0 };

// What is asked here is what Redis answers, not how fast: a busy machine may take its time.
const timeouts = { commandTimeoutMillis: 30_000, silenceMaxMillis: 60_000 };
/** So long a look-up waits for others here. */
const patientMillis = 60_000;

/** A clock that the test moves. */
class MovedClock implements Clock {
  #now = 1_790_000_000_000;
  now = () => this.#now;
  monotonic = () => this.#now;
  advance(millis: number): void {
    this.#now += millis;
  }
}

// Everything that one run of the suite writes is under tenants of its own, so no test sees another one's failures.
let lastTenant = 0;
const newTenant = () => ++lastTenant;

const customer = (tenantId: number, id: string): Caller => ({
  tenantId,
  role: 'customer',
  actor: 'customer',
  customerId: id,
});
const backend = (tenantId: number, actor = 'key:1'): Caller => ({
  tenantId,
  role: 'redeemer',
  actor,
  customerId: null,
});

/** The refusal's Retry-After in seconds, or 0 where the look-up may go ahead. */
function refusedFor(throttle: Throttle, caller: Caller, address: string, userId: string | null = null): number {
  try {
    const lookup = throttle.beginLookup(caller, address, userId, 'SOME-CODE');
    if (lookup instanceof Promise) throw new Error('the look-up waits for others');
    lookup.unknown();
    return lookup.onlyIfHeld === null ? 0 : secondsOf(lookup.onlyIfHeld);
  } catch (error) {
    return secondsOf(error);
  }
}

function secondsOf(error: unknown): number {
  if (!(error instanceof CouponError)) throw error;
  expect(error.kind).toBe('rate-limited');
  expect(error.refusal.retryAfterSeconds).toBeGreaterThanOrEqual(1);
  expect(error.refusal.retryAfterSeconds).toBeLessThanOrEqual(3_600);
  return error.refusal.retryAfterSeconds!;
}

/** A look-up that finds nothing. False where it was refused. */
async function guess(throttle: Throttle, caller: Caller, address: string, userId: string | null = null) {
  const lookup = await begin(throttle, caller, address, userId, 'NO-CODE');
  if (lookup === null) return false;
  await lookup.notFound();
  return true;
}

/** A look-up that finds its code. False where it was refused. */
async function find(throttle: Throttle, caller: Caller, address: string, userId: string | null, code: string) {
  const lookup = await begin(throttle, caller, address, userId, code);
  if (lookup === null) return false;
  await sleep(0);
  lookup.found();
  return true;
}

async function begin(throttle: Throttle, caller: Caller, address: string, userId: string | null, code: string) {
  try {
    const lookup = await throttle.beginLookup(caller, address, userId, code);
    if (lookup.onlyIfHeld === null) return lookup;
    lookup.unknown();
    return null;
  } catch (error) {
    secondsOf(error);
    return null;
  }
}

const countTrue = (answers: readonly unknown[]) => answers.filter((answer) => answer === true).length;

/** Calls of sides that are under way. A busy machine may need longer than a note waits for. */
let counting = 0;
const watched = (side: FailureSide): FailureSide => ({
  name: side.name,
  async record(marks, now) {
    counting += 1;
    try {
      return await side.record(marks, now);
    } finally {
      counting -= 1;
    }
  },
});

/** Resolves when everything that was noted has been counted and learned. */
async function settle<T>(notes: Promise<T>[]): Promise<T[]> {
  const results = await Promise.all(notes);
  do await sleep(0);
  while (counting > 0);
  return results;
}

async function fail(throttle: Throttle, times: number, caller: Caller, address: string, userId: string | null = null) {
  for (let n = 0; n < times; n += 1) expect(await settle([guess(throttle, caller, address, userId)])).toEqual([true]);
}

const redis: TestRedis | null = await startTestRedis();
let connection: RedisConnection | null = null;
let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase('throttling');
  const address = { connectionString: database.url };
  pool = openPool(address, { max: 4, applicationName: 'throttling test', onError: () => {} });
  if (redis === null) return;
  connection = openRedis({ url: redis.url, tls: false }, silentLog, systemRandom, timeouts)!;
  while (connection.status !== 'ready') await sleep(5);
});

afterAll(async () => {
  await connection?.close();
  await redis?.stop();
  await pool?.end();
  await database?.drop();
});

const sides: [FailureSide['name'], () => FailureSide, typeof describe | typeof describe.skip][] = [
  [
    'redis',
    () => redisFailures(connection!),
    requireOrSkip('a redis-server or valkey-server on the PATH', redis !== null),
  ],
  ['postgres', () => postgresFailures(pool), describe],
  ['memory', memoryFailures, describe],
];

for (const [name, makeSide, describeSide] of sides) {
  describeSide(`failed look-ups, counted in ${name}`, () => {
    const kinds = Object.keys(failureBudgets) as FailureKind[];
    const hashOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
    const mark = (tenantId: number, changes: Partial<FailureMark> = {}): FailureMark => {
      return { tenantId, keyHash: hashOf(1), kind: 'user', count: 1, known: null, ...changes };
    };

    /** Tasks that count in one place: each has a side of its own where the place is outside the process. */
    function openTasks(count: number, clock: Clock, waitingMaxMillis = patientMillis): Throttle[] {
      const shared = makeSide();
      const parts = { redis: null, clock, log: silentLog, config, waitingMaxMillis };
      return Array.from({ length: count }, () =>
        openThrottleOver([watched(name === 'memory' ? shared : makeSide())], parts),
      );
    }

    test('are the same as the pure rule computes, over all kinds, counts and times', async () => {
      const side = makeSide();
      const tenantId = newTenant();
      const expected = new Map<FailureKind, Failures>();
      let now = 1_790_000_000_000;
      for (let step = 0; step < 60; step += 1) {
        now += (step * 7_919) % 400_000;
        const marks = kinds.map((kind, index) => {
          return mark(tenantId, { kind, keyHash: hashOf(index), count: 1 + ((step * 31 + index * 7) % 40) });
        });
        const answers = await side.record(marks, now);
        for (const [index, { kind, count }] of marks.entries()) {
          expected.set(kind, addFailures(expected.get(kind) ?? null, count, failureBudgets[kind], now));
          expect(answers[index]).toEqual(expected.get(kind));
        }
      }
    });

    test('add up exactly when many tasks count at the same time', async () => {
      const side = makeSide();
      const tenantId = newTenant();
      // Later than every other test: a clean-up of theirs, still under way, then finds nothing here to remove.
      const now = 1_990_000_000_000;
      const rounds = Array.from({ length: 60 }, () =>
        side.record([mark(tenantId, { kind: 'token', keyHash: hashOf(2) }), mark(tenantId, { kind: 'token' })], now),
      );
      await Promise.all(rounds);
      const [after] = await side.record([mark(tenantId, { kind: 'token' })], now);
      expect(after!.emptyAt - now).toBe(61 * failureBudgets.token.leakMillis);
    });

    test('are kept apart by tenant and by key, and answered in the order of the marks', async () => {
      const side = makeSide();
      const [a, b] = [newTenant(), newTenant()];
      const now = 1_790_000_000_000;
      const marks = [mark(b, { count: 3 }), mark(a, { keyHash: hashOf(9), count: 2 }), mark(a)];
      const levels = (await side.record(marks, now)).map((f) => (f.emptyAt - now) / failureBudgets.user.leakMillis);
      expect(levels).toEqual([3, 2, 1]);
    });

    test('go on from what a task knows where they were lost, and never count back', async () => {
      const side = makeSide();
      const tenantId = newTenant();
      const now = 1_790_000_000_000;
      const known = { emptyAt: now + 8 * failureBudgets.user.leakMillis, lastAt: now - 1 };
      const [first] = await side.record([mark(tenantId, { known })], now);
      const [second] = await side.record([mark(tenantId)], now);
      expect([first, second].map((f) => (f!.emptyAt - now) / failureBudgets.user.leakMillis)).toEqual([9, 10]);
    });

    test('do not slow a user who only ever succeeds, or mistypes now and then', async () => {
      const clock = new MovedClock();
      const [throttle] = openTasks(1, clock);
      const caller = customer(newTenant(), 'u-1');
      for (let n = 0; n < 200; n += 1) {
        expect(refusedFor(throttle!, caller, '203.0.113.1')).toBe(0);
        if (n % 4 === 0) await fail(throttle!, 1, caller, '203.0.113.1');
        clock.advance(5 * minute);
      }
    });

    test('refuse a user after thirty failures, longer after each further one, and let it through in between', async () => {
      const clock = new MovedClock();
      const [throttle] = openTasks(1, clock);
      const caller = customer(newTenant(), 'u-1');
      await fail(throttle!, 29, caller, '203.0.113.1');
      expect(refusedFor(throttle!, caller, '203.0.113.1')).toBe(0);
      const waits: number[] = [];
      for (let n = 0; n < 5; n += 1) {
        await fail(throttle!, 1, caller, '203.0.113.1');
        waits.push(refusedFor(throttle!, caller, '203.0.113.1'));
        clock.advance(waits.at(-1)! * 1000 - 1);
        expect(refusedFor(throttle!, caller, '203.0.113.1')).toBe(1);
        clock.advance(1);
        expect(refusedFor(throttle!, caller, '203.0.113.1')).toBe(0);
      }
      expect(waits).toEqual([30, 60, 120, 240, 480]);
    });

    test('give a guesser who never stops fewer than 220 guesses a day', async () => {
      const clock = new MovedClock();
      const [throttle] = openTasks(1, clock);
      const caller = customer(newTenant(), 'u-1');
      const end = clock.now() + 24 * hour;
      let guesses = 0;
      while (clock.now() < end) {
        const wait = refusedFor(throttle!, caller, '203.0.113.1');
        if (wait === 0) {
          guesses += 1;
          await fail(throttle!, 1, caller, '203.0.113.1');
        }
        clock.advance(wait * 1000 + 50);
      }
      expect(guesses).toBeGreaterThan(100);
      expect(guesses).toBeLessThan(220);
    });

    test('never block for more than an hour, however many failures were in flight in however many tasks', async () => {
      const clock = new MovedClock();
      const tasks = openTasks(10, clock);
      const caller = customer(newTenant(), 'u-1');
      await settle(tasks.flatMap((task) => Array.from({ length: 60 }, () => guess(task, caller, '203.0.113.1'))));
      const waits = tasks.map((task) => refusedFor(task, caller, '203.0.113.1'));
      expect(Math.max(...waits)).toBe(3_600);
      expect(Math.min(...waits)).toBeGreaterThan(0);
      clock.advance(hour);
      for (const task of tasks) expect(refusedFor(task, caller, '203.0.113.1')).toBe(0);
      clock.advance(2 * hour);
      await fail(tasks[0]!, 9, caller, '203.0.113.1');
      expect(refusedFor(tasks[0]!, caller, '203.0.113.1')).toBe(0);
    });

    const guessers: [string, (tenantId: number) => Caller, string | null, number][] = [
      ['a customer', (tenantId) => customer(tenantId, 'u-1'), null, 30],
      ['a user of a shop’s backend', (tenantId) => backend(tenantId), 'u-1', 30],
      ['a backend that asks for nobody in particular', (tenantId) => backend(tenantId), null, 300],
    ];
    test.each(guessers)(
      'of many guesses at once by %s as many are answered as one after the other, also when a block ends',
      async (_who, callerOf, userId, most) => {
        const clock = new MovedClock();
        const [throttle] = openTasks(1, clock);
        const caller = callerOf(newTenant());
        const burst = async (size: number) =>
          countTrue(await settle(Array.from({ length: size }, () => guess(throttle!, caller, '203.0.113.1', userId))));
        expect(await burst(most + 200)).toBe(most);
        for (let round = 0; round < 3; round += 1) {
          const wait = refusedFor(throttle!, caller, '203.0.113.1', userId);
          expect(wait).toBeGreaterThan(0);
          clock.advance(wait * 1_000);
          expect(await burst(50)).toBe(1);
        }
      },
    );

    test('of guesses at once in four tasks thirty are answered in each, and what has leaked when the block ends', async () => {
      const clock = new MovedClock();
      const tasks = openTasks(4, clock);
      const caller = customer(newTenant(), 'u-1');
      const burst = async () =>
        countTrue(
          await settle(tasks.flatMap((task) => Array.from({ length: 100 }, () => guess(task, caller, '203.0.113.1')))),
        );
      const first = await burst();
      expect(first).toBeGreaterThanOrEqual(30);
      expect(first).toBeLessThanOrEqual(4 * 30);
      clock.advance(hour);
      // Six have leaked meanwhile, for a task whose last guess was before those of the others.
      expect(await burst()).toBeLessThanOrEqual(4 * 7);
    });

    test('never refuse whoever asks for codes that exist, however many at once: thirty at a time for one user', async () => {
      const [throttle] = openTasks(1, new MovedClock());
      const shop = backend(newTenant());
      let underWay = 0;
      let most = 0;
      const validate = async (n: number) => {
        const lookup = (await begin(throttle!, shop, '10.0.0.1', 'u-1', `CODE-${n}`))!;
        underWay += 1;
        most = Math.max(most, underWay);
        await sleep(0);
        underWay -= 1;
        lookup.found();
        return n;
      };
      const order = await Promise.all(Array.from({ length: 600 }, (_, n) => validate(n)));
      expect(order).toHaveLength(600);
      expect(most).toBe(30);
    });

    test('let a mistyped code among many good ones pass, and go on with the others', async () => {
      const [throttle] = openTasks(1, new MovedClock());
      const shop = backend(newTenant());
      const looks = Array.from({ length: 400 }, (_, n) =>
        n % 20 === 0
          ? guess(throttle!, shop, '10.0.0.1', 'u-1')
          : find(throttle!, shop, '10.0.0.1', 'u-1', `CODE-${n}`),
      );
      expect(countTrue(await settle(looks))).toBe(400);
    });

    test('give all of their places back, whatever the look-ups come to', async () => {
      const [throttle] = openTasks(1, new MovedClock());
      const caller = customer(newTenant(), 'u-1');
      for (let n = 0; n < 200; n += 1) {
        const lookup = await throttle!.beginLookup(caller, '203.0.113.1', null, `CODE-${n}`);
        if (n % 2 === 0) lookup.found();
        else lookup.unknown();
      }
      await fail(throttle!, 3, caller, '203.0.113.1');
      expect(refusedFor(throttle!, caller, '203.0.113.1')).toBe(0);
    });

    test('say that it is too much at once where those in flight do not end', async () => {
      const [throttle] = openTasks(1, new MovedClock(), 100);
      const caller = customer(newTenant(), 'u-1');
      const held = await Promise.all(
        Array.from({ length: 30 }, () => begin(throttle!, caller, '203.0.113.1', null, 'X')),
      );
      const late = throttle!.beginLookup(caller, '203.0.113.1', null, 'X');
      await expect(late).rejects.toMatchObject({ kind: 'rate-limited', refusal: { retryAfterSeconds: 1 } });
      for (const lookup of held) lookup!.found();
      expect(refusedFor(throttle!, caller, '203.0.113.1')).toBe(0);
    });

    test('leave a blocked customer one look-up at a time, for what it holds and without a count', async () => {
      const [throttle] = openTasks(1, new MovedClock());
      const caller = customer(newTenant(), 'u-1');
      await fail(throttle!, 30, caller, '203.0.113.1');
      for (let n = 0; n < 40; n += 1) {
        const lookup = await throttle!.beginLookup(caller, '203.0.113.1', null, 'X');
        expect(secondsOf(lookup.onlyIfHeld)).toBe(30);
        expect(() => throttle!.beginLookup(caller, '203.0.113.1', null, 'Y')).toThrow('Too many codes');
        await lookup.notFound();
      }
      expect(refusedFor(throttle!, caller, '203.0.113.1')).toBe(30);
    });

    test('never refuse a user without failures for what others do behind its address', async () => {
      const clock = new MovedClock();
      const [throttle] = openTasks(1, clock);
      const tenantId = newTenant();
      const guesses = Array.from({ length: 1_500 }, (_, n) =>
        guess(throttle!, customer(tenantId, `guesser-${n % 150}`), '203.0.113.1'),
      );
      await settle(guesses);
      expect(refusedFor(throttle!, customer(tenantId, 'guesser-7'), '203.0.113.1')).toBeGreaterThan(0);
      expect(refusedFor(throttle!, customer(tenantId, 'u-1'), '203.0.113.1')).toBe(0);
    });

    test('leave three tries to a user behind an address where others guess, and ten elsewhere', async () => {
      const clock = new MovedClock();
      const [throttle] = openTasks(1, clock);
      const tenantId = newTenant();
      const caller = customer(tenantId, 'u-1');
      for (let n = 0; n < 60; n += 1) await fail(throttle!, 1, customer(tenantId, `guesser-${n}`), '203.0.113.1');
      await fail(throttle!, 2, caller, '203.0.113.1');
      expect(refusedFor(throttle!, caller, '203.0.113.1')).toBe(0);
      await fail(throttle!, 1, caller, '203.0.113.1');
      expect(refusedFor(throttle!, caller, '203.0.113.1')).toBe(600);
      expect(refusedFor(throttle!, caller, '198.51.100.9')).toBe(0);
      clock.advance(10 * minute);
      expect(refusedFor(throttle!, caller, '203.0.113.1')).toBe(0);
    });

    test('refuse the guessing user of a shop’s token and none of its other users', async () => {
      const clock = new MovedClock();
      const [throttle] = openTasks(1, clock);
      const shop = backend(newTenant());
      await fail(throttle!, 30, shop, '10.0.0.1', 'guesser');
      expect(refusedFor(throttle!, shop, '10.0.0.1', 'guesser')).toBe(30);
      expect(refusedFor(throttle!, shop, '10.0.0.1', 'u-1')).toBe(0);
      expect(refusedFor(throttle!, shop, '10.0.0.1', null)).toBe(0);
    });

    test('which a backend makes for a user do not lock that user out, nor the other way round', async () => {
      const [throttle] = openTasks(1, new MovedClock());
      const shop = backend(newTenant());
      await fail(throttle!, 30, shop, '10.0.0.1', 'bob');
      expect(refusedFor(throttle!, shop, '10.0.0.1', 'bob')).toBe(30);
      expect(refusedFor(throttle!, customer(shop.tenantId, 'bob'), '203.0.113.1')).toBe(0);
      await fail(throttle!, 30, customer(shop.tenantId, 'ann'), '203.0.113.1');
      expect(refusedFor(throttle!, customer(shop.tenantId, 'ann'), '203.0.113.1')).toBe(30);
      expect(refusedFor(throttle!, shop, '10.0.0.1', 'ann')).toBe(0);
    });

    // What it finds makes up for what it does not, and this a process knows of itself, whatever side counts.
    if (isLong || name === 'memory')
      test('keep serving a large shop of which a third of the look-ups fail', async () => {
        const clock = new MovedClock();
        const [throttle] = openTasks(1, clock);
        const shop = backend(newTenant());
        for (let second = 0; second < 60; second += 1) {
          const looks = Array.from({ length: 150 }, (_, n) => {
            const userId = `u-${second}-${n}`;
            return n % 3 === 0
              ? guess(throttle!, shop, '10.0.0.1', userId)
              : find(throttle!, shop, '10.0.0.1', userId, `CODE-${second}-${n}`);
          });
          expect(countTrue(await settle(looks))).toBe(150);
          clock.advance(1_000);
        }
      });

    test('hold a leaked token that tries made-up users to one guess a second in the long run', async () => {
      const clock = new MovedClock();
      const [throttle] = openTasks(1, clock);
      const shop = backend(newTenant());
      const guessAll = async (size: number, from: number) =>
        countTrue(
          await settle(
            Array.from({ length: size }, (_, n) => guess(throttle!, shop, '10.0.0.1', `made-up-${from + n}`)),
          ),
        );
      expect(await guessAll(2_000, 0)).toBe(1_800);
      let guesses = 0;
      for (let round = 1; round <= 3; round += 1) {
        clock.advance(30_000);
        guesses += await guessAll(100, round * 10_000);
      }
      expect(guesses).toBeLessThanOrEqual(3 * 31);
      expect(guesses).toBeGreaterThanOrEqual(3 * 29);
    });

    const covers: [string, number, (n: number) => { userId: string | null; code: string }][] = [
      ['one code that it knows', 2, () => ({ userId: 'somebody', code: 'KNOWN-1' })],
      ['that code for users whom it makes up', 2, (n) => ({ userId: `cover-${n}`, code: 'KNOWN-1' })],
      ['a hundred codes that it knows', 3, (n) => ({ userId: `cover-${n}`, code: `KNOWN-${n % 100}` })],
      [
        'spellings of one code',
        2,
        (n) => ({ userId: `cover-${n}`, code: [`KNOWN${'\u200b'.repeat(n % 50)}-1`, 'known–l', 'KN0WN-I'][n % 3]! }),
      ],
      ['many codes of one user', 2, (n) => ({ userId: 'somebody', code: `KNOWN-${n}` })],
      ['that code for nobody in particular', 2, () => ({ userId: null, code: 'KNOWN-1' })],
    ];
    // What tells covers apart is the process's own, whatever side counts.
    test.each(name === 'memory' ? covers : covers.slice(0, 1))(
      'hold a leaked token that hides its guesses behind %s',
      async (_what, coversAGuess, coverOf) => {
        const [throttle] = openTasks(1, new MovedClock());
        const shop = backend(newTenant());
        let guesses = 0;
        for (let n = 0; n < 2_100; n += 25) {
          const looks = Array.from({ length: 25 }, (_, m) => guess(throttle!, shop, '10.0.0.1', `made-up-${n + m}`));
          const found = Array.from({ length: 25 * coversAGuess }, (_, m) => {
            const { userId, code } = coverOf(n * coversAGuess + m);
            return find(throttle!, shop, '10.0.0.1', userId, code);
          });
          guesses += countTrue(await settle(looks));
          await settle(found);
        }
        expect(guesses).toBeGreaterThanOrEqual(1_800);
        expect(guesses).toBeLessThanOrEqual(1_830);
      },
    );

    test('give look-ups for nobody in particular a budget of 300, then one a second', async () => {
      const clock = new MovedClock();
      const [throttle] = openTasks(1, clock);
      const desk = backend(newTenant(), 'key:support');
      await fail(throttle!, 299, desk, '10.0.0.1');
      expect(refusedFor(throttle!, desk, '10.0.0.1')).toBe(0);
      await fail(throttle!, 1, desk, '10.0.0.1');
      expect(refusedFor(throttle!, desk, '10.0.0.1')).toBe(1);
      expect(refusedFor(throttle!, backend(desk.tenantId, 'key:other'), '10.0.0.1')).toBe(0);
      clock.advance(1_000);
      expect(refusedFor(throttle!, desk, '10.0.0.1')).toBe(0);
    });

    test('do not reach another tenant’s user, token or address of the same name', async () => {
      const [throttle] = openTasks(1, new MovedClock());
      const [here, there] = [newTenant(), newTenant()];
      await fail(throttle!, 30, customer(here, 'u-1'), '203.0.113.1');
      expect(refusedFor(throttle!, customer(here, 'u-1'), '203.0.113.1')).toBeGreaterThan(0);
      expect(refusedFor(throttle!, customer(there, 'u-1'), '203.0.113.1')).toBe(0);
    });

    test('are one count over all tasks: each further task gives a guesser one guess', async () => {
      const clock = new MovedClock();
      const tasks = openTasks(4, clock);
      const caller = customer(newTenant(), 'u-1');
      await fail(tasks[0]!, 29, caller, '203.0.113.1');
      for (const task of tasks.slice(1)) {
        expect(refusedFor(task, caller, '203.0.113.1')).toBe(0);
        await fail(task, 1, caller, '203.0.113.1');
        expect(refusedFor(task, caller, '203.0.113.1')).toBeGreaterThan(0);
      }
      // 32 failures by now: the last block is twice doubled.
      expect(refusedFor(tasks[3]!, caller, '203.0.113.1')).toBe(120);
    });

    test('of two tasks that fail at the same time add up on both at the next failure', async () => {
      const tasks = openTasks(2, new MovedClock());
      const caller = customer(newTenant(), 'u-1');
      await settle(tasks.flatMap((task) => Array.from({ length: 14 }, () => guess(task, caller, '203.0.113.1'))));
      for (const task of tasks) expect(refusedFor(task, caller, '203.0.113.1')).toBe(0);
      await fail(tasks[0]!, 1, caller, '203.0.113.1');
      await fail(tasks[1]!, 1, caller, '203.0.113.1');
      expect(refusedFor(tasks[1]!, caller, '203.0.113.1')).toBe(30);
    });
  });
}

describe('failed look-ups in PostgreSQL', () => {
  test('leave no row behind once they are forgotten', async () => {
    // What is removed at a time has a bound.
    await pool.query('delete from failed_lookups');
    const side = postgresFailures(pool);
    const tenantId = newTenant();
    const mark = {
      tenantId,
      keyHash: '00000000-0000-4000-8000-000000000001',
      kind: 'user',
      count: 1,
      known: null,
    } as const;
    await side.record([mark], 1_790_000_000_000);
    const later = { ...mark, keyHash: '00000000-0000-4000-8000-000000000002' };
    await side.record([later], 1_790_000_000_000 + 24 * hour);
    const rowsOf = async () =>
      (await pool.query('select key_hash from failed_lookups where tenant_id = $1', [tenantId])).rows;
    for (let n = 0; n < 3_000 && (await rowsOf()).length > 1; n += 1) await sleep(10);
    expect(await rowsOf()).toEqual([{ key_hash: later.keyHash }]);
  });
});

describe('what throttling writes', () => {
  async function untilThereAre<T>(count: number, look: () => Promise<T[]>): Promise<T[]> {
    let seen = await look();
    for (let n = 0; n < 3_000 && seen.length < count; n += 1) {
      await sleep(10);
      seen = await look();
    }
    expect(seen).toHaveLength(count);
    return seen;
  }

  test('names no user, token or address in clear, in Redis or in PostgreSQL', async () => {
    const tenantId = newTenant();
    const caller = customer(tenantId, 'someone@example.com');
    await fail(
      openThrottle({ redis: null, pool, clock: systemClock, log: silentLog, config }),
      1,
      caller,
      '203.0.113.77',
    );
    // The note is waited for shortly only; what it writes is there soon.
    const rows = await untilThereAre(
      2,
      async () => (await pool.query('select f::text from failed_lookups f where tenant_id = $1', [tenantId])).rows,
    );
    expect(JSON.stringify(rows)).not.toMatch(/someone|example|203\.0\.113/);
    if (connection === null) return;
    await fail(
      openThrottle({ redis: connection, pool: null, clock: systemClock, log: silentLog, config }),
      1,
      caller,
      '203.0.113.77',
    );
    const { command } = connection;
    const keys = await untilThereAre(2, () => command((client) => client.keys(`*:${tenantId}:*`)));
    expect(keys.join(' ')).not.toMatch(/someone|example|203\.0\.113/);
    const lifetimes = await connection.command((client) => Promise.all(keys.map((key) => client.pttl(key))));
    expect(Math.min(...lifetimes)).toBeGreaterThan(0);
  });
});

describe('the pace of requests', () => {
  const withLimit = (rateLimitPerSecond: number, redisSide: RedisConnection | null, clock: Clock = systemClock) =>
    openThrottle({ redis: redisSide, pool: null, clock, log: silentLog, config: { ...config, rateLimitPerSecond } });

  /** How many of `count` requests at once pass, and the longest wait that the others were told. */
  async function request(tasks: readonly Throttle[], caller: Caller, count: number) {
    const attempts = Array.from({ length: count }, (_, n) => tasks[n % tasks.length]!.checkRate(caller));
    const results = await Promise.allSettled(attempts);
    const refused = results.filter((result) => result.status === 'rejected').map((result): unknown => result.reason);
    for (const reason of refused) expect(reason).toMatchObject({ kind: 'rate-limited' });
    return { passed: count - refused.length, refused: refused as CouponError[] };
  }

  /** Some thirty times what a call takes on an idle machine; one that asks somebody takes longer. */
  const mostMicroseconds = 50;

  /** The processor's time for one call, awaited: the best of ten rounds, so that a busy machine does not count. */
  async function microsecondsOf(call: () => Promise<void> | void): Promise<number> {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10; round += 1) {
      const began = process.cpuUsage();
      for (let n = 0; n < 2_000; n += 1) await call();
      best = Math.min(best, process.cpuUsage(began).user / 2_000);
    }
    return best;
  }

  test('costs next to nothing a request where there is no limit', async () => {
    const throttle = withLimit(0, null);
    const caller = backend(newTenant());
    expect(await microsecondsOf(() => throttle.checkRate(caller))).toBeLessThan(mostMicroseconds);
  });

  test('costs a look-up next to nothing, whoever else has failed', async () => {
    const throttle = openThrottleOver([memoryFailures()], { redis: null, clock: systemClock, log: silentLog, config });
    const tenantId = newTenant();
    for (let n = 0; n < 300; n += 1) await fail(throttle, 1, customer(tenantId, `u-${n}`), '203.0.113.1');
    const caller = customer(tenantId, 'someone-else');
    const look = () => {
      const lookup = throttle.beginLookup(caller, '203.0.113.1', null, 'SOME-CODE');
      if (lookup instanceof Promise) throw new Error('the look-up waits for others');
      lookup.found();
    };
    expect(await microsecondsOf(look)).toBeLessThan(mostMicroseconds);
  });

  test('ends for a token at ten failures a second, whatever it finds beside them', async () => {
    const clock = new MovedClock();
    const parts = { redis: null, clock, log: silentLog, config, waitingMaxMillis: patientMillis };
    const throttle = openThrottleOver([memoryFailures()], parts);
    const shop = backend(newTenant());
    // No answer waits for a timer, so that all of a second is done when its clock goes on, however slow the machine is.
    const findAtOnce = async (userId: string, code: string) => {
      (await begin(throttle, shop, '10.0.0.1', userId, code))?.found();
    };
    let guesses = 0;
    // 250 guesses a second, each beside two codes and users of their own.
    for (let second = 0; second < 160; second += 1) {
      const answers = Array.from({ length: 250 }, async (_, n) => {
        for (const one of [2 * n, 2 * n + 1]) await findAtOnce(`u-${second}-${one}`, `CODE-${second}-${one}`);
        return guess(throttle, shop, '10.0.0.1', `made-up-${second}-${n}`);
      });
      guesses += countTrue(await Promise.all(answers));
      clock.advance(1_000);
    }
    expect(guesses).toBeGreaterThanOrEqual(36_000);
    expect(guesses).toBeLessThanOrEqual(36_000 + 160 * 10);
  });

  test('without Redis is the limit for each token in each task, even and without a gap', async () => {
    const clock = new MovedClock();
    const throttle = withLimit(3, null, clock);
    const caller = backend(newTenant());
    const first = await request([throttle], caller, 10);
    expect(first.passed).toBe(3);
    expect(first.refused[0]!.refusal.retryAfterSeconds).toBe(1);
    expect((await request([throttle], backend(caller.tenantId, 'key:2'), 10)).passed).toBe(3);
    clock.advance(334);
    expect((await request([throttle], caller, 10)).passed).toBe(1);
    clock.advance(10_000);
    expect((await request([throttle], caller, 10)).passed).toBe(3);
  });

  requireOrSkip('a redis-server or valkey-server on the PATH', redis !== null)('with Redis', () => {
    test('is the limit over all tasks together, whatever their number', async () => {
      for (const limit of [5, 40]) {
        const tasks = [1, 2, 3].map(() => withLimit(limit, connection));
        const caller = backend(newTenant());
        const began = performance.now();
        const { passed, refused } = await request(tasks, caller, limit * 4);
        const refilled = ((performance.now() - began) / 1000) * limit;
        // Each task may hold back a twentieth of a second's requests that it did not need.
        expect(passed).toBeGreaterThanOrEqual(limit - 3 * Math.floor(limit / 20));
        expect(passed).toBeLessThanOrEqual(limit + Math.ceil(refilled));
        // On a machine that stalls, all of them may have been granted meanwhile.
        for (const { refusal } of refused) expect(refusal.retryAfterSeconds).toBe(1);
        await sleep(1_050);
        expect((await request(tasks, caller, 3)).passed).toBe(3);
      }
    });

    test('lets a token that keeps to its limit through at every request', async () => {
      const tasks = [withLimit(100, connection), withLimit(100, connection)];
      const caller = customer(newTenant(), 'u-1');
      for (let n = 0; n < 100; n += 1) {
        expect((await request(tasks, caller, 1)).passed).toBe(1);
        await sleep(12);
      }
    });
  });
});
