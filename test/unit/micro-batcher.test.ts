import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { heldUp } from '../../core/batching/batch.ts';
import { type BatcherOptions, type MicroBatcher, openMicroBatcher } from '../../core/batching/micro-batcher.ts';
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

interface Harness {
  batcher: MicroBatcher<string, string>;
  /** The lanes of commands; of any other it is 'lane'. */
  lanes: Map<string, number | string>;
  runs: Run[];
  time: { millis: number };
}

/** A batcher whose transactions end when the test says so, on a clock that the test moves. */
function openHarness(options: Partial<BatcherOptions<string, string>> = {}): Harness {
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
function pushAll(
  harness: Harness,
  commands: string[],
  lane: number | string = 'lane',
  tenantId = 1,
): Promise<string>[] {
  return commands.map((command) => {
    harness.lanes.set(command, lane);
    return outcomeOf(harness.batcher.push(tenantId, command));
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
    const harness = openHarness();
    const [answer] = pushAll(harness, ['a']);
    await settleAll();
    expect(harness.runs.map(({ commands }) => commands)).toEqual([['a']]);
    harness.runs[0]!.finish();
    expect(await answer).toBe('A');
  });

  test('what arrives while the transaction before it runs is one batch', async () => {
    const harness = openHarness();
    pushAll(harness, ['a']);
    await settleAll();
    pushAll(harness, ['b']);
    await settleAll();
    pushAll(harness, ['c', 'd']);
    await settleAll();
    expect(harness.runs).toHaveLength(1);
    harness.runs[0]!.finish();
    await settleAll();
    expect(harness.runs[1]!.commands).toEqual(['b', 'c', 'd']);
  });

  test('it holds at most maxMembers, and the rest keeps its order', async () => {
    const harness = openHarness({ maxMembers: 2 });
    const answers = pushAll(harness, ['a', 'b', 'c', 'd', 'e']);
    for (let index = 0; index < 3; index += 1) {
      await settleAll();
      harness.runs[index]!.finish();
    }
    expect(await Promise.all(answers)).toEqual(['A', 'B', 'C', 'D', 'E']);
    expect(harness.runs.map(({ commands }) => commands.join(''))).toEqual(['ab', 'cd', 'e']);
  });

  test('a transaction begins beside another one only for worthwhileMembers', async () => {
    const harness = openHarness({ maxInFlight: 2, worthwhileMembers: 3, gatherMillis: 60_000 });
    const answers = pushAll(harness, ['a']);
    await settleAll();
    answers.push(...pushAll(harness, ['b', 'c']));
    await settleAll();
    expect(harness.runs).toHaveLength(1);
    answers.push(...pushAll(harness, ['d']));
    await settleAll();
    expect(harness.runs[1]!.commands).toEqual(['b', 'c', 'd']);
    answers.push(...pushAll(harness, ['e']));
    harness.runs[0]!.finish();
    await settleAll();
    expect(harness.runs).toHaveLength(2);
    answers.push(...pushAll(harness, ['f', 'g']));
    await settleAll();
    expect(harness.runs[2]!.commands).toEqual(['e', 'f', 'g']);
    for (const run of harness.runs.slice(1)) run.finish();
    expect(await Promise.all(answers)).toEqual([...'ABCDEFG']);
  });

  test('fewer than the last transaction had are gathered until gatherMillis after its beginning', async () => {
    const harness = openHarness({ worthwhileMembers: 3, gatherMillis: 60_000 });
    const answers = pushAll(harness, ['a', 'b']);
    await settleAll();
    harness.runs[0]!.finish();
    await settleAll();
    harness.time.millis += 59_990;
    answers.push(...pushAll(harness, ['c']));
    await settleAll();
    expect(harness.runs).toHaveLength(1);
    while (harness.runs.length === 1) await settleAll();
    expect(harness.runs[1]!.commands).toEqual(['c']);
    harness.runs[1]!.finish();
    expect(await Promise.all(answers)).toEqual([...'ABC']);
  });

  test('as many as the last transaction had, enough to be worth one, and who comes late do not wait', async () => {
    const harness = openHarness({ worthwhileMembers: 3, gatherMillis: 60_000 });
    const answers: Promise<string>[] = [];
    for (const commands of ['a', 'b', 'cd', 'ef', 'ghij', 'klm']) {
      answers.push(...pushAll(harness, [...commands]));
      await settleAll();
      expect(harness.runs.at(-1)!.commands.join('')).toBe(commands);
      harness.runs.at(-1)!.finish();
      await settleAll();
    }
    harness.time.millis += 60_000;
    answers.push(...pushAll(harness, ['n']));
    await settleAll();
    harness.runs.at(-1)!.finish();
    expect(await Promise.all(answers)).toEqual([...'ABCDEFGHIJKLMN']);
  });

  test('a few members each of several tenants do not wait for one another', async () => {
    const harness = openHarness({ worthwhileMembers: 20, gatherMillis: 60_000 });
    const answers = [1, 2, 3].flatMap((tenant) => pushAll(harness, ['a', 'b'], 'lane', tenant));
    for (const index of [0, 1, 2]) {
      await settleAll();
      harness.runs[index]!.finish();
    }
    expect(await Promise.all(answers)).toEqual([...'ABABAB']);
  });

  test('beside a transaction that takes long, others begin for fewer', async () => {
    const harness = openHarness({ maxInFlight: 2, worthwhileMembers: 3, gatherMillis: 20 });
    const [stuck] = pushAll(harness, ['a']);
    await settleAll();
    for (const command of ['b', 'c']) {
      const [answer] = pushAll(harness, [command]);
      while (harness.runs.at(-1)!.commands[0] !== command) await settleAll();
      harness.runs.at(-1)!.finish();
      expect(await answer).toBe(command.toUpperCase());
    }
    const closed = harness.batcher.close();
    harness.runs[0]!.finish();
    await Promise.all([stuck, closed]);
  });

  test('at most maxInFlight transactions run at once', async () => {
    const harness = openHarness({ maxMembers: 1, maxInFlight: 2 });
    pushAll(harness, ['a', 'b', 'c', 'd']);
    await settleAll();
    expect(harness.runs).toHaveLength(2);
    harness.runs[1]!.finish();
    await settleAll();
    expect(harness.runs.map(({ commands }) => commands.join(''))).toEqual(['a', 'b', 'c']);
  });

  test('a refusal is its own member’s', async () => {
    const harness = openHarness();
    const answers = pushAll(harness, ['a', 'b', 'c']);
    await settleAll();
    harness.runs[0]!.finish(['A', refuse('coupon-void', 'The coupon was voided.'), 'C']);
    expect(await Promise.all(answers)).toEqual(['A', 'refused: coupon-void', 'C']);
  });

  test('nobody is answered before the transaction has ended', async () => {
    const harness = openHarness();
    let answered = 0;
    for (const answer of pushAll(harness, ['a', 'b'])) void answer.then(() => (answered += 1));
    await settleAll();
    expect(answered).toBe(0);
    harness.runs[0]!.finish();
    await settleAll();
    expect(answered).toBe(2);
  });
});

describe('fairness', () => {
  test('a lane with one member is in the next batch, however many wait in another lane', async () => {
    const harness = openHarness({ maxWaiting: 2000 });
    pushAll(harness, ['first']);
    await settleAll();
    pushAll(
      harness,
      Array.from({ length: 1000 }, (_, index) => `hot ${index}`),
      'hot',
    );
    pushAll(harness, ['cold'], 'cold');
    harness.runs[0]!.finish();
    await settleAll();
    expect(harness.runs[1]!.commands).toEqual(['hot 0', 'hot 1', 'cold', 'hot 2']);
  });

  test('lanes share a batch equally', async () => {
    const harness = openHarness({ maxMembers: 6 });
    pushAll(harness, ['first']);
    await settleAll();
    for (const lane of ['a', 'b', 'c']) pushAll(harness, [`${lane}1`, `${lane}2`, `${lane}3`, `${lane}4`], lane);
    harness.runs[0]!.finish();
    await settleAll();
    expect(harness.runs[1]!.commands.sort()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
  });

  test('of more lanes than a batch has room for, each gets its turn', async () => {
    const harness = openHarness({ maxMembers: 2 });
    pushAll(harness, ['first']);
    await settleAll();
    for (const lane of ['a', 'b', 'c']) pushAll(harness, [`${lane}1`, `${lane}2`], lane);
    for (let index = 0; index < 4; index += 1) {
      harness.runs[index]!.finish();
      await settleAll();
    }
    expect(harness.runs.slice(1).map(({ commands }) => commands.join(' '))).toEqual(['a1 b1', 'c1 a2', 'b2 c2']);
  });

  test('a batch holds members of one tenant, and tenants take turns', async () => {
    const harness = openHarness();
    pushAll(harness, ['first']);
    await settleAll();
    pushAll(harness, ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'], 'lane', 1);
    pushAll(harness, ['b1'], 'lane', 2);
    for (let index = 0; index < 3; index += 1) {
      harness.runs[index]!.finish();
      await settleAll();
    }
    expect(harness.runs.slice(1).map(({ tenantId, commands }) => `${tenantId}: ${commands.join(' ')}`)).toEqual([
      '1: a1 a2 a3 a4',
      '2: b1',
      '1: a5 a6',
    ]);
  });
});

describe('the age of a queue', () => {
  test('is told apart for tenants with more waiting than a batch takes, and for the others', () => {
    const harness = openHarness();
    const { batcher, time } = harness;
    const settled = [
      ...pushAll(harness, ['a1', 'a2', 'a3', 'a4', 'a5'], 'lane', 1),
      ...pushAll(harness, ['b1', 'b2', 'b3', 'b4'], 'lane', 2),
    ];
    time.millis += 300;
    settled.push(...pushAll(harness, ['c1'], 'lane', 3));
    time.millis += 50;
    expect(batcher.tenantAges()).toEqual({ light: 350, heavy: 350 });
    settled.push(...pushAll(harness, ['b5'], 'lane', 2));
    expect(batcher.tenantAges()).toEqual({ light: 50, heavy: 350 });
    void settled;
  });
});

describe('overload', () => {
  test('a member that waited too long is told to come back, and never runs', async () => {
    const harness = openHarness();
    pushAll(harness, ['a']);
    await settleAll();
    const [late] = pushAll(harness, ['late']);
    harness.time.millis += 5001;
    harness.runs[0]!.finish();
    expect(await late).toBe('refused: unavailable');
    await settleAll();
    expect(harness.runs).toHaveLength(1);
  });

  test('a full queue turns newcomers away with a Retry-After, and takes them again once there is room', async () => {
    const harness = openHarness({ maxWaiting: 2 });
    pushAll(harness, ['a']);
    await settleAll();
    pushAll(harness, ['b', 'c']);
    await expect(harness.batcher.push(1, 'd')).rejects.toMatchObject({
      refusal: { kind: 'unavailable', retryAfterSeconds: 1 },
    });
    harness.runs[0]!.finish();
    await settleAll();
    const [answer] = pushAll(harness, ['e']);
    harness.runs[1]!.finish();
    await settleAll();
    harness.runs[2]!.finish();
    expect(await answer).toBe('E');
  });

  test('a queue whose head is too old turns newcomers away', async () => {
    const harness = openHarness();
    pushAll(harness, ['a']);
    await settleAll();
    pushAll(harness, ['b']);
    harness.time.millis += 2001;
    expect(harness.batcher.queueAgeMillis()).toBe(2001);
    expect(await pushAll(harness, ['c'])[0]).toBe('refused: unavailable');
    expect(harness.batcher.waiting()).toBe(1);
  });

  test('an overload that is over turns nobody away', async () => {
    const harness = openHarness();
    pushAll(harness, ['a']);
    await settleAll();
    pushAll(harness, ['b']);
    harness.time.millis += 3000;
    harness.runs[0]!.finish();
    await settleAll();
    harness.runs[1]!.finish();
    await settleAll();
    harness.time.millis += 3_600_000;
    expect(harness.batcher.queueAgeMillis()).toBe(0);
    const answers = pushAll(harness, ['c', 'd', 'e']);
    await settleAll();
    harness.runs[2]!.finish();
    expect(await Promise.all(answers)).toEqual(['C', 'D', 'E']);
  });
});

describe('closing', () => {
  test('newcomers are turned away, everyone who is in is answered, and only then it is closed', async () => {
    const harness = openHarness({ maxMembers: 2 });
    const answers = pushAll(harness, ['a', 'b', 'c']);
    let closed = false;
    const closing = harness.batcher.close().then(() => {
      closed = true;
    });
    expect(await pushAll(harness, ['late'])[0]).toBe('refused: unavailable');
    await settleAll();
    harness.runs[0]!.finish();
    await settleAll();
    expect(closed).toBe(false);
    harness.runs[1]!.finish();
    await closing;
    expect(await Promise.all(answers)).toEqual(['A', 'B', 'C']);
  });

  test('an idle batcher closes at once', async () => {
    await openHarness().batcher.close();
  });

  test('it closes when all that still waited were overdue', async () => {
    const harness = openHarness();
    pushAll(harness, ['a']);
    await settleAll();
    const [late] = pushAll(harness, ['late']);
    const closing = harness.batcher.close();
    harness.time.millis += 5001;
    harness.runs[0]!.finish();
    await closing;
    expect(await late).toBe('refused: unavailable');
  });
});

describe('a batch that fails', () => {
  /** Runs each batch at once; a batch with one of `poison` in it fails with `sqlState`. */
  function openPoisoned(poison: Set<string>, sqlState = '22021') {
    const sizes: number[] = [];
    const harness = openHarness({
      maxMembers: 256,
      maxWaiting: 400,
      run: async (_tenantId, commands) => {
        sizes.push(commands.length);
        if (commands.some((command) => poison.has(command))) throw databaseError(sqlState);
        return commands.map((command) => command.toUpperCase());
      },
    });
    return { harness, sizes };
  }

  const names = Array.from({ length: 256 }, (_, index) => `m${index}`);

  test.each([0, 100, 255])('the poisoned member %i of 256 stands alone, found in 17 runs', async (index) => {
    const { harness, sizes } = openPoisoned(new Set([`m${index}`]));
    const outcomes = await Promise.all(pushAll(harness, names));
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
          const { harness } = openPoisoned(new Set(at.map((index) => `m${index}`)), state);
          const outcomes = await Promise.all(pushAll(harness, names.slice(0, 41)));
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
    const harness = openHarness();
    const answers = pushAll(harness, ['a', 'b', 'c']);
    await settleAll();
    harness.runs[0]!.fail(makeError());
    expect(await Promise.all(answers)).toEqual(Array(3).fill('refused: unavailable'));
    expect(harness.runs).toHaveLength(1);
  });

  test('an error that nobody foresaw is `internal`, tells nothing of itself, and the next batch runs', async () => {
    const harness = openHarness();
    const failed = harness.batcher.push(1, 'a').catch((error: unknown) => error);
    await settleAll();
    harness.runs[0]!.fail(new TypeError('a secret detail'));
    const error = await failed;
    expect(error).toMatchObject({ kind: 'internal' });
    expect(JSON.stringify((error as CouponError).refusal)).not.toContain('secret');
    const [next] = pushAll(harness, ['b']);
    await settleAll();
    harness.runs[1]!.finish();
    expect(await next).toBe('B');
  });
});

describe('a lock that somebody else keeps', () => {
  /** A batcher that runs each batch at once: what needs something of `held` times out, `known` or not. */
  function openHeld(options: Partial<BatcherOptions<string, string>> = {}) {
    const held = new Set<string>();
    const known = new Set<string>();
    const runs: { commands: string[]; isApart: boolean }[] = [];
    const harness = openHarness({
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
    return { harness, held, known, runs };
  }

  /** Lets the set-aside look a few times. */
  const letLook = () => new Promise((resolve) => setTimeout(resolve, 40));

  test('is waited for by its own members alone: who is with them in a batch is answered, found by halves', async () => {
    const { harness, held, runs } = openHeld();
    held.add('c');
    const outcomes = await Promise.all(pushAll(harness, [...'abcdefgh']));
    expect(outcomes).toEqual(['A', 'B', 'refused: unavailable', 'D', 'E', 'F', 'G', 'H']);
    expect(runs.map(({ isApart }) => isApart)).toEqual([false, ...Array(runs.length - 1).fill(true)]);
    expect(runs).toHaveLength(7);
  });

  test('is waited for aside, where nothing else stands behind it, and a member is answered when it is let go', async () => {
    const { harness, held, known } = openHeld();
    held.add('b');
    known.add('b');
    const [first, second, third] = pushAll(harness, ['a', 'b', 'c']);
    expect([await first, await third]).toEqual(['A', 'C']);
    expect(harness.batcher.waiting()).toBe(0);
    await letLook();
    held.clear();
    known.clear();
    expect(await second).toBe('B');
  });

  test('is not waited for longer than heldUpMaxMillis: then nothing was begun, and a Retry-After says when to come back', async () => {
    const { harness, held, known } = openHeld();
    held.add('a');
    known.add('a');
    const refused = harness.batcher.push(1, 'a').catch((error: unknown) => error);
    await letLook();
    harness.time.millis += 1001;
    const { refusal } = (await refused) as CouponError;
    expect(refusal).toMatchObject({ kind: 'unavailable', outcome: 'not-begun', retryAfterSeconds: 1 });
    expect(refusal.detail).toContain('held by another');
  });

  test('has so many waiting for it as were allowed, of one tenant and of all, and refuses the others at once', async () => {
    const { harness, held, known } = openHeld({ maxMembers: 50 });
    const names = (tenant: number, count: number) => Array.from({ length: count }, (_, index) => `${tenant}-${index}`);
    const all = [1, 2].flatMap((tenant) => names(tenant, 12));
    for (const name of all) {
      held.add(name);
      known.add(name);
    }
    let refused = 0;
    for (const tenant of [1, 2]) {
      for (const answer of pushAll(harness, names(tenant, 12), 'lane', tenant)) void answer.then(() => (refused += 1));
      await settleAll();
    }
    // 10 of the first tenant wait and 5 of the second.
    expect(refused).toBe(2 + 7);
    await harness.batcher.close();
    await settleAll();
    expect(refused).toBe(24);
  });

  test('closing refuses who waits for it, and does not wait itself', async () => {
    const { harness, held, known } = openHeld();
    held.add('a');
    known.add('a');
    const [answer] = pushAll(harness, ['a']);
    await settleAll();
    await harness.batcher.close();
    expect(await answer).toBe('refused: unavailable');
  });

  test('a look that fails or hangs keeps nobody longer than heldUpMaxMillis', async () => {
    for (const isFree of [() => Promise.reject(new Error('lost')), () => new Promise<boolean[]>(() => {})]) {
      const { harness, known } = openHeld({ isFree });
      known.add('a');
      const [answer] = pushAll(harness, ['a']);
      await letLook();
      harness.time.millis += 1001;
      expect(await answer).toBe('refused: unavailable');
    }
  });
});

describe('a transaction that is slow', () => {
  test('leaves its place to another tenant’s, and not to its own tenant’s third', async () => {
    const harness = openHarness({ maxMembers: 1, maxInFlight: 2, maxSlow: 2, slowMillis: 100 });
    pushAll(harness, ['a1', 'a2', 'a3'], 'lane', 1);
    pushAll(harness, ['b1'], 'lane', 2);
    await settleAll();
    expect(harness.runs.map(({ commands }) => commands[0])).toEqual(['a1', 'b1']);
    harness.runs[1]!.finish();
    await settleAll();
    expect(harness.runs.at(-1)!.commands).toEqual(['a2']);
    pushAll(harness, ['b2', 'b3'], 'lane', 2);
    await settleAll();
    expect(harness.runs).toHaveLength(3);
    harness.time.millis += 101;
    while (harness.runs.length < 5) await settleAll();
    expect(harness.runs.slice(3).map(({ commands }) => commands[0])).toEqual(['b2', 'b3']);
    await settleAll();
    expect(harness.runs).toHaveLength(5);
  });

  test('of which there are more than maxSlow, nobody begins', async () => {
    const harness = openHarness({ maxMembers: 1, maxInFlight: 1, maxSlow: 1, slowMillis: 100 });
    for (const tenant of [1, 2, 3]) pushAll(harness, ['a'], 'lane', tenant);
    await settleAll();
    expect(harness.runs).toHaveLength(1);
    harness.time.millis += 101;
    while (harness.runs.length < 2) await settleAll();
    harness.time.millis += 101;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(harness.runs).toHaveLength(2);
    harness.runs[0]!.finish();
    await settleAll();
    expect(harness.runs).toHaveLength(3);
  });
});

test('a queue that is too old for one tenant takes another one’s members', async () => {
  const harness = openHarness();
  pushAll(harness, ['a'], 'lane', 1);
  await settleAll();
  pushAll(harness, ['b'], 'lane', 1);
  harness.time.millis += 2001;
  expect([harness.batcher.queueAgeMillis(1), harness.batcher.queueAgeMillis(2)]).toEqual([2001, 0]);
  expect(await pushAll(harness, ['c'], 'lane', 1)[0]).toBe('refused: unavailable');
  const [answer] = pushAll(harness, ['d'], 'lane', 2);
  harness.runs[0]!.finish();
  await settleAll();
  harness.runs[1]!.finish();
  await settleAll();
  harness.runs[2]!.finish();
  expect(await answer).toBe('D');
});

test('one tenant fills three quarters of a queue, and the rest is left to the others', async () => {
  const harness = openHarness({ maxWaiting: 8 });
  pushAll(harness, ['first'], 'lane', 1);
  await settleAll();
  pushAll(harness, [...'abcdef'], 'lane', 1);
  expect(await pushAll(harness, ['g'], 'lane', 1)[0]).toBe('refused: unavailable');
  pushAll(harness, ['h'], 'lane', 2);
  expect(harness.batcher.waiting()).toBe(7);
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
      const harness = openHarness({
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
        answers.push(...pushAll(harness, [command], lane, tenant));
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      }
      await harness.batcher.close();
      const expected = commands.map((command, index) =>
        poison.includes(index) ? 'refused: internal' : command.toUpperCase(),
      );
      expect(await Promise.all(answers)).toEqual(expected);
      expect(harness.batcher.waiting()).toBe(0);
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
