import { Temporal } from 'temporal-polyfill';
import { Fault } from './field-rules.ts';

/**
 * A point in time as a caller gave it: with an offset it is an instant, which is kept as RFC 3339 in UTC with
 * milliseconds (finer digits are cut off); without one it is a local date-time that a time zone has yet to place, and
 * without a time of day a whole day of that zone.
 */
export type GivenTime = { instant: string } | { local: string } | { day: string };

/**
 * Which side of a window a time bounds. Only for a day it makes a difference: a window has the whole of its last day.
 */
export type WindowEdge = 'start' | 'end';

const dayShape = /^\d{4}-\d{2}-\d{2}$/;
const shape = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(?::[0-5]\d(?:\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?$/;
const zoneName = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;
/** Four digits of a year, as RFC 3339 has them, and nothing that PostgreSQL and JavaScript would write differently. */
const years = { first: 1970, last: 9999 };

const howToWrite =
  'must be a date and a time of day such as 2026-11-27T00:00:00-03:00, or 2026-11-27T00:00:00 for local time in timeZone, or 2026-11-27 for the whole day there';

/** Reads a time with or without an offset, or a day. Times lie in the years 1970 to 9999 of UTC. */
export function readTime(value: string): GivenTime | Fault {
  const isDay = dayShape.test(value);
  const parts = shape.exec(value);
  if (parts === null && !isDay) return new Fault(howToWrite);
  try {
    if (parts === null) return { day: Temporal.PlainDate.from(value, { overflow: 'reject' }).toString() };
    if (parts[1] === undefined) return { local: Temporal.PlainDateTime.from(value, { overflow: 'reject' }).toString() };
    return instantOf(Temporal.Instant.from(value));
  } catch {
    return new Fault('is not a day and time that the calendar has; check the month, the day, the hour and the offset');
  }
}

/**
 * Places a time on the line of instants: RFC 3339 in UTC with milliseconds. A local time that the zone skips or has
 * twice is a fault that names what to write instead, since guessing would move a campaign by an hour.
 * @param zone a zone that readZone has accepted
 * @param edge a day that starts a window is its own first moment; one that ends it, the first moment of the next day
 */
export function placeTime(time: GivenTime, zone: string, edge: WindowEdge): string | Fault {
  if ('instant' in time) return time.instant;
  if ('day' in time) return placeDay(time.day, zone, edge);
  const local = Temporal.PlainDateTime.from(time.local);
  const earlier = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  const later = local.toZonedDateTime(zone, { disambiguation: 'later' });
  if (earlier.equals(later)) return textOf(earlier.toInstant());
  const choices = `${withOffset(earlier)} or ${withOffset(later)}`;
  if (earlier.toPlainDateTime().equals(local)) {
    return new Fault(`is a local time that ${zone} has twice, when its clocks go back; say which one: ${choices}`);
  }
  return new Fault(`is a local time that ${zone} does not have, since its clocks go forward then; use ${choices}`);
}

/**
 * The first moment of a day is midnight, or what its clocks show first where midnight is skipped, or the earlier of two
 * midnights: nobody who writes a day means anything else, so nothing has to be asked back.
 */
function placeDay(day: string, zone: string, edge: WindowEdge): string | Fault {
  const date = Temporal.PlainDate.from(day);
  const first = edge === 'start' ? date : date.add({ days: 1 });
  return textOf(first.toZonedDateTime(zone).toInstant());
}

/**
 * Reads the name of an IANA time zone, such as `America/Argentina/Buenos_Aires`, in upper or lower case: gives it as
 * the list of zones spells it.
 */
export function readZone(value: string): string | Fault {
  const fault = new Fault('must be the name of an IANA time zone, such as America/Argentina/Buenos_Aires or UTC');
  if (!zoneName.test(value)) return fault;
  try {
    const zone = Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(value).timeZoneId;
    return zone.toUpperCase() === 'UTC' ? 'UTC' : zone;
  } catch {
    return fault;
  }
}

function instantOf(instant: Temporal.Instant): { instant: string } | Fault {
  const year = instant.toZonedDateTimeISO('UTC').year;
  if (year < years.first || year > years.last) {
    return new Fault(`must lie in the years ${years.first} to ${years.last}`);
  }
  return { instant: instant.toString({ fractionalSecondDigits: 3 }) };
}

function textOf(instant: Temporal.Instant): string | Fault {
  const placed = instantOf(instant);
  return placed instanceof Fault ? placed : placed.instant;
}

function withOffset(time: Temporal.ZonedDateTime): string {
  return time.toString({ timeZoneName: 'never' });
}
