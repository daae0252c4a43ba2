import { Temporal } from 'temporal-polyfill';
import { Fault } from './field-rules.ts';

/**
 * A point in time as a caller gave it: with an offset it is an instant, which is kept as RFC 3339 in UTC with
 * milliseconds (finer digits are cut off); without one it is a local date-time that a time zone has yet to place.
 */
export type GivenTime = { instant: string } | { local: string };

const shape = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(?::[0-5]\d(?:\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?$/;
const zoneName = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;
/** Four digits of a year, as RFC 3339 has them, and nothing that PostgreSQL and JavaScript would write differently. */
const years = { first: 1970, last: 9999 };

const howToWrite =
  'must be a date and a time of day such as 2026-11-27T00:00:00-03:00, or 2026-11-27T00:00:00 for local time in timeZone';

/** Reads a time with or without an offset. Times lie in the years 1970 to 9999 of UTC. */
export function readTime(value: unknown): GivenTime | Fault {
  if (typeof value !== 'string') return new Fault(howToWrite);
  const parts = shape.exec(value);
  if (parts === null) return new Fault(howToWrite);
  try {
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
 */
export function placeTime(time: GivenTime, zone: string): string | Fault {
  if ('instant' in time) return time.instant;
  const local = Temporal.PlainDateTime.from(time.local);
  const earlier = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  const later = local.toZonedDateTime(zone, { disambiguation: 'later' });
  if (earlier.equals(later)) {
    const placed = instantOf(earlier.toInstant());
    return placed instanceof Fault ? placed : placed.instant;
  }
  const choices = `${withOffset(earlier)} or ${withOffset(later)}`;
  if (earlier.toPlainDateTime().equals(local)) {
    return new Fault(`is a local time that ${zone} has twice, when its clocks go back; say which one: ${choices}`);
  }
  return new Fault(`is a local time that ${zone} does not have, since its clocks go forward then; use ${choices}`);
}

/** Reads the name of an IANA time zone, such as `America/Argentina/Buenos_Aires`, in the case that the zone's list has. */
export function readZone(value: unknown): string | Fault {
  const fault = new Fault('must be the name of an IANA time zone, such as America/Argentina/Buenos_Aires or UTC');
  if (typeof value !== 'string' || !zoneName.test(value)) return fault;
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

function withOffset(time: Temporal.ZonedDateTime): string {
  return time.toString({ timeZoneName: 'never' });
}
