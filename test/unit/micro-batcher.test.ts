import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { refuse } from '../../core/errors.ts';
import { openHarness, pushAll, settleAll } from '../support/batcher-harness.ts';
import { databaseError } from '../support/database-error.ts';

afterEach(() => {
  jest.useRealTimers();
});

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

  test('its members are answered a few in each turn of the event loop, and what else is to be done goes between', async () => {
    const harness = openHarness({ maxMembers: 10, answeredATurn: 2 });
    const seen: string[] = [];
    const answers = pushAll(harness, ['a', 'b', 'c', 'd', 'e']).map(async (answer) => void seen.push(await answer));
    await settleAll();
    harness.runs[0]!.finish();
    const goOn = () => {
      seen.push('-');
      if (seen.length < 8) setImmediate(goOn);
    };
    setImmediate(goOn);
    await Promise.all(answers);
    expect(seen.join('').replace(/-+/g, '-').replace(/^-|-$/g, '')).toBe('AB-CD-E');
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
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const harness = openHarness({ worthwhileMembers: 3, gatherMillis: 60_000 });
    const answers = pushAll(harness, ['a', 'b']);
    await settleAll();
    harness.runs[0]!.finish();
    await settleAll();
    harness.time.millis += 59_990;
    answers.push(...pushAll(harness, ['c']));
    await settleAll();
    jest.advanceTimersByTime(9);
    await settleAll();
    expect(harness.runs).toHaveLength(1);
    harness.time.millis += 10;
    jest.advanceTimersByTime(1);
    await settleAll();
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
