import { describe, expect, test } from '@jest/globals';
import { timeMarks, valueMarks } from '../../containers/console/parts/axis-marks.ts';

const hour = 3_600;

/** The beginnings of so many hours, in seconds. */
const hoursFrom = (first: string, count: number) =>
  Array.from({ length: count }, (_hour, at) => Date.parse(first) / 1_000 + at * hour);

/** The midnights of UTC. */
const daysFrom = (first: string, count: number) =>
  Array.from({ length: count }, (_day, at) => Date.parse(first) / 1_000 + at * 24 * hour);

/** What stands at the marks, with blanks in the place of those that keep a time on one line. */
const labels = (times: number[], zone: string) =>
  timeMarks(times, zone).map(({ label }) => label.replaceAll('\u00a0', ' '));

describe('the marks of a chart', () => {
  test.each([
    [0, [0, 1]],
    [1, [0, 1]],
    [3, [0, 1, 2, 3]],
    [7, [0, 2, 4, 6, 8]],
    [11, [0, 5, 10, 15]],
    [26, [0, 10, 20, 30]],
    [1_999, [0, 500, 1_000, 1_500, 2_000]],
    [123_456, [0, 50_000, 100_000, 150_000]],
  ])('of numbers up to %d are whole, even and reach it', (highest, marks) => {
    expect(valueMarks(highest)).toEqual(marks);
  });

  test('of a day are every three hours, and its midnight is the day that begins', () => {
    expect(labels(hoursFrom('2026-11-27T10:00Z', 25), 'UTC')).toEqual([
      ...['12:00', '15:00', '18:00', '21:00', '28 Nov', '03:00', '06:00', '09:00'],
    ]);
  });

  test('of a week are its midnights on the clocks of the zone, half an hour beside UTC as well', () => {
    expect(labels(hoursFrom('2026-11-27T10:30Z', 7 * 24 + 1), 'Asia/Kolkata')).toEqual([
      ...['28 Nov', '29 Nov', '30 Nov', '1 Dec', '2 Dec', '3 Dec', '4 Dec'],
    ]);
  });

  test('of the night on which clocks are put back have the hour that comes twice once', () => {
    expect(labels(hoursFrom('2026-10-25T00:00Z', 5), 'Europe/Madrid')).toEqual(['02:00', '03:00', '04:00', '05:00']);
  });

  test('of few days are these, of a month its Mondays, of a year first days of a month', () => {
    expect(labels(daysFrom('2026-11-01', 7), 'UTC')).toHaveLength(7);
    expect(labels(daysFrom('2026-11-01', 30), 'UTC')).toEqual(['2 Nov', '9 Nov', '16 Nov', '23 Nov', '30 Nov']);
    expect(labels(daysFrom('2026-01-01', 365), 'UTC')).toEqual([
      ...['1 Jan', '1 Mar', '1 May', '1 Jul', '1 Sept', '1 Nov'],
    ]);
  });

  test('days are told by the day where a zone skips its midnight', () => {
    // Clocks there went from midnight to one on 6 September 2026.
    const days = ['2026-09-05T04:00Z', '2026-09-06T04:00Z', '2026-09-07T03:00Z'].map((at) => Date.parse(at) / 1_000);
    expect(labels(days, 'America/Santiago')).toEqual(['5 Sept', '6 Sept', '7 Sept']);
  });

  test('one step alone is marked, and none are none', () => {
    expect(labels(hoursFrom('2026-11-27T12:00Z', 1), 'UTC')).toEqual(['12:00']);
    expect(labels([], 'UTC')).toEqual([]);
  });
});
