import { expect, jest, test } from '@jest/globals';
import { Temporal } from 'temporal-polyfill';
import { stepsOf } from '../../core/events/report-rules.ts';

const minute = 60_000;
/** How long the steps are, in minutes, and when the first one begins. */
function lengths(from: string, to: string, step: 'hour' | 'day', zone: string, most = 10_000) {
  const bounds = stepsOf(new Date(from), new Date(to), step, zone, most)!;
  return {
    first: new Date(bounds[0]!).toISOString(),
    minutes: bounds.slice(1).map((bound, at) => (bound - bounds[at]!) / minute),
  };
}

test('hours and days begin where the clocks of the zone say, also where they are half an hour or 45 minutes apart', () => {
  expect(lengths('2026-11-27T12:10:00Z', '2026-11-27T14:00:00Z', 'hour', 'UTC')).toEqual({
    first: '2026-11-27T12:00:00.000Z',
    minutes: [60, 60],
  });
  expect(lengths('2026-11-27T12:10:00Z', '2026-11-27T13:00:00Z', 'hour', 'Asia/Kathmandu')).toEqual({
    first: '2026-11-27T11:15:00.000Z',
    minutes: [60, 60],
  });
  expect(lengths('2026-11-27T12:10:00Z', '2026-11-27T12:11:00Z', 'day', 'Asia/Kolkata')).toEqual({
    first: '2026-11-26T18:30:00.000Z',
    minutes: [1440],
  });
});

test('a day has 23 or 25 hours at a change of clocks, and each of them is there', () => {
  const spring = ['2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00'] as const;
  const autumn = ['2026-10-25T00:00:00+02:00', '2026-10-26T00:00:00+01:00'] as const;
  expect(lengths(...spring, 'day', 'Europe/Berlin').minutes).toEqual([23 * 60]);
  expect(lengths(...spring, 'hour', 'Europe/Berlin').minutes).toEqual(new Array(23).fill(60));
  expect(lengths(...autumn, 'day', 'Europe/Berlin').minutes).toEqual([25 * 60]);
  expect(lengths(...autumn, 'hour', 'Europe/Berlin').minutes).toEqual(new Array(25).fill(60));
});

test('where clocks move by half an hour, what they skip is missing and what they show twice is there twice', () => {
  const back = lengths('2026-04-04T13:00:00Z', '2026-04-04T18:00:00Z', 'hour', 'Australia/Lord_Howe');
  expect(back.minutes.reduce((a, b) => a + b)).toBe(330);
  expect(back).toEqual({ first: '2026-04-04T13:00:00.000Z', minutes: [60, 60, 30, 60, 60, 60] });
  const forward = lengths('2026-10-03T13:30:00Z', '2026-10-03T17:30:00Z', 'hour', 'Australia/Lord_Howe');
  expect(forward.minutes.reduce((a, b) => a + b) % 30).toBe(0);
  expect(forward.minutes).toContain(30);
});

test('midnights that clocks skip, and days that a zone never had, are no trouble', () => {
  expect(lengths('2018-11-03T12:00:00Z', '2018-11-05T12:00:00Z', 'day', 'America/Sao_Paulo').minutes).toEqual([
    1440, 1380, 1440,
  ]);
  // Samoa left out 30 December 2011.
  expect(lengths('2011-12-29T12:00:00-10:00', '2011-12-31T12:00:00+14:00', 'day', 'Pacific/Apia').minutes).toEqual([
    1440, 1440,
  ]);
});

test('more steps than allowed are none, found out without counting them all', () => {
  expect(stepsOf(new Date(0), new Date('9999-01-01T00:00:00Z'), 'hour', 'Europe/Berlin', 100)).toBeNull();
  expect(stepsOf(new Date(0), new Date(100 * 60 * minute), 'hour', 'UTC', 100)).toHaveLength(101);
});

test('a year by the hour asks the zone when its clocks change, and not about each hour', () => {
  const zoned = Temporal.ZonedDateTime.prototype;
  const asked = (['round', 'add', 'getTimeZoneTransition', 'toPlainDate'] as const).map((name) =>
    jest.spyOn(zoned, name),
  );
  const year = lengths('2025-12-31T23:00:00Z', '2026-12-31T23:00:00Z', 'hour', 'Europe/Berlin');
  const times = asked.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  for (const spy of asked) spy.mockRestore();
  expect(year.minutes).toEqual(new Array(365 * 24).fill(60));
  expect(times).toBeGreaterThan(0);
  expect(times).toBeLessThan(50);
});
