import { Temporal } from 'temporal-polyfill';
import type { BlackFriday, Calendar, CalendarEvent, Capacity } from './event-calendar.ts';

/** AWS allows 5,000 tasks for a service. This bound is far lower, to catch mistyped numbers. */
const mostTasks = 1_000;
const mostEvents = 1_000;
const mostPaddingMinutes = 240;
const defaultLeadMinutes = 15;
const defaultTrailMinutes = 120;

/**
 * Reads the calendar from its JSON, as in
 * `{"timeZone":"America/New_York","base":{"min":2,"max":10},
 * "blackFriday":{"from":"08:00","to":"23:00","min":10,"max":50},
 * "events":[{"name":"cyber-monday","start":"2026-11-30T08:00","end":"2026-12-01T01:00","min":6,"max":30}]}`.
 * `blackFriday` may be null, `events`, `leadMinutes` and `trailMinutes` may be missing. Events may overlap: the larger
 * numbers hold.
 * @throws Error of one line: an unknown name, a bad value, an event below the base, two events of one name
 */
export function readCalendar(json: string): Calendar {
  const fields = objectOf(parse(json), 'the calendar', [
    'timeZone',
    'base',
    'leadMinutes',
    'trailMinutes',
    'blackFriday',
    'events',
  ]);
  const base = readCapacity(objectOf(fields['base'], 'base', ['min', 'max']), 'base');
  return {
    timeZone: readTimeZone(fields['timeZone']),
    base,
    leadMinutes: whole(fields['leadMinutes'] ?? defaultLeadMinutes, 'leadMinutes', 0, mostPaddingMinutes),
    trailMinutes: whole(fields['trailMinutes'] ?? defaultTrailMinutes, 'trailMinutes', 0, mostPaddingMinutes),
    blackFriday: readBlackFriday(fields['blackFriday'], base),
    events: readEvents(fields['events'] ?? [], base),
  };
}

function readBlackFriday(value: unknown, base: Capacity): BlackFriday | null {
  if (value === null) return null;
  const fields = objectOf(value, 'blackFriday', ['from', 'to', 'min', 'max']);
  const from = textOf(fields['from'], 'blackFriday.from');
  const to = textOf(fields['to'], 'blackFriday.to');
  return {
    from: asTime(from, 'blackFriday.from'),
    to: asTime(to, 'blackFriday.to'),
    ...readEventCapacity(fields, 'blackFriday', base),
  };
}

function readEvents(value: unknown, base: Capacity): CalendarEvent[] {
  if (!Array.isArray(value) || value.length > mostEvents)
    throw new Error(`events must be at most ${mostEvents} events`);
  const names = new Set<string>();
  return value.map((item: unknown, index) => {
    const fields = objectOf(item, `events[${index}]`, ['name', 'start', 'end', 'min', 'max']);
    const name = textOf(fields['name'], `events[${index}].name`);
    if (names.has(name)) throw new Error(`the event ${name} is there twice`);
    names.add(name);
    const start = asDateTime(fields['start'], `${name}.start`);
    const end = asDateTime(fields['end'], `${name}.end`);
    if (Temporal.PlainDateTime.compare(start, end) >= 0) throw new Error(`the event ${name} ends before it starts`);
    return { name, start, end, ...readEventCapacity(fields, name, base) };
  });
}

/** An event that asks for less than the base would take tasks away from normal traffic. */
function readEventCapacity(fields: Record<string, unknown>, name: string, base: Capacity): Capacity {
  const capacity = readCapacity(fields, name);
  if (capacity.min < base.min || capacity.max < base.max) throw new Error(`the event ${name} is smaller than the base`);
  return capacity;
}

function readCapacity(fields: Record<string, unknown>, name: string): Capacity {
  const min = whole(fields['min'], `${name}.min`, 1, mostTasks);
  const max = whole(fields['max'], `${name}.max`, 1, mostTasks);
  if (min > max) throw new Error(`${name}.min is more than ${name}.max`);
  return { min, max };
}

/** A name of the IANA list. An offset such as -03:00, or EST, knows no change of clocks, and is refused. */
const zoneName = /^(UTC|[A-Za-z]{1,20}(\/[A-Za-z0-9_+-]{1,40}){1,2})$/;

function readTimeZone(value: unknown): string {
  const zone = textOf(value, 'timeZone');
  if (!zoneName.test(zone)) throw new Error(`timeZone ${zone} is not an IANA time zone such as America/New_York`);
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone).timeZoneId;
  } catch {
    throw new Error(`timeZone ${zone} is not an IANA time zone such as America/New_York`);
  }
}

function asTime(text: string, name: string): Temporal.PlainTime {
  if (!/^\d\d:\d\d$/.test(text)) throw new Error(`${name} must be a time like 08:00`);
  return strictly(() => Temporal.PlainTime.from(text, { overflow: 'reject' }), name);
}

function asDateTime(value: unknown, name: string): Temporal.PlainDateTime {
  const text = textOf(value, name);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text)) throw new Error(`${name} must be a local time like 2026-12-24T08:00`);
  return strictly(() => Temporal.PlainDateTime.from(text, { overflow: 'reject' }), name);
}

function strictly<T>(read: () => T, name: string): T {
  try {
    return read();
  } catch {
    throw new Error(`${name} is not a time that exists`);
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error('the calendar is not JSON');
  }
}

/** Refuses unknown names: with a mistyped one the default would be used, and nobody told. */
function objectOf(value: unknown, name: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} must be an object`);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Error(`${name} has an unknown name, ${unknown}`);
  return { ...value };
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '' || value.length > 100) {
    throw new Error(`${name} must be a text of 1 to 100 characters`);
  }
  return value;
}

function whole(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new Error(`${name} must be a whole number from ${least} to ${most}`);
  }
  return value;
}
