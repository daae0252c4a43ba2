import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { heldUp } from '../../core/batching/batch.ts';
import type { BatcherOptions } from '../../core/batching/micro-batcher.ts';
import type { CouponError } from '../../core/errors.ts';
import { openHarness, pushAll, settleAll } from '../support/batcher-harness.ts';
import { databaseError } from '../support/database-error.ts';

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
    const runs: { commands: string[]; hasTimedOut: boolean }[] = [];
    const harness = openHarness({
      maxMembers: 8,
      run: async (_tenantId, commands, hasTimedOut) => {
        runs.push({ commands, hasTimedOut });
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
    expect(runs.map(({ hasTimedOut }) => hasTimedOut)).toEqual([false, ...Array(runs.length - 1).fill(true)]);
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
