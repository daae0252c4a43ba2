import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { limitRepeats } from '../../containers/api/observe/limit-repeats.ts';
import type { Log } from '../../core/index.ts';

let lines: [string, object, string][];
let told: number;
let log: Log;
beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  told = 0;
  const write = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message]);
  log = limitRepeats({ info: write('info'), warn: write('warn'), error: write('error') }, () => {
    told += 1;
  });
});
afterEach(() => {
  jest.useRealTimers();
});

const lost = { name: 'Error', message: 'Connection terminated unexpectedly', stack: 'at' };

test('an outage of three seconds makes four lines, which tell of every failure', () => {
  for (let count = 0; count < 300; count += 1) {
    log.error({ queue: 'changes', members: count, error: lost }, 'a batch failed');
    jest.advanceTimersByTime(10);
  }
  jest.advanceTimersByTime(60_000);
  expect(lines.map(([level, fields]) => [level, fields])).toEqual([
    ['error', { queue: 'changes', members: 0, error: lost }],
    ['error', { queue: 'changes', members: 99, error: lost, repeats: 99 }],
    ['error', { queue: 'changes', members: 199, error: lost, repeats: 100 }],
    ['error', { queue: 'changes', members: 299, error: lost, repeats: 100 }],
  ]);
  expect(told).toBe(300);
});

test('trouble of another kind is told at once: another message, queue, level or error', () => {
  log.error({ queue: 'changes', error: lost }, 'a batch failed');
  log.error({ queue: 'deals', error: lost }, 'a batch failed');
  log.error({ queue: 'changes', error: { sqlState: '53100' } }, 'a batch failed');
  log.error({ queue: 'changes', error: { sqlState: '57P01' } }, 'a batch failed');
  log.error({ error: { ...lost, message: 'getaddrinfo ENOTFOUND' } }, 'unavailable');
  log.error({ error: lost }, 'unavailable');
  log.warn({ error: lost }, 'unavailable');
  expect(lines).toHaveLength(7);
});

test('what is no trouble is never left out', () => {
  for (let count = 0; count < 5; count += 1) log.info({}, 'request');
  expect(lines).toHaveLength(5);
});

test('after a quiet second the same trouble is told at once again', () => {
  log.error({ error: lost }, 'unavailable');
  jest.advanceTimersByTime(1_000);
  log.error({ error: lost }, 'unavailable');
  expect(lines).toHaveLength(2);
});

test('more kinds than there can be are all told, and not remembered', () => {
  for (let kind = 0; kind < 500; kind += 1) log.error({}, `kind ${kind}`);
  expect([lines.length, jest.getTimerCount()]).toEqual([500, 200]);
});
