import { Temporal } from 'temporal-polyfill';

/** How many tasks the service may have. */
export interface Capacity {
  min: number;
  max: number;
}

/** A time of high demand: from `start` until just before `end`, both on the clocks of the calendar's zone. */
export interface CalendarEvent extends Capacity {
  name: string;
  start: Temporal.PlainDateTime;
  end: Temporal.PlainDateTime;
}

/** Black Friday of every year. An end that is not after the start lies on the Saturday. */
export interface BlackFriday extends Capacity {
  from: Temporal.PlainTime;
  to: Temporal.PlainTime;
}

/** When the service needs which capacity. */
export interface Calendar {
  /** An IANA time zone, as in `America/New_York`. */
  timeZone: string;
  /** Outside of every event. */
  base: Capacity;
  /** Minutes before an event when its capacity is set: new tasks need time to start and to pass their health checks. */
  leadMinutes: number;
  /** Minutes after an event while its capacity stays. */
  trailMinutes: number;
  blackFriday: BlackFriday | null;
  events: CalendarEvent[];
}

/** An event between two points of time. */
interface Occurrence extends Capacity {
  name: string;
  startMillis: number;
  endMillis: number;
}

const minuteMillis = 60_000;
const thursday = 4;
const daysOfWeek = 7;

/**
 * The day after the fourth Thursday of November. It is not the fourth Friday in the years whose November begins on a
 * Friday, as in 2024 and 2030.
 */
export function blackFridayOf(year: number): Temporal.PlainDate {
  const first = Temporal.PlainDate.from({ year, month: 11, day: 1 });
  const toFirstThursday = (thursday - first.dayOfWeek + daysOfWeek) % daysOfWeek;
  return first.add({ days: toFirstThursday + 3 * daysOfWeek + 1 });
}

/**
 * What the calendar asks for at a moment, and for which events. Where one event's lead meets another's trail the larger
 * numbers hold.
 * @param nowMillis milliseconds since the Unix epoch
 */
export function capacityAt(calendar: Calendar, nowMillis: number): { capacity: Capacity; events: string[] } {
  const { year } = Temporal.Instant.fromEpochMilliseconds(nowMillis).toZonedDateTimeISO(calendar.timeZone);
  const active = occurrences(calendar, year).filter(
    ({ startMillis, endMillis }) =>
      startMillis - calendar.leadMinutes * minuteMillis <= nowMillis &&
      nowMillis < endMillis + calendar.trailMinutes * minuteMillis,
  );
  const min = Math.max(calendar.base.min, ...active.map((event) => event.min));
  const max = Math.max(calendar.base.max, ...active.map((event) => event.max));
  return { capacity: { min, max }, events: active.map((event) => event.name) };
}

/**
 * Finds two events that overlap, the first of them in time; null where none do. An event that begins when another ends
 * does not overlap it. Black Friday is looked at in each year that an event touches.
 */
export function findOverlap(calendar: Calendar): [string, string] | null {
  const years = new Set(calendar.events.flatMap(({ start, end }) => [start.year, end.year]));
  const own = calendar.events.map((event) => locate(event, calendar.timeZone));
  const fridays = [...years].flatMap((year) => blackFridays(calendar, year));
  const sorted = [...own, ...fridays].sort((a, b) => a.startMillis - b.startMillis);
  let longest = sorted[0];
  for (const event of sorted.slice(1)) {
    if (longest !== undefined && event.startMillis < longest.endMillis) return [longest.name, event.name];
    if (longest === undefined || event.endMillis > longest.endMillis) longest = event;
  }
  return null;
}

/** Every configured event, and Black Friday of a year. A Black Friday never reaches into another year. */
function occurrences(calendar: Calendar, year: number): Occurrence[] {
  return [...calendar.events.map((event) => locate(event, calendar.timeZone)), ...blackFridays(calendar, year)];
}

function blackFridays({ blackFriday, timeZone }: Calendar, year: number): Occurrence[] {
  if (blackFriday === null) return [];
  const day = blackFridayOf(year);
  const endsNextDay = Temporal.PlainTime.compare(blackFriday.to, blackFriday.from) <= 0;
  const event = {
    name: `black-friday-${year}`,
    start: day.toPlainDateTime(blackFriday.from),
    end: day.add({ days: endsNextDay ? 1 : 0 }).toPlainDateTime(blackFriday.to),
    min: blackFriday.min,
    max: blackFriday.max,
  };
  return [locate(event, timeZone)];
}

/**
 * Puts an event on the time line. Where clocks change, a wall time can occur twice or not at all: the earlier reading of
 * the start and the later one of the end are taken, so that an event never comes out shorter than it was meant.
 */
function locate({ name, start, end, min, max }: CalendarEvent, timeZone: string): Occurrence {
  return {
    name,
    min,
    max,
    startMillis: start.toZonedDateTime(timeZone, { disambiguation: 'earlier' }).epochMilliseconds,
    endMillis: end.toZonedDateTime(timeZone, { disambiguation: 'later' }).epochMilliseconds,
  };
}
