import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Logger } from 'pino';
import { logLoad } from '../../containers/api/observe/log-load.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('the worst wait of ten seconds is one line, whose field the deployment makes a metric of; where none waited there is no line', () => {
  const lines: unknown[] = [];
  const ages = [0, 0, 2_500.4, 100, 0, 0, 0, 0, 0, 0, ...Array(10).fill(0.4), ...Array(10).fill(3)];
  const stop = logLoad(() => ages.shift() ?? 0, { info: (fields: unknown) => lines.push(fields) } as unknown as Logger);
  jest.advanceTimersByTime(30_000);
  stop();
  jest.advanceTimersByTime(20_000);
  expect(lines).toEqual([{ queueAgeMillis: 2500 }, { queueAgeMillis: 3 }]);
});
