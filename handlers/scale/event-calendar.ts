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

/** Black Friday of every year. An end that is not after the start is on Saturday. */
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
  /** Its capacity is set so many minutes before an event: new tasks need time to start and pass their health checks. */
  leadMinutes: number;
  /** Its capacity stays for so many minutes after an event. */
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
 * The capacity that the calendar asks for at a moment, and for which events. Where events overlap, with their minutes
 * before and after, the larger numbers hold.
 * @param nowMillis milliseconds since the Unix epoch
 */
export function capacityAt(calendar: Calendar, nowMillis: number): { capacity: Capacity; events: string[] } {
  const { year } = Temporal.Instant.fromEpochMilliseconds(nowMillis).toZonedDateTimeISO(calendar.timeZone);
  const active = occurrences(calendar, year).filter(
    ({ startMillis, endMillis }) =>
      startMillis - calendar.leadMinutes * minuteMillis <= nowMillis &&
      nowMillis < endMillis + calendar.trailMinutes * minuteMillis,
  );
  return { capacity: largest([calendar.base, ...active]), events: active.map((event) => event.name) };
}

/**
 * The names of the listed events that are over at a moment: their year is mistyped, or they can be removed.
 * @param nowMillis milliseconds since the Unix epoch
 */
export function pastEvents({ events, timeZone }: Calendar, nowMillis: number): string[] {
  return events.flatMap((event) => (locate(event, timeZone).endMillis <= nowMillis ? [event.name] : []));
}

/** When an event is, in milliseconds since the Unix epoch, without the minutes before and after. */
export interface EventTime {
  startMillis: number;
  endMillis: number;
}

/**
 * The next time that an event of that name is, or is under way.
 * @param name of a listed event, or `black-friday`
 * @returns null where there is none any more
 */
export function nextOccurrence(calendar: Calendar, name: string, nowMillis: number): EventTime | null {
  const { year } = Temporal.Instant.fromEpochMilliseconds(nowMillis).toZonedDateTimeISO(calendar.timeZone);
  const found = [...occurrences(calendar, year), ...blackFridays(calendar, year + 1)]
    .filter((event) => event.name === name || event.name.replace(/-\d{4}$/, '') === name)
    .filter(({ endMillis }) => endMillis > nowMillis)
    .sort((a, b) => a.startMillis - b.startMillis);
  return found[0] ?? null;
}

/** The most tasks that the calendar ever asks for. The database must have connections for them. */
export function mostTasksOf({ base, blackFriday, events }: Calendar): number {
  return Math.max(base.max, blackFriday?.max ?? 0, ...events.map(({ max }) => max));
}

/** The smallest capacity that is enough for each of several. */
export function largest(capacities: readonly Capacity[]): Capacity {
  return {
    min: Math.max(...capacities.map(({ min }) => min)),
    max: Math.max(...capacities.map(({ max }) => max)),
  };
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
 * Converts an event to points of time. Where clocks change, a local time can occur twice or not at all. Then the
 * earlier start and the later end are taken, so that an event is never shorter than intended.
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
