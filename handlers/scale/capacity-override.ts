import { Temporal } from 'temporal-polyfill';
import { type Calendar, type Capacity, mostTasksOf } from './event-calendar.ts';

/** A capacity that an operator has asked for until a moment, for a surge that is in no calendar. */
export interface CapacityOverride extends Capacity {
  /** Milliseconds since the Unix epoch. */
  untilMillis: number;
}

/** What a call asks for: to set an override, to end it, or neither. */
export type OverrideRequest = { set: CapacityOverride } | 'end' | null;

const dayMillis = 86_400_000;
/** For longer, write an event into the calendar. */
const longestDays = 14;

/**
 * Reads a call's event: `{"override":{"min":20,"max":40,"until":"2026-11-28T22:00"}}`, `{"override":null}` to end it,
 * or anything else, such as a schedule's or CloudFormation's. `until` is an RFC 3339 time, or a local one in the
 * calendar's zone.
 * @throws Error of one line: more tasks than the database has connections for, or an end that is past or too far away
 */
export function readOverrideRequest(event: unknown, calendar: Calendar, nowMillis: number): OverrideRequest {
  if (typeof event !== 'object' || event === null || !('override' in event)) return null;
  const { override } = event;
  if (override === null) return 'end';
  if (typeof override !== 'object') throw new Error('override must be an object with min, max and until, or null');
  const { min, max, until, ...more } = override as Record<string, unknown>;
  const unknown = Object.keys(more)[0];
  if (unknown !== undefined) throw new Error(`override has an unknown name, ${unknown}`);
  const most = mostTasksOf(calendar);
  const set = { min: tasks(min, 'min', most), max: tasks(max, 'max', most), untilMillis: endOf(until, calendar) };
  if (set.min > set.max) throw new Error('override.min is more than override.max');
  if (set.untilMillis <= nowMillis) throw new Error(`override.until ${String(until)} is past`);
  if (set.untilMillis > nowMillis + longestDays * dayMillis) {
    throw new Error(`override.until is more than ${longestDays} days away: write an event into resources/stages.yml`);
  }
  return { set };
}

/** The override as it is kept, on one line that a person can read. */
export function writeOverride({ min, max, untilMillis }: CapacityOverride): string {
  return JSON.stringify({ min, max, until: new Date(untilMillis).toISOString() });
}

/** Reads what writeOverride wrote; null where it is over at `nowMillis`. What can't be read is an Error. */
export function readKeptOverride(text: string, nowMillis: number): CapacityOverride | null {
  const { min, max, until } = JSON.parse(text) as { min: number; max: number; until: string };
  const untilMillis = Temporal.Instant.from(until).epochMilliseconds;
  return nowMillis < untilMillis ? { min, max, untilMillis } : null;
}

function tasks(value: unknown, name: string, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(`override.${name} must be a whole number from 1 to ${most}, for which the database has connections`);
}

function endOf(until: unknown, { timeZone }: Calendar): number {
  const text = typeof until === 'string' ? until : '';
  try {
    if (/(Z|[+-]\d\d:\d\d)$/i.test(text)) return Temporal.Instant.from(text).epochMilliseconds;
    const local = Temporal.PlainDateTime.from(text, { overflow: 'reject' });
    return local.toZonedDateTime(timeZone, { disambiguation: 'later' }).epochMilliseconds;
  } catch {
    throw new Error(
      'override.until must be a time such as 2026-11-28T22:00, in the calendar’s zone, or with an offset',
    );
  }
}
