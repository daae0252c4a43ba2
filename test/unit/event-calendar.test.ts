import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import {
  blackFridayOf,
  type Calendar,
  capacityAt,
  mostTasksOf,
  pastEvents,
} from '../../handlers/scale/event-calendar.ts';
import { readCalendar } from '../../handlers/scale/read-calendar.ts';

const base = { min: 2, max: 10 };
const peak = { min: 10, max: 50 };
const hours = { from: '08:00', to: '23:00' };

function calendar(changes: object = {}): Calendar {
  return readCalendar(
    JSON.stringify({
      timeZone: 'America/New_York',
      base,
      leadMinutes: 0,
      trailMinutes: 0,
      blackFriday: { ...hours, ...peak },
      ...changes,
    }),
  );
}

/** The capacity at a time told with its offset, as in 2026-11-27T08:00-05:00. */
function at(subject: Calendar, moment: string) {
  return capacityAt(subject, Temporal.Instant.from(moment).epochMilliseconds).capacity;
}

describe('Black Friday', () => {
  /** From the calendars of the years. */
  const days: Record<number, number> = {
    2024: 29,
    2025: 28,
    2026: 27,
    2027: 26,
    2028: 24,
    2029: 23,
    2030: 29,
    2031: 28,
    2032: 26,
    2033: 25,
    2034: 24,
    2035: 23,
    2036: 28,
    2037: 27,
    2038: 26,
    2039: 25,
    2040: 23,
  };

  test.each(Object.entries(days))('of %s is on November %s, the day after the fourth Thursday', (year, day) => {
    expect(blackFridayOf(Number(year)).toString()).toBe(`${year}-11-${day}`);
  });

  test('is not the fourth Friday in the years whose November begins on a Friday', () => {
    for (const year of [2024, 2030]) {
      const first = Temporal.PlainDate.from({ year, month: 11, day: 1 });
      expect(first.dayOfWeek).toBe(5);
      expect(blackFridayOf(year).day).toBe(29);
      expect(first.add({ days: 21 }).day).toBe(22);
    }
  });

  test('of any year is a Friday whose Thursday is the fourth of November', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1970, max: 2400 }), (year) => {
        const friday = blackFridayOf(year);
        const thursday = friday.subtract({ days: 1 });
        expect([friday.dayOfWeek, thursday.month, Math.ceil(thursday.day / 7)]).toEqual([5, 11, 4]);
      }),
    );
  });
});

describe('the capacity', () => {
  test.each([
    ['America/New_York', '-05:00'],
    ['America/Argentina/Buenos_Aires', '-03:00'],
    ['Europe/Madrid', '+01:00'],
    ['Asia/Kolkata', '+05:30'],
    ['Asia/Kathmandu', '+05:45'],
    ['Pacific/Auckland', '+13:00'],
    ['Pacific/Kiritimati', '+14:00'],
    ['UTC', '+00:00'],
  ])('in %s is the event’s from 08:00 to 23:00 on its own clocks, every year to 2040', (timeZone, offset) => {
    const subject = calendar({ timeZone });
    for (let year = 2024; year <= 2040; year += 1) {
      const day = blackFridayOf(year).toString();
      expect(at(subject, `${day}T07:59:59.999${offset}`)).toEqual(base);
      expect(at(subject, `${day}T08:00${offset}`)).toEqual(peak);
      expect(at(subject, `${day}T22:59:59.999${offset}`)).toEqual(peak);
      expect(at(subject, `${day}T23:00${offset}`)).toEqual(base);
    }
  });

  test('is there some minutes before an event begins and stays some minutes after its end', () => {
    const subject = calendar({ leadMinutes: 15, trailMinutes: 5 });
    expect(at(subject, '2026-11-27T07:44:59-05:00')).toEqual(base);
    expect(at(subject, '2026-11-27T07:45-05:00')).toEqual(peak);
    expect(at(subject, '2026-11-27T23:04:59-05:00')).toEqual(peak);
    expect(at(subject, '2026-11-27T23:05-05:00')).toEqual(base);
  });

  test('of a Black Friday that ends on the Saturday spans midnight', () => {
    const subject = calendar({ blackFriday: { from: '20:00', to: '02:00', ...peak } });
    expect(at(subject, '2026-11-27T19:59-05:00')).toEqual(base);
    expect(at(subject, '2026-11-28T00:00-05:00')).toEqual(peak);
    expect(at(subject, '2026-11-28T01:59-05:00')).toEqual(peak);
    expect(at(subject, '2026-11-28T02:00-05:00')).toEqual(base);
  });

  test('of an event over the turn of the year is the same in both years', () => {
    const newYear = { name: 'new-year', start: '2026-12-31T20:00', end: '2027-01-01T04:00', min: 4, max: 20 };
    const subject = calendar({ events: [newYear] });
    for (const moment of ['2026-12-31T20:00-05:00', '2026-12-31T23:59-05:00', '2027-01-01T03:59-05:00']) {
      expect(at(subject, moment)).toEqual({ min: 4, max: 20 });
    }
    expect(at(subject, '2027-01-01T04:00-05:00')).toEqual(base);
  });

  test('never drops below the base or below an event that is on, whatever the moment', () => {
    const cyber = { name: 'cyber', start: '2026-11-27T23:00', end: '2026-11-28T08:00', min: 5, max: 60 };
    const subject = calendar({ events: [cyber], leadMinutes: 60, trailMinutes: 30 });
    const start = Date.parse('2026-11-26T00:00:00Z');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 * 86_400_000 }), (offset) => {
        const { capacity, events } = capacityAt(subject, start + offset);
        expect(capacity.min).toBeGreaterThanOrEqual(events.includes('black-friday-2026') ? 10 : base.min);
        expect(capacity.max).toBeGreaterThanOrEqual(events.includes('cyber') ? 60 : base.max);
      }),
    );
    expect(at(subject, '2026-11-27T22:30-05:00')).toEqual({ min: 10, max: 60 });
  });

  test('where clocks change is given for the longest reading of the local times', () => {
    // At 02:00 on 8 March 2026 the clocks of New York go to 03:00; on 1 November 01:00 to 02:00 comes twice.
    const gap = { name: 'gap', start: '2026-03-08T02:30', end: '2026-03-08T06:00', min: 3, max: 20 };
    const twice = { name: 'twice', start: '2026-11-01T01:30', end: '2026-11-01T01:45', min: 3, max: 20 };
    const subject = calendar({ events: [gap, twice] });
    expect(at(subject, '2026-03-08T01:29:59-05:00')).toEqual(base);
    expect(at(subject, '2026-03-08T01:30-05:00')).toEqual({ min: 3, max: 20 });
    expect(at(subject, '2026-11-01T01:30-04:00')).toEqual({ min: 3, max: 20 });
    expect(at(subject, '2026-11-01T01:44:59-05:00')).toEqual({ min: 3, max: 20 });
    expect(at(subject, '2026-11-01T01:45-05:00')).toEqual(base);
  });

  test('without Black Friday and events is the base', () => {
    expect(at(calendar({ blackFriday: null }), '2026-11-27T12:00-05:00')).toEqual(base);
  });
});

describe('events that overlap', () => {
  test('give the larger numbers while both last, and each its own before and after', () => {
    const week = { name: 'black-week', start: '2026-11-23T00:00', end: '2026-11-30T00:00', min: 5, max: 60 };
    const both = calendar({ events: [week] });
    expect(at(both, '2026-11-25T12:00-05:00')).toEqual({ min: 5, max: 60 });
    expect(at(both, '2026-11-27T12:00-05:00')).toEqual({ min: peak.min, max: 60 });
    expect(at(both, '2026-12-02T12:00-05:00')).toEqual(base);
    expect(mostTasksOf(both)).toBe(60);
  });
});

describe('an event that is over', () => {
  test('is told by its name from its end on, and Black Friday, which comes again, is not', () => {
    const sale = { name: 'sale', start: '2025-12-01T00:00', end: '2025-12-02T00:00', ...peak };
    const zone = calendar({ events: [sale] });
    expect(pastEvents(zone, Date.parse('2025-12-01T23:59:00-05:00'))).toEqual([]);
    expect(pastEvents(zone, Date.parse('2025-12-02T00:00:00-05:00'))).toEqual(['sale']);
  });
});

describe('a calendar', () => {
  test.each([
    ['no JSON', '{', 'the calendar is not JSON'],
    ['a list', '[]', 'the calendar must be an object'],
    ['an offset for a zone', JSON.stringify({ timeZone: '-03:00', base, blackFriday: null }), 'not an IANA time zone'],
    [
      'an abbreviation for a zone',
      JSON.stringify({ timeZone: 'EST', base, blackFriday: null }),
      'not an IANA time zone',
    ],
    ['a zone that there is not', JSON.stringify({ timeZone: 'America/Atlantis', base, blackFriday: null }), 'Atlantis'],
    ['a mistyped name', JSON.stringify({ timeZone: 'UTC', base, blackfriday: null }), 'unknown name, blackfriday'],
    ['no word of Black Friday', JSON.stringify({ timeZone: 'UTC', base }), 'blackFriday must be an object'],
    [
      'a least above the most',
      JSON.stringify({ timeZone: 'UTC', base: { min: 3, max: 2 }, blackFriday: null }),
      'base.min',
    ],
    ['no task at all', JSON.stringify({ timeZone: 'UTC', base: { min: 0, max: 2 }, blackFriday: null }), 'base.min'],
  ])('with %s is refused in a sentence', (_what, json, message) => {
    expect(() => readCalendar(json)).toThrow(message);
  });

  test.each([
    ['smaller than the base', { start: '2026-12-01T00:00', end: '2026-12-02T00:00', min: 1, max: 50 }],
    ['that ends before it starts', { start: '2026-12-02T00:00', end: '2026-12-01T00:00', ...peak }],
    ['on a day that there is not', { start: '2027-02-29T00:00', end: '2027-03-01T00:00', ...peak }],
    ['with seconds or a zone', { start: '2026-12-01T00:00:00Z', end: '2026-12-02T00:00', ...peak }],
  ])('with an event %s is refused', (_what, fields) => {
    expect(() => calendar({ events: [{ name: 'sale', ...fields }] })).toThrow(/sale/);
  });

  test('with an hour that there is not is refused', () => {
    expect(() => calendar({ blackFriday: { from: '08:00', to: '24:30', ...peak } })).toThrow('blackFriday.to');
  });
});
