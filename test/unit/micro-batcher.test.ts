import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type BatcherOptions, heldUp, type MicroBatcher, openMicroBatcher } from '../../core/batching/micro-batcher.ts';
import type { Clock } from '../../core/clock.ts';
import { CouponError, refuse } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { databaseError } from '../support/database-error.ts';

interface Run {
  tenantId: number;
  commands: string[];
  /** Ends the run with one answer a command: the command in upper case unless told. */
  finish(answers?: (string | CouponError)[]): void;
  fail(error: unknown): void;
}

interface Bench {
  batcher: MicroBatcher<string, string>;
  /** The lanes of commands; of any other it is 'lane'. */
  lanes: Map<string, number | string>;
  runs: Run[];
  time: { millis: number };
}

/** A batcher whose transactions end when the test says so, on a clock that the test moves. */
function openBench(options: Partial<BatcherOptions<string, string>> = {}): Bench {
  const runs: Run[] = [];
  const lanes = new Map<string, number | string>();
  const time = { millis: 1000 };
  const clock: Clock = { now: () => time.millis, monotonic: () => time.millis };
  const batcher = openMicroBatcher<string, string>({
    name: 'test',
    clock,
    log: silentLog,
    laneOf: (command) => lanes.get(command) ?? 'lane',
    maxMembers: 4,
    maxInFlight: 1,
    slowMillis: 100,
    maxSlow: 0,
    worthwhileMembers: 1,
    gatherMillis: 0,
    maxWaiting: 100,
    maxWaitMillis: 5000,
    shedAgeMillis: 2000,
    heldUpEveryMillis: 5,
    heldUpMaxMillis: 1000,
    heldUpMaxOfTenant: 10,
    heldUpMaxOfAll: 15,
    isFree: async (_tenantId, commands) => commands.map(() => false),
    run: (tenantId, commands) =>
      new Promise((resolve, reject) => {
        const finish = (answers: (string | CouponError)[] = commands.map((command) => command.toUpperCase())) =>
          resolve(answers);
        runs.push({ tenantId, commands, finish, fail: reject });
      }),
    ...options,
  });
  return { batcher, lanes, runs, time };
}

/** Lets the batcher do all that it can do by itself. */
async function settleAll(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Pushes commands of one lane and returns what becomes of each. */
function pushAll(bench: Bench, commands: string[], lane: number | string = 'lane', tenantId = 1): Promise<string>[] {
  return commands.map((command) => {
    bench.lanes.set(command, lane);
    return outcomeOf(bench.batcher.push(tenantId, command));
  });
}

function outcomeOf(answer: Promise<string>): Promise<string> {
  return answer.catch((error: unknown) => {
    if (error instanceof CouponError) return `refused: ${error.kind}`;
    throw error;
  });
}

describe('a batch', () => {
  test('a command to an idle batcher runs at once and alone, without a timer', async () => {
    const bench = openBench();
    const [answer] = pushAll(bench, ['a']);
    await settleAll();
    expect(bench.runs.map(({ commands }) => commands)).toEqual([['a']]);
    bench.runs[0]!.finish();
    expect(await answer).toBe('A');
  });

  test('what arrives while the transaction before it runs is one batch', async () => {
    const bench = openBench();
    pushAll(bench, ['a']);
    await settleAll();
    pushAll(bench, ['b']);
    await settleAll();
    pushAll(bench, ['c', 'd']);
    await settleAll();
    expect(bench.runs).toHaveLength(1);
    bench.runs[0]!.finish();
    await settleAll();
    expect(bench.runs[1]!.commands).toEqual(['b', 'c', 'd']);
  });

  test('it holds at most maxMembers, and the rest keeps its order', async () => {
    const bench = openBench({ maxMembers: 2 });
    const answers = pushAll(bench, ['a', 'b', 'c', 'd', 'e']);
    for (let index = 0; index < 3; index += 1) {
      await settleAll();
      bench.runs[index]!.finish();
    }
    expect(await Promise.all(answers)).toEqual(['A', 'B', 'C', 'D', 'E']);
    expect(bench.runs.map(({ commands }) => commands.join(''))).toEqual(['ab', 'cd', 'e']);
  });

  test('a transaction begins beside another one only for worthwhileMembers', async () => {
    const bench = openBench({ maxInFlight: 2, worthwhileMembers: 3, gatherMillis: 60_000 });
    const answers = pushAll(bench, ['a']);
    await settleAll();
    answers.push(...pushAll(bench, ['b', 'c']));
    await settleAll();
    expect(bench.runs).toHaveLength(1);
    answers.push(...pushAll(bench, ['d']));
    await settleAll();
    expect(bench.runs[1]!.commands).toEqual(['b', 'c', 'd']);
    answers.push(...pushAll(bench, ['e']));
    bench.runs[0]!.finish();
    await settleAll();
    expect(bench.runs).toHaveLength(2);
    answers.push(...pushAll(bench, ['f', 'g']));
    await settleAll();
    expect(bench.runs[2]!.commands).toEqual(['e', 'f', 'g']);
    for (const run of bench.runs.slice(1)) run.finish();
    expect(await Promise.all(answers)).toEqual([...'ABCDEFG']);
  });

  test('fewer than the last transaction had are gathered until gatherMillis after its beginning', async () => {
    const bench = openBench({ worthwhileMembers: 3, gatherMillis: 60_000 });
    const answers = pushAll(bench, ['a', 'b']);
    await settleAll();
    bench.runs[0]!.finish();
    await settleAll();
    bench.time.millis += 59_990;
    answers.push(...pushAll(bench, ['c']));
    await settleAll();
    expect(bench.runs).toHaveLength(1);
    while (bench.runs.length === 1) await settleAll();
    expect(bench.runs[1]!.commands).toEqual(['c']);
    bench.runs[1]!.finish();
    expect(await Promise.all(answers)).toEqual([...'ABC']);
  });

  test('as many as the last transaction had, enough to be worth one, and who comes late do not wait', async () => {
    const bench = openBench({ worthwhileMembers: 3, gatherMillis: 60_000 });
    const answers: Promise<string>[] = [];
    for (const commands of ['a', 'b', 'cd', 'ef', 'ghij', 'klm']) {
      answers.push(...pushAll(bench, [...commands]));
      await settleAll();
      expect(bench.runs.at(-1)!.commands.join('')).toBe(commands);
      bench.runs.at(-1)!.finish();
      await settleAll();
    }
    bench.time.millis += 60_000;
    answers.push(...pushAll(bench, ['n']));
    await settleAll();
    bench.runs.at(-1)!.finish();
    expect(await Promise.all(answers)).toEqual([...'ABCDEFGHIJKLMN']);
  });

  test('a few members each of several tenants do not wait for one another', async () => {
    const bench = openBench({ worthwhileMembers: 20, gatherMillis: 60_000 });
    const answers = [1, 2, 3].flatMap((tenant) => pushAll(bench, ['a', 'b'], 'lane', tenant));
    for (const index of [0, 1, 2]) {
      await settleAll();
      bench.runs[index]!.finish();
    }
    expect(await Promise.all(answers)).toEqual([...'ABABAB']);
  });

  test('beside a transaction that takes long, others begin for fewer', async () => {
    const bench = openBench({ maxInFlight: 2, worthwhileMembers: 3, gatherMillis: 20 });
    const [stuck] = pushAll(bench, ['a']);
    await settleAll();
    for (const command of ['b', 'c']) {
      const [answer] = pushAll(bench, [command]);
      while (bench.runs.at(-1)!.commands[0] !== command) await settleAll();
      bench.runs.at(-1)!.finish();
      expect(await answer).toBe(command.toUpperCase());
    }
    const closed = bench.batcher.close();
    bench.runs[0]!.finish();
    await Promise.all([stuck, closed]);
  });

  test('at most maxInFlight transactions run at once', async () => {
    const bench = openBench({ maxMembers: 1, maxInFlight: 2 });
    pushAll(bench, ['a', 'b', 'c', 'd']);
    await settleAll();
    expect(bench.runs).toHaveLength(2);
    bench.runs[1]!.finish();
    await settleAll();
    expect(bench.runs.map(({ commands }) => commands.join(''))).toEqual(['a', 'b', 'c']);
  });

  test('a refusal is its own member’s', async () => {
    const bench = openBench();
    const answers = pushAll(bench, ['a', 'b', 'c']);
    await settleAll();
    bench.runs[0]!.finish(['A', refuse('coupon-void', 'The coupon was voided.'), 'C']);
    expect(await Promise.all(answers)).toEqual(['A', 'refused: coupon-void', 'C']);
  });

  test('nobody is answered before the transaction has ended', async () => {
    const bench = openBench();
    let answered = 0;
    for (const answer of pushAll(bench, ['a', 'b'])) void answer.then(() => (answered += 1));
    await settleAll();
    expect(answered).toBe(0);
    bench.runs[0]!.finish();
    await settleAll();
    expect(answered).toBe(2);
  });
});

describe('fairness', () => {
  test('a lane with one member is in the next batch, however many wait in another lane', async () => {
    const bench = openBench({ maxWaiting: 2000 });
    pushAll(bench, ['first']);
    await settleAll();
    pushAll(
      bench,
      Array.from({ length: 1000 }, (_, index) => `hot ${index}`),
      'hot',
    );
    pushAll(bench, ['cold'], 'cold');
    bench.runs[0]!.finish();
    await settleAll();
    expect(bench.runs[1]!.commands).toEqual(['hot 0', 'hot 1', 'cold', 'hot 2']);
  });

  test('lanes share a batch equally', async () => {
    const bench = openBench({ maxMembers: 6 });
    pushAll(bench, ['first']);
    await settleAll();
    for (const lane of ['a', 'b', 'c']) pushAll(bench, [`${lane}1`, `${lane}2`, `${lane}3`, `${lane}4`], lane);
    bench.runs[0]!.finish();
    await settleAll();
    expect(bench.runs[1]!.commands.sort()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
  });

  test('of more lanes than a batch has room for, each gets its turn', async () => {
    const bench = openBench({ maxMembers: 2 });
    pushAll(bench, ['first']);
    await settleAll();
    for (const lane of ['a', 'b', 'c']) pushAll(bench, [`${lane}1`, `${lane}2`], lane);
    for (let index = 0; index < 4; index += 1) {
      bench.runs[index]!.finish();
      await settleAll();
    }
    expect(bench.runs.slice(1).map(({ commands }) => commands.join(' '))).toEqual(['a1 b1', 'c1 a2', 'b2 c2']);
  });

  test('a batch holds members of one tenant, and tenants take turns', async () => {
    const bench = openBench();
    pushAll(bench, ['first']);
    await settleAll();
    pushAll(bench, ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'], 'lane', 1);
    pushAll(bench, ['b1'], 'lane', 2);
    for (let index = 0; index < 3; index += 1) {
      bench.runs[index]!.finish();
      await settleAll();
    }
    expect(bench.runs.slice(1).map(({ tenantId, commands }) => `${tenantId}: ${commands.join(' ')}`)).toEqual([
      '1: a1 a2 a3 a4',
      '2: b1',
      '1: a5 a6',
    ]);
  });
});

describe('overload', () => {
  test('a member that waited too long is told to come back, and never runs', async () => {
    const bench = openBench();
    pushAll(bench, ['a']);
    await settleAll();
    const [late] = pushAll(bench, ['late']);
    bench.time.millis += 5001;
    bench.runs[0]!.finish();
    expect(await late).toBe('refused: unavailable');
    await settleAll();
    expect(bench.runs).toHaveLength(1);
  });

  test('a full queue turns newcomers away with a Retry-After, and takes them again once there is room', async () => {
    const bench = openBench({ maxWaiting: 2 });
    pushAll(bench, ['a']);
    await settleAll();
    pushAll(bench, ['b', 'c']);
    await expect(bench.batcher.push(1, 'd')).rejects.toMatchObject({
      refusal: { kind: 'unavailable', retryAfterSeconds: 1 },
    });
    bench.runs[0]!.finish();
    await settleAll();
    const [answer] = pushAll(bench, ['e']);
    bench.runs[1]!.finish();
    await settleAll();
    bench.runs[2]!.finish();
    expect(await answer).toBe('E');
  });

  test('a queue whose head is too old turns newcomers away', async () => {
    const bench = openBench();
    pushAll(bench, ['a']);
    await settleAll();
    pushAll(bench, ['b']);
    bench.time.millis += 2001;
    expect(bench.batcher.queueAgeMillis()).toBe(2001);
    expect(await pushAll(bench, ['c'])[0]).toBe('refused: unavailable');
    expect(bench.batcher.waiting()).toBe(1);
  });

  test('an overload that is over turns nobody away', async () => {
    const bench = openBench();
    pushAll(bench, ['a']);
    await settleAll();
    pushAll(bench, ['b']);
    bench.time.millis += 3000;
    bench.runs[0]!.finish();
    await settleAll();
    bench.runs[1]!.finish();
    await settleAll();
    bench.time.millis += 3_600_000;
    expect(bench.batcher.queueAgeMillis()).toBe(0);
    const answers = pushAll(bench, ['c', 'd', 'e']);
    await settleAll();
    bench.runs[2]!.finish();
    expect(await Promise.all(answers)).toEqual(['C', 'D', 'E']);
  });
});

describe('closing', () => {
  test('newcomers are turned away, everyone who is in is answered, and only then it is closed', async () => {
    const bench = openBench({ maxMembers: 2 });
    const answers = pushAll(bench, ['a', 'b', 'c']);
    let closed = false;
    const closing = bench.batcher.close().then(() => {
      closed = true;
    });
    expect(await pushAll(bench, ['late'])[0]).toBe('refused: unavailable');
    await settleAll();
    bench.runs[0]!.finish();
    await settleAll();
    expect(closed).toBe(false);
    bench.runs[1]!.finish();
    await closing;
    expect(await Promise.all(answers)).toEqual(['A', 'B', 'C']);
  });

  test('an idle batcher closes at once', async () => {
    await openBench().batcher.close();
  });

  test('it closes when all that still waited were overdue', async () => {
    const bench = openBench();
    pushAll(bench, ['a']);
    await settleAll();
    const [late] = pushAll(bench, ['late']);
    const closing = bench.batcher.close();
    bench.time.millis += 5001;
    bench.runs[0]!.finish();
    await closing;
    expect(await late).toBe('refused: unavailable');
  });
});

describe('a batch that fails', () => {
  /** Runs each batch at once; a batch with one of `poison` in it fails with `sqlState`. */
  function openPoisoned(poison: Set<string>, sqlState = '22021') {
    const sizes: number[] = [];
    const bench = openBench({
      maxMembers: 256,
      maxWaiting: 400,
      run: async (_tenantId, commands) => {
        sizes.push(commands.length);
        if (commands.some((command) => poison.has(command))) throw databaseError(sqlState);
        return commands.map((command) => command.toUpperCase());
      },
    });
    return { bench, sizes };
  }

  const names = Array.from({ length: 256 }, (_, index) => `m${index}`);

  test.each([0, 100, 255])('the poisoned member %i of 256 stands alone, found in 17 runs', async (index) => {
    const { bench, sizes } = openPoisoned(new Set([`m${index}`]));
    const outcomes = await Promise.all(pushAll(bench, names));
    expect(outcomes.map((outcome, at) => (outcome === `M${at}` ? '' : `${at} ${outcome}`)).filter(Boolean)).toEqual([
      `${index} refused: internal`,
    ]);
    expect(sizes).toHaveLength(17);
  });

  test('any set of poisoned members harms nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(40), { maxLength: 8 }),
        fc.constantFrom('22021', '23505'),
        async (at, state) => {
          const { bench } = openPoisoned(new Set(at.map((index) => `m${index}`)), state);
          const outcomes = await Promise.all(pushAll(bench, names.slice(0, 41)));
          const expected = names
            .slice(0, 41)
            .map((name, index) => (at.includes(index) ? 'refused: internal' : name.toUpperCase()));
          expect(outcomes).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each([
    ['a lost connection', () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })],
    ['a server that is going down', () => databaseError('57P01')],
    ['a statement that took too long', () => databaseError('57014')],
    ['a deadlock that came again at every retry', () => databaseError('40P01')],
    ['a primary that has become a standby', () => databaseError('25006')],
    ['a server without room on its disk', () => databaseError('53100')],
    ['a pool without a free connection', () => new Error('timeout exceeded when trying to connect')],
  ])('%s is everyone’s `unavailable`, and nothing is tried again', async (_what, makeError) => {
    const bench = openBench();
    const answers = pushAll(bench, ['a', 'b', 'c']);
    await settleAll();
    bench.runs[0]!.fail(makeError());
    expect(await Promise.all(answers)).toEqual(Array(3).fill('refused: unavailable'));
    expect(bench.runs).toHaveLength(1);
  });

  test('an error that nobody foresaw is `internal`, tells nothing of itself, and the next batch runs', async () => {
    const bench = openBench();
    const failed = bench.batcher.push(1, 'a').catch((error: unknown) => error);
    await settleAll();
    bench.runs[0]!.fail(new TypeError('a secret detail'));
    const error = await failed;
    expect(error).toMatchObject({ kind: 'internal' });
    expect(JSON.stringify((error as CouponError).refusal)).not.toContain('secret');
    const [next] = pushAll(bench, ['b']);
    await settleAll();
    bench.runs[1]!.finish();
    expect(await next).toBe('B');
  });
});

describe('a lock that somebody else keeps', () => {
  /** A batcher that runs each batch at once: what needs something of `held` times out, `known` or not. */
  function openHeld(options: Partial<BatcherOptions<string, string>> = {}) {
    const held = new Set<string>();
    const known = new Set<string>();
    const runs: { commands: string[]; isApart: boolean }[] = [];
    const bench = openBench({
      maxMembers: 8,
      run: async (_tenantId, commands, isApart) => {
        runs.push({ commands, isApart });
        const open = commands.filter((command) => !known.has(command));
        if (open.some((command) => held.has(command))) throw databaseError('55P03');
        return commands.map((command) => (known.has(command) ? heldUp : command.toUpperCase()));
      },
      isFree: async (_tenantId, commands) => commands.map((command) => !held.has(command)),
      ...options,
    });
    return { bench, held, known, runs };
  }

  /** Lets the set-aside look a few times. */
  const letLook = () => new Promise((resolve) => setTimeout(resolve, 40));

  test('is waited for by its own members alone: who is with them in a batch is answered, found by halves', async () => {
    const { bench, held, runs } = openHeld();
    held.add('c');
    const outcomes = await Promise.all(pushAll(bench, [...'abcdefgh']));
    expect(outcomes).toEqual(['A', 'B', 'refused: unavailable', 'D', 'E', 'F', 'G', 'H']);
    expect(runs.map(({ isApart }) => isApart)).toEqual([false, ...Array(runs.length - 1).fill(true)]);
    expect(runs).toHaveLength(7);
  });

  test('is waited for aside, where nothing else stands behind it, and a member is answered when it is let go', async () => {
    const { bench, held, known } = openHeld();
    held.add('b');
    known.add('b');
    const [first, second, third] = pushAll(bench, ['a', 'b', 'c']);
    expect([await first, await third]).toEqual(['A', 'C']);
    expect(bench.batcher.waiting()).toBe(0);
    await letLook();
    held.clear();
    known.clear();
    expect(await second).toBe('B');
  });

  test('is not waited for longer than heldUpMaxMillis: then nothing was begun, and a Retry-After says when to come back', async () => {
    const { bench, held, known } = openHeld();
    held.add('a');
    known.add('a');
    const refused = bench.batcher.push(1, 'a').catch((error: unknown) => error);
    await letLook();
    bench.time.millis += 1001;
    const { refusal } = (await refused) as CouponError;
    expect(refusal).toMatchObject({ kind: 'unavailable', outcome: 'not-begun', retryAfterSeconds: 1 });
    expect(refusal.detail).toContain('held by another');
  });

  test('has so many waiting for it as were allowed, of one tenant and of all, and refuses the others at once', async () => {
    const { bench, held, known } = openHeld({ maxMembers: 50 });
    const names = (tenant: number, count: number) => Array.from({ length: count }, (_, index) => `${tenant}-${index}`);
    const all = [1, 2].flatMap((tenant) => names(tenant, 12));
    for (const name of all) {
      held.add(name);
      known.add(name);
    }
    let refused = 0;
    for (const tenant of [1, 2]) {
      for (const answer of pushAll(bench, names(tenant, 12), 'lane', tenant)) void answer.then(() => (refused += 1));
      await settleAll();
    }
    // 10 of the first tenant wait and 5 of the second.
    expect(refused).toBe(2 + 7);
    await bench.batcher.close();
    await settleAll();
    expect(refused).toBe(24);
  });

  test('closing refuses who waits for it, and does not wait itself', async () => {
    const { bench, held, known } = openHeld();
    held.add('a');
    known.add('a');
    const [answer] = pushAll(bench, ['a']);
    await settleAll();
    await bench.batcher.close();
    expect(await answer).toBe('refused: unavailable');
  });

  test('a look that fails or hangs keeps nobody longer than heldUpMaxMillis', async () => {
    for (const isFree of [() => Promise.reject(new Error('lost')), () => new Promise<boolean[]>(() => {})]) {
      const { bench, known } = openHeld({ isFree });
      known.add('a');
      const [answer] = pushAll(bench, ['a']);
      await letLook();
      bench.time.millis += 1001;
      expect(await answer).toBe('refused: unavailable');
    }
  });
});

describe('a transaction that is slow', () => {
  test('leaves its place to another tenant’s, and not to its own tenant’s third', async () => {
    const bench = openBench({ maxMembers: 1, maxInFlight: 2, maxSlow: 2, slowMillis: 100 });
    pushAll(bench, ['a1', 'a2', 'a3'], 'lane', 1);
    pushAll(bench, ['b1'], 'lane', 2);
    await settleAll();
    expect(bench.runs.map(({ commands }) => commands[0])).toEqual(['a1', 'b1']);
    bench.runs[1]!.finish();
    await settleAll();
    expect(bench.runs.at(-1)!.commands).toEqual(['a2']);
    pushAll(bench, ['b2', 'b3'], 'lane', 2);
    await settleAll();
    expect(bench.runs).toHaveLength(3);
    bench.time.millis += 101;
    while (bench.runs.length < 5) await settleAll();
    expect(bench.runs.slice(3).map(({ commands }) => commands[0])).toEqual(['b2', 'b3']);
    await settleAll();
    expect(bench.runs).toHaveLength(5);
  });

  test('of which there are more than maxSlow, nobody begins', async () => {
    const bench = openBench({ maxMembers: 1, maxInFlight: 1, maxSlow: 1, slowMillis: 100 });
    for (const tenant of [1, 2, 3]) pushAll(bench, ['a'], 'lane', tenant);
    await settleAll();
    expect(bench.runs).toHaveLength(1);
    bench.time.millis += 101;
    while (bench.runs.length < 2) await settleAll();
    bench.time.millis += 101;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(bench.runs).toHaveLength(2);
    bench.runs[0]!.finish();
    await settleAll();
    expect(bench.runs).toHaveLength(3);
  });
});

test('a queue that is too old for one tenant takes another one’s members', async () => {
  const bench = openBench();
  pushAll(bench, ['a'], 'lane', 1);
  await settleAll();
  pushAll(bench, ['b'], 'lane', 1);
  bench.time.millis += 2001;
  expect([bench.batcher.queueAgeMillis(1), bench.batcher.queueAgeMillis(2)]).toEqual([2001, 0]);
  expect(await pushAll(bench, ['c'], 'lane', 1)[0]).toBe('refused: unavailable');
  const [answer] = pushAll(bench, ['d'], 'lane', 2);
  bench.runs[0]!.finish();
  await settleAll();
  bench.runs[1]!.finish();
  await settleAll();
  bench.runs[2]!.finish();
  expect(await answer).toBe('D');
});

test('one tenant fills three quarters of a queue, and the rest is left to the others', async () => {
  const bench = openBench({ maxWaiting: 8 });
  pushAll(bench, ['first'], 'lane', 1);
  await settleAll();
  pushAll(bench, [...'abcdef'], 'lane', 1);
  expect(await pushAll(bench, ['g'], 'lane', 1)[0]).toBe('refused: unavailable');
  pushAll(bench, ['h'], 'lane', 2);
  expect(bench.batcher.waiting()).toBe(7);
});

test('whatever arrives when and fails how, each member is answered once, with its own answer, in the order of its lane', async () => {
  const arrivals = fc.array(fc.record({ tenant: fc.nat(2), lane: fc.nat(3), turns: fc.nat(2) }), { maxLength: 60 });
  const plan = fc.record({
    arrivals,
    maxMembers: fc.integer({ min: 1, max: 7 }),
    maxInFlight: fc.integer({ min: 1, max: 3 }),
    worthwhileMembers: fc.integer({ min: 1, max: 6 }),
    gatherMillis: fc.integer({ min: 0, max: 4 }),
    poison: fc.uniqueArray(fc.nat(59), { maxLength: 5 }),
    delays: fc.infiniteStream(fc.nat(3)),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ arrivals, maxMembers, maxInFlight, poison, delays, ...patience }) => {
      const started: string[] = [];
      let inFlight = 0;
      const bench = openBench({
        maxMembers,
        maxInFlight,
        ...patience,
        run: async (tenantId, commands) => {
          inFlight += 1;
          expect(inFlight).toBeLessThanOrEqual(maxInFlight);
          expect(commands.length).toBeLessThanOrEqual(maxMembers);
          expect(commands.every((command) => command.startsWith(`${tenantId} `))).toBe(true);
          for (let turn = delays.next().value ?? 0; turn > 0; turn -= 1) await new Promise(setImmediate);
          inFlight -= 1;
          if (commands.some((command) => poison.includes(Number(command.split(' ')[2])))) throw databaseError('22001');
          started.push(...commands);
          return commands.map((command) => command.toUpperCase());
        },
      });
      const answers: Promise<string>[] = [];
      const commands: string[] = [];
      for (const [index, { tenant, lane, turns }] of arrivals.entries()) {
        const command = `${tenant} ${lane} ${index} x`;
        commands.push(command);
        answers.push(...pushAll(bench, [command], lane, tenant));
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      }
      await bench.batcher.close();
      const expected = commands.map((command, index) =>
        poison.includes(index) ? 'refused: internal' : command.toUpperCase(),
      );
      expect(await Promise.all(answers)).toEqual(expected);
      expect(bench.batcher.waiting()).toBe(0);
      // With one transaction at a time a lane's members are also decided in the order of their arrival.
      if (maxInFlight > 1) return;
      for (let tenant = 0; tenant <= 2; tenant += 1) {
        for (let lane = 0; lane <= 3; lane += 1) {
          const ofLane = started.filter((command) => command.startsWith(`${tenant} ${lane} `));
          expect(ofLane).toEqual([...ofLane].sort((a, b) => Number(a.split(' ')[2]) - Number(b.split(' ')[2])));
        }
      }
    }),
    { numRuns: 150 },
  );
});
