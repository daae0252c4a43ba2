import { language } from './language.ts';

const minuteMillis = 60_000;
const hourMillis = 60 * minuteMillis;
const dayMillis = 24 * hourMillis;

const day = { day: 'numeric', month: 'short', year: 'numeric' } as const;
/** Two digits for the hour in each language, so that times stand under one another. */
const minute = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;

/** Formatters are dear to make and there are few of them. */
const kept = new Map<string, Intl.DateTimeFormat>();
/** Of a field's form of a date, which is the same in each language; by the zone. */
const fieldFormatters = new Map<string, Intl.DateTimeFormat>();

/** A text that stays on one line, as a date and a number with its unit do: each of them is read as one word. */
function unbroken(text: string): string {
  return text.replaceAll(' ', '\u00A0');
}

/** The zone on the clock of whoever looks. */
export function viewerZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** A whole number with its marks, in Spanish too from a thousand on: numbers stand below one another. */
export function formatNumber(value: number): string {
  return new Intl.NumberFormat(language.value, { useGrouping: 'always' }).format(value);
}

/** A whole number as a figure that is read across a room: from a billion on in short, as a code for everybody has. */
export function formatFigure(value: number): string {
  if (value < 1_000_000_000) return formatNumber(value);
  const style = { notation: 'compact', compactDisplay: 'short', maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(language.value, style).format(value);
}

/** The place in a zone's name: `Buenos Aires` of `America/Argentina/Buenos_Aires`, which stays on one line. */
export function placeOf(zone: string): string {
  return unbroken(zone.slice(zone.lastIndexOf('/') + 1).replaceAll('_', ' '));
}

/** The places in a zone's name by which people know it, nearest first: `Buenos Aires, Argentina, America`. */
export function placesOf(zone: string): string {
  return zone.split('/').toReversed().join(', ').replaceAll('_', ' ');
}

/** The one zone that a place gives its name to, however it is spelled: `buenos aires`. Null: none, or several. */
export function zoneAt(place: string): string | null {
  const wanted = plain(place);
  const found = timeZones().filter((zone) => plain(zone) === wanted || plain(placeOf(zone)) === wanted);
  return found.length === 1 ? found[0]! : null;
}

/** A text as people compare it: without accents and capitals, its blanks as one each. */
function plain(text: string): string {
  const bare = text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return bare.split(/[\s_]/u).filter(Boolean).join(' ');
}

/** A zone by its place, with how far its clocks are now: `Buenos Aires, GMT-3`. Null where its name says no place. */
export function formatZone(zone: string): string | null {
  if (!zone.includes('/') || !isTimeZone(zone)) return null;
  const parts = formatter(zone, { timeZoneName: 'shortOffset' }, 'offset').formatToParts(new Date());
  return `${placeOf(zone)}, ${parts.find(({ type }) => type === 'timeZoneName')!.value}`;
}

/** A share of one, such as `12 %`. */
export function formatShare(value: number): string {
  const digits = value > 0 && value < 0.01 ? 1 : 0;
  return new Intl.NumberFormat(language.value, { style: 'percent', maximumFractionDigits: digits }).format(value);
}

/** A number of bytes for people. */
export function formatBytes(bytes: number): string {
  const [value, unit] =
    bytes < 1_000 ? [bytes, 'byte'] : bytes < 1_000_000 ? [bytes / 1_000, 'kilobyte'] : [bytes / 1_000_000, 'megabyte'];
  const style: Intl.NumberFormatOptions = {
    style: 'unit',
    unit: unit as string,
    // In short a byte has no plural.
    unitDisplay: unit === 'byte' ? 'long' : 'short',
    maximumFractionDigits: 1,
  };
  return unbroken(new Intl.NumberFormat(language.value, style).format(value as number));
}

/** How long something takes or took, in the unit that suits it: `12 ms`, `3.4 sec`, `2 hr`. */
export function formatDuration(millis: number): string {
  const [value, unit] =
    millis < 1_000
      ? [millis, 'millisecond']
      : millis < minuteMillis
        ? [millis / 1_000, 'second']
        : millis < hourMillis
          ? [millis / minuteMillis, 'minute']
          : millis < 2 * dayMillis
            ? [millis / hourMillis, 'hour']
            : [millis / dayMillis, 'day'];
  const style = { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 } as const;
  return unbroken(new Intl.NumberFormat(language.value, style).format(value as number));
}

/** A moment on the clocks of a zone, to the minute: `28 Nov 2026, 21:05`. */
export function formatMoment(at: string | Date, zone: string): string {
  return unbroken(formatter(zone, { ...day, ...minute }, 'moment').format(new Date(at)));
}

/** The same to the second, for what is looked into. */
export function formatExactMoment(at: string | Date, zone: string): string {
  return unbroken(formatter(zone, { ...day, ...minute, second: '2-digit' }, 'exact').format(new Date(at)));
}

/**
 * What the viewer's clocks show at a moment of a zone, to stand beside it: the time alone where the day is the same.
 * @returns null where they show the same
 */
export function formatBeside(at: string, zone: string, isExact: boolean, viewer = viewerZone()): string | null {
  const format = isExact ? formatExactMoment : formatMoment;
  const here = format(at, viewer);
  if (here === format(at, zone)) return null;
  if (formatDay(at, viewer) !== formatDay(at, zone)) return here;
  const time = isExact ? { ...minute, second: '2-digit' as const } : minute;
  return formatter(viewer, time, isExact ? 'exact time' : 'time').format(new Date(at));
}

/** A moment with its day of the week and its month in words: `Friday, 4 December 2026, 21:05`. */
export function formatInWords(at: string | Date, zone: string): string {
  return `${dayInWords(new Date(at), zone)}, ${formatTimeOfDay(new Date(at), zone)}`;
}

/** A day as a date field gives it, in the same words: `Friday, 4 December 2026`. Null for what is no day. */
export function formatDayInWords(day: string): string | null {
  const at = new Date(`${day}T00:00Z`);
  return Number.isNaN(at.getTime()) ? null : dayInWords(at, 'UTC');
}

function dayInWords(at: Date, zone: string): string {
  const words = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' } as const;
  const named = formatter(zone, words, 'words').format(at);
  // The day of the week may stand on the line before: all of it is wider than a field of the narrowest screen.
  return `${named.charAt(0).toUpperCase()}${unbroken(named.slice(1)).replace(',\u00A0', ', ')}`;
}

/** A day on the calendar of a zone. */
export function formatDay(at: string | Date, zone: string): string {
  return unbroken(formatter(zone, day, 'day').format(new Date(at)));
}

/** The time of day on the clocks of a zone: `21:05`. */
export function formatTimeOfDay(at: Date, zone: string): string {
  return formatter(zone, minute, 'time').format(at);
}

/** The same to the second, or to the millisecond, on the clocks of a zone: `21:05:09`, `21:05:09.250`. */
export function formatExactTime(at: number, zone: string, isToMillis: boolean): string {
  const time = { ...minute, second: '2-digit' } as const;
  return isToMillis
    ? formatter(zone, { ...time, fractionalSecondDigits: 3 }, 'millis').format(at)
    : formatter(zone, time, 'exact time').format(at);
}

/** A day of a year that is known: `28 Nov`. */
export function formatDayAndMonth(at: Date, zone: string): string {
  return unbroken(formatter(zone, { day: 'numeric', month: 'short' }, 'day and month').format(at));
}

/** How far a moment is away, in the largest unit that says something: `in 3 days`, `2 minutes ago`, `now`. */
export function formatDistance(at: string | Date, now: number): string {
  const away = new Date(at).getTime() - now;
  const size = Math.abs(away);
  const [unit, millis] =
    size >= 2 * dayMillis ? ['day', dayMillis] : size >= hourMillis ? ['hour', hourMillis] : ['minute', minuteMillis];
  const words = new Intl.RelativeTimeFormat(language.value, { numeric: 'auto' });
  const count = Math.round(away / (millis as number));
  return count === 0
    ? words.format(Math.round(away / 1_000), 'second')
    : words.format(count, unit as Intl.RelativeTimeFormatUnit);
}

/** What a zone's clocks show at a moment, as a field for date and time takes it: `2026-11-28T21:05`. */
export function toLocalInput(at: string, zone: string): string {
  let format = fieldFormatters.get(zone);
  if (format === undefined) {
    const date = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    format = new Intl.DateTimeFormat('sv-SE', { ...date, ...minute, timeZone: zone });
    fieldFormatters.set(zone, format);
  }
  return format.format(new Date(at)).replace(' ', 'T');
}

/** Every time zone that this browser knows. */
export function timeZones(): string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];
}

/** Whether a text names a time zone that this browser knows. An offset such as `+03:00`, which it takes, is none. */
export function isTimeZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}

/** @param style what the options are called, one name for each */
function formatter(zone: string, options: Intl.DateTimeFormatOptions, style: string): Intl.DateTimeFormat {
  const name = `${language.value} ${zone} ${style}`;
  let found = kept.get(name);
  if (found === undefined) {
    // British order: a day before its month can't be taken for the other way round, as the month is a word.
    found = new Intl.DateTimeFormat(language.value === 'en' ? 'en-GB' : 'es', { ...options, timeZone: zone });
    kept.set(name, found);
  }
  return found;
}

/**
 * The instant at which a zone's clocks show a local time, as a field gives it; null for a text that is none, or a zone
 * that this browser does not know. Where clocks are put back and show it twice, the first time: as the API reads it.
 */
export function fromLocalInput(local: string, zone: string): string | null {
  const asUtc = Date.parse(`${local}Z`);
  if (Number.isNaN(asUtc)) return null;
  try {
    // The zone's clocks are at most 14 hours from UTC: one of the offsets a day before and after is the right one.
    const offsets = [-dayMillis, dayMillis].map((away) => offsetAt(asUtc + away, zone));
    const found = offsets.map((offset) => asUtc - offset).filter((at) => at + offsetAt(at, zone) === asUtc);
    const at = found.length === 0 ? asUtc - offsets[0]! : Math.min(...found);
    return new Date(at).toISOString();
  } catch {
    return null;
  }
}

function offsetAt(at: number, zone: string): number {
  const whole = Math.floor(at / minuteMillis) * minuteMillis;
  return Date.parse(`${toLocalInput(new Date(whole).toISOString(), zone)}Z`) - whole;
}
