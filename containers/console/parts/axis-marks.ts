import { formatDayAndMonth, formatTimeOfDay, toLocalInput } from '../language/formats.ts';

/** A mark on an axis of time. */
export interface TimeMark {
  /** Which of the steps it stands at. */
  index: number;
  label: string;
}

const mostValueMarks = 5;
const mostTimeMarks = 9;
/** Steps of which a day has a whole number, so that the marks of one day stand where those of another do. */
const hoursApart = [1, 2, 3, 6, 12, 24];

/**
 * Whole numbers from 0 to the axis' end, evenly apart, each 1, 2 or 5 times a power of ten away from the next one.
 * @param highest what must find its place, at least 0
 */
export function valueMarks(highest: number): number[] {
  const least = Math.max(1, highest) / mostValueMarks;
  const power = 10 ** Math.max(0, Math.floor(Math.log10(least)));
  const apart = [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least)!;
  const count = Math.ceil(Math.max(1, highest) / apart);
  return Array.from({ length: count + 1 }, (_mark, at) => at * apart);
}

/**
 * Marks at round hours of a zone's clocks, or at days where the steps are days: Mondays where there are many, and first
 * days of a month where there are more.
 * @param times the beginning of each step, in seconds since 1970
 */
export function timeMarks(times: readonly number[], zone: string): TimeMark[] {
  const clocks = times.map((seconds) => toLocalInput(new Date(seconds * 1_000).toISOString(), zone));
  const isByDay = times.length > 1 && clocks.every((clock, at) => at === 0 || dayOf(clock) !== dayOf(clocks[at - 1]!));
  const marked = isByDay ? markedDays(clocks.map(dayOf)) : markedHours(clocks);
  return marked.map((index) => {
    const at = new Date(times[index]! * 1_000);
    const isDay = isByDay || hourOf(clocks[index]!) === 0;
    return { index, label: isDay ? formatDayAndMonth(at, zone) : formatTimeOfDay(at, zone) };
  });
}

const dayOf = (clock: string) => clock.slice(0, 10);
const hourOf = (clock: string) => Number(clock.slice(11, 13));

function markedHours(clocks: readonly string[]): number[] {
  const apart = hoursApart.find((hours) => clocks.length / hours <= mostTimeMarks) ?? 24;
  const all = clocks.flatMap((clock, at) => (hourOf(clock) % apart === 0 ? [at] : []));
  // An hour that clocks show twice is marked once.
  return thinned(all.filter((at) => clocks[at] !== clocks[at - 1]));
}

function markedDays(days: readonly string[]): number[] {
  const where = (isMarked: (day: Date) => boolean) =>
    days.flatMap((day, at) => (isMarked(new Date(`${day}T00:00Z`)) ? [at] : []));
  if (days.length <= 2 * mostTimeMarks) return thinned(days.map((_day, at) => at));
  const firsts = where((day) => day.getUTCDate() === 1);
  return thinned(firsts.length > mostTimeMarks / 2 ? firsts : where((day) => day.getUTCDay() === 1));
}

/** Every second, third and so on, until there is room for them. */
function thinned(indexes: readonly number[]): number[] {
  const every = Math.max(1, Math.ceil(indexes.length / mostTimeMarks));
  return indexes.filter((_index, at) => at % every === 0);
}
