import { ModernFakeTimers } from '@jest/fake-timers';
import type * as Globals from '@jest/globals';
import { ModuleMocker } from 'jest-mock';
import { setTestTimeout } from './test-timeout.ts';

// What `@jest/globals` is to the tests (see load-tests-natively.ts).

const mocker = new ModuleMocker(globalThis);
// Of a project's settings it reads this one alone.
const timers = new ModernFakeTimers({ global: globalThis, config: { fakeTimers: {} } as never });

/** What the tests use of Jest's own object. There is no mocking of modules, which Jest does by loading them itself. */
export const jest = {
  fn: mocker.fn.bind(mocker),
  spyOn: mocker.spyOn.bind(mocker),
  replaceProperty: mocker.replaceProperty.bind(mocker),
  restoreAllMocks: mocker.restoreAllMocks.bind(mocker),
  setTimeout: setTestTimeout,
  useFakeTimers: timers.useFakeTimers.bind(timers),
  useRealTimers: timers.useRealTimers.bind(timers),
  advanceTimersByTime: timers.advanceTimersByTime.bind(timers),
  advanceTimersByTimeAsync: timers.advanceTimersByTimeAsync.bind(timers),
  getTimerCount: timers.getTimerCount.bind(timers),
};

/** The runner has made them global. */
export const { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } =
  globalThis as unknown as typeof Globals;
