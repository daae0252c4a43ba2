import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openColdTurns } from '../../core/db/cold-turns.ts';
import { limits } from '../../core/limits.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Lets all promises that are settled be heard. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

describe('turns of a tenant', () => {
  test('come one after the other, in the order of arrival', async () => {
    const turns = openColdTurns();
    const order: number[] = [];
    const first = await turns.take(1, 'write');
    const later = [2, 3].map(async (number) => {
      const giveBack = await turns.take(1, 'write');
      order.push(number);
      return giveBack;
    });
    await settle();
    expect(order).toEqual([]);
    first();
    const second = await later[0]!;
    await settle();
    expect(order).toEqual([2]);
    second();
    (await later[1]!)();
    expect(order).toEqual([2, 3]);
  });

  test('hold up neither another tenant nor what is of another kind', async () => {
    const turns = openColdTurns();
    await turns.take(1, 'search');
    await turns.take(1, 'write');
    await turns.take(2, 'write');
  });

  test('are waited for so long and no longer: then nothing was begun, and the next one in the row gets its turn', async () => {
    const turns = openColdTurns();
    const giveBack = await turns.take(1, 'write');
    const late = turns.take(1, 'write').catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(limits.coldTurnMaxWaitMillis - 1);
    const next = turns.take(1, 'write');
    await jest.advanceTimersByTimeAsync(1);
    expect(await late).toMatchObject({ refusal: { kind: 'unavailable', outcome: 'not-begun', retryAfterSeconds: 2 } });
    giveBack();
    (await next)();
    await turns.take(1, 'write');
  });

  test('are refused at once where too many wait', async () => {
    const turns = openColdTurns();
    await turns.take(1, 'write');
    const waiting = Array.from({ length: limits.coldTurnMaxWaiting }, () => turns.take(1, 'write'));
    await expect(turns.take(1, 'write')).rejects.toMatchObject({ kind: 'unavailable' });
    await turns.take(2, 'write');
    for (const turn of waiting) turn.catch(() => {});
  });
});
