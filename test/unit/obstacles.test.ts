import { describe, expect, test } from '@jest/globals';
import { heldUp } from '../../core/batching/batch.ts';
import type { Clock } from '../../core/clock.ts';
import { obstacleKeptMillis, obstaclesMax, openObstacles } from '../../core/coupons/engine/obstacles.ts';
import { passObstacles } from '../../core/coupons/engine/pass-obstacles.ts';
import type { LockWait } from '../../core/db/lock-wait.ts';
import { databaseError } from '../support/database-error.ts';

function open() {
  const time = { millis: 1000 };
  const clock: Clock = { now: () => time.millis, monotonic: () => time.millis };
  return { time, obstacles: openObstacles(clock) };
}

const held = (...things: string[]) => new Map(things.map((thing) => [thing, 'transaction 1']));

describe('what is known to be held', () => {
  test('is remembered until a look finds it free, or for a while', () => {
    const { time, obstacles } = open();
    obstacles.note(['a', 'b'], held('a', 'b'));
    expect([obstacles.areFree(['a']), obstacles.areFree(['c'])]).toEqual([false, true]);
    obstacles.note(['a'], held());
    expect([obstacles.areFree(['a']), obstacles.areFree(['c', 'b'])]).toEqual([true, false]);
    time.millis += obstacleKeptMillis;
    expect([obstacles.areFree(['b']), obstacles.isEmpty]).toEqual([true, true]);
  });

  test('by another transaction than the last time is a queue that moves: busy, and no obstacle', () => {
    const { obstacles } = open();
    obstacles.note(['a'], held('a'));
    obstacles.note(['a'], held('a'));
    expect([obstacles.areFree(['a']), obstacles.areBusy(['a'])]).toEqual([false, false]);
    obstacles.note(['a'], new Map([['a', 'transaction 2']]));
    expect([obstacles.areFree(['a']), obstacles.areBusy(['a'])]).toEqual([true, true]);
  });

  test('takes bounded room, of which the longest unseen leaves first', () => {
    const { obstacles } = open();
    const names = Array.from({ length: obstaclesMax + 1 }, (_, index) => `thing ${index}`);
    obstacles.note([], held(...names));
    expect([obstacles.areFree(['thing 0']), obstacles.areFree(['thing 1'])]).toEqual([true, false]);
  });
});

describe('a batch', () => {
  /** Runs members that each need the thing of their own name; `locked` says by whom each is held. */
  function bench(locked: Map<string, string>) {
    const { obstacles } = open();
    const runs: [string[], LockWait][] = [];
    const pass = (targets: string[]) =>
      passObstacles(
        obstacles,
        targets,
        {
          needsOf: (target) => [target],
          findHeld: async () => new Map(locked),
          run: async (members, lockWait) => {
            runs.push([members, lockWait]);
            if (members.some((member) => locked.has(member))) throw databaseError('55P03');
            return members.map((member) => member.toUpperCase());
          },
        },
        false,
      );
    return { obstacles, runs, pass };
  }

  test('that meets a held thing runs again without who needs it, and the next one does not run into it', async () => {
    const { runs, pass } = bench(held('b'));
    expect(await pass(['a', 'b', 'c'])).toEqual(['A', heldUp, 'C']);
    expect(await pass(['b', 'd'])).toEqual([heldUp, 'D']);
    expect(runs).toEqual([
      [['a', 'b', 'c'], 'usual'],
      [['a', 'c'], 'short'],
      [['d'], 'usual'],
    ]);
  });

  test('that waits for what no look can name is told so', async () => {
    const { obstacles } = open();
    const passage = {
      needsOf: () => ['a'],
      findHeld: async () => held(),
      run: () => Promise.reject(databaseError('55P03')),
    };
    await expect(passObstacles(obstacles, ['a'], passage, false)).rejects.toMatchObject({ code: '55P03' });
  });

  test('that wants what many want waits longer for it', async () => {
    const { obstacles, runs, pass } = bench(held());
    obstacles.note(['a'], held('a'));
    obstacles.note(['a'], new Map([['a', 'transaction 2']]));
    expect(await pass(['a', 'b'])).toEqual(['A', 'B']);
    expect(runs).toEqual([[['a', 'b'], 'long']]);
  });

  test('with nothing held runs once, as it is', async () => {
    const { runs, pass } = bench(held());
    expect(await pass(['a', 'b'])).toEqual(['A', 'B']);
    expect(runs).toEqual([[['a', 'b'], 'usual']]);
  });
});
