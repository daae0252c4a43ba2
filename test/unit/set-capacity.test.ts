import { describe, expect, test } from '@jest/globals';
import { silentLog } from '../../core/log.ts';
import {
  type CapacityOverride,
  readKeptOverride,
  readOverrideRequest,
  writeOverride,
} from '../../handlers/scale/capacity-override.ts';
import type { Capacity } from '../../handlers/scale/event-calendar.ts';
import { readCalendar } from '../../handlers/scale/read-calendar.ts';
import { setCapacity } from '../../handlers/scale/set-capacity.ts';

const base = { min: 2, max: 10 };
const event = { min: 10, max: 50 };
const calendar = readCalendar(
  JSON.stringify({
    timeZone: 'America/Argentina/Buenos_Aires',
    base,
    trailMinutes: 120,
    blackFriday: { from: '08:00', to: '23:00', ...event },
  }),
);
const inEvent = Date.parse('2026-11-27T20:00:00-03:00');
const afterEvent = Date.parse('2026-11-28T01:00:00-03:00');

/** A service with a range and a number of wanted tasks, and a place for an override. */
function makeService(range: Capacity | null, desired: number) {
  const state = { range, desired, override: null as CapacityOverride | null, canRead: true };
  const parts = {
    scaling: {
      range: async () => state.range,
      desiredTasks: async () => state.desired,
      register: async (capacity: Capacity) => {
        state.range = capacity;
        state.desired = Math.min(Math.max(state.desired, capacity.min), capacity.max);
      },
    },
    overrides: {
      read: async (now: number) => {
        if (!state.canRead) throw new Error('no answer');
        return state.override === null ? null : readKeptOverride(writeOverride(state.override), now);
      },
      write: async (override: CapacityOverride) => {
        state.override = override;
      },
      remove: async () => {
        state.override = null;
      },
    },
    calendar,
    log: silentLog,
    metrics: { addMetric: () => {} },
  };
  const call = (nowMillis: number, request: unknown = {}) =>
    setCapacity(parts as never, readOverrideRequest(request, calendar, nowMillis), nowMillis);
  return { state, call };
}

describe('the end of an event', () => {
  test('takes no busy task away: the range follows as tasks fall idle', async () => {
    const { state, call } = makeService(event, 40);
    expect(await call(afterEvent)).toMatchObject({ min: 2, max: 50, held: true });
    expect(state.desired).toBe(40);
    // The scaling may ask for more again meanwhile, and for less.
    state.desired = 45;
    await call(afterEvent);
    expect(state.desired).toBe(45);
    state.desired = 10;
    expect(await call(afterEvent)).toMatchObject({ min: 2, max: 10, held: false });
    expect(state.range).toEqual(base);
  });

  test('lets go at once where nobody is busy', async () => {
    const { state, call } = makeService(event, 10);
    await call(afterEvent);
    expect(state).toMatchObject({ range: base, desired: 10 });
  });

  test('is not held by a service that was never registered', async () => {
    const { state, call } = makeService(null, 0);
    expect(await call(afterEvent)).toMatchObject({ ...base, held: false });
    expect(state.range).toEqual(base);
  });
});

describe('an override', () => {
  const until = '2026-11-28T22:00';
  const request = { override: { min: 20, max: 40, until } };

  test('holds at once and through later calls until its end, on the clocks of the calendar’s zone', async () => {
    const { state, call } = makeService(base, 2);
    expect(await call(afterEvent, request)).toMatchObject({
      min: 20,
      max: 40,
      overrideUntil: '2026-11-29T01:00:00.000Z',
    });
    expect(await call(Date.parse('2026-11-28T21:59:00-03:00'))).toMatchObject({ min: 20, max: 40 });
    state.desired = 2;
    expect(await call(Date.parse('2026-11-28T22:00:00-03:00'))).toMatchObject({ ...base, overrideUntil: null });
  });

  test('never takes away what an event asks for', async () => {
    const { call } = makeService(event, 10);
    expect(await call(inEvent, { override: { min: 1, max: 20, until } })).toMatchObject(event);
  });

  test('ends before its time where that is said', async () => {
    const { call } = makeService(base, 2);
    await call(afterEvent, request);
    expect(await call(afterEvent, { override: null })).toMatchObject({ overrideUntil: null, min: 2 });
  });

  test('that can’t be read lets nothing down', async () => {
    const { state, call } = makeService({ min: 20, max: 40 }, 20);
    state.canRead = false;
    expect(await call(afterEvent)).toMatchObject({ min: 20, max: 40 });
  });

  test.each([
    [{ min: 0, max: 5, until }, 'override.min must be a whole number from 1 to 50'],
    [
      { min: 1, max: 51, until },
      'override.max must be a whole number from 1 to 50, for which the database has connections',
    ],
    [{ min: 6, max: 5, until }, 'override.min is more than override.max'],
    [{ min: 1, max: 5, until: '2026-11-28T00:30' }, 'override.until 2026-11-28T00:30 is past'],
    [{ min: 1, max: 5, until: '2027-11-28T00:30' }, 'more than 14 days away'],
    [{ min: 1, max: 5, until: 'tomorrow' }, 'override.until must be a time such as'],
    [{ min: 1, max: 5 }, 'override.until must be a time such as'],
    [{ min: 1, max: 5, until, hours: 3 }, 'override has an unknown name, hours'],
    ['20', 'override must be an object'],
  ])('that can’t be meant is refused in a sentence, and changes nothing: %j', (override, reason) => {
    expect(() => readOverrideRequest({ override }, calendar, afterEvent)).toThrow(reason);
  });
});
