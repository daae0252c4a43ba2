import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Logger } from 'pino';
import { logLoad } from '../../containers/api/observe/log-load.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('ten seconds with load are one line, whose fields the deployment makes metrics of; without load there is no line', () => {
  const lines: unknown[] = [];
  const ages = [0, 0, 2_500.4, 100, 0, 0, 0, 0, 0, 0, ...Array(10).fill(0.4), ...Array(10).fill(3)];
  let second = 0;
  const sums = { batches: 0, members: 0, fallbacks: 0 };
  const sources = {
    queueAgeMillis: () => {
      second += 1;
      if (second === 5) Object.assign(sums, { batches: 3, members: 40, fallbacks: 2 });
      return ages.shift() ?? 0;
    },
    lightQueueAgeMillis: () => (second === 4 ? 80.6 : 0),
    poolWaiting: () => (second === 25 ? 7 : 0),
    sums: () => ({ ...sums }),
  };
  const stop = logLoad(sources, { info: (fields: unknown) => lines.push(fields) } as unknown as Logger);
  jest.advanceTimersByTime(30_000);
  stop();
  jest.advanceTimersByTime(20_000);
  expect(lines).toEqual([
    { queueAgeMillis: 2500, lightQueueAgeMillis: 81, poolWaiting: 0, fallbacks: 2, batchMembers: 13.3 },
    { queueAgeMillis: 3, lightQueueAgeMillis: 0, poolWaiting: 7, fallbacks: 0 },
  ]);
});
