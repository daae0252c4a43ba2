import { Temporal } from 'temporal-polyfill';

/** How long the steps of a report are, by the clocks of its zone. */
export type ReportStep = 'hour' | 'day';

/**
 * The moments at which the steps of a span begin, and the one at which the last of them ends, ascending: the first step
 * holds `from`, and the last one the moment before `to`. An hour or a day is as long as the zone has it. Where clocks
 * go back by less than an hour, what is shown twice is a step of its own.
 * @param from before `to`
 * @param zone a zone that readZone has accepted
 * @param most so many steps at most
 * @returns milliseconds since the Unix epoch, or null where the span has more steps than `most`
 */
export function stepsOf(from: Date, to: Date, step: ReportStep, zone: string, most: number): number[] | null {
  const end = to.getTime();
  let at = startOf(zoned(from.getTime(), zone), step);
  const bounds = [at.epochMilliseconds];
  while (bounds.at(-1)! < end) {
    const last = addAlike(bounds, at, step, end, most);
    if (last < end) bounds.push(nextOf(zoned(last, zone), step).epochMilliseconds);
    if (bounds.length > most + 1) return null;
    at = zoned(bounds.at(-1)!, zone);
  }
  return bounds;
}

/**
 * Adds the steps before the next change of the clocks: until then one is as long as the other, and asking the zone for
 * each would hold up a process for a third of a second where there are thousands.
 * @param at the last bound
 * @returns the last bound
 */
function addAlike(bounds: number[], at: Temporal.ZonedDateTime, step: ReportStep, end: number, most: number): number {
  let last = at.epochMilliseconds;
  if (!isWhole(at, step)) return last;
  const change = at.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
  while (last < end && last + stepMillis[step] < change && bounds.length <= most + 1) {
    last += stepMillis[step];
    bounds.push(last);
  }
  return last;
}

const stepMillis: Record<ReportStep, number> = { hour: 3_600_000, day: 86_400_000 };

/**
 * Whether the clocks show a full hour, or midnight. Where they were changed a step may begin with what they show then.
 */
function isWhole(at: Temporal.ZonedDateTime, step: ReportStep): boolean {
  return at.minute === 0 && at.second === 0 && at.millisecond === 0 && (step === 'hour' || at.hour === 0);
}

function zoned(millis: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(millis).toZonedDateTimeISO(zone);
}

function startOf(at: Temporal.ZonedDateTime, step: ReportStep): Temporal.ZonedDateTime {
  if (step === 'day') return at.startOfDay();
  const hour = at.round({ smallestUnit: 'hour', roundingMode: 'floor' });
  if (hour.offsetNanoseconds === at.offsetNanoseconds) return hour;
  // The clocks were changed within this hour: it began when they were.
  return at.getTimeZoneTransition('previous') ?? hour;
}

function nextOf(at: Temporal.ZonedDateTime, step: ReportStep): Temporal.ZonedDateTime {
  if (step === 'day') return at.toPlainDate().add({ days: 1 }).toZonedDateTime(at.timeZoneId);
  const hourLater = startOf(at.add({ hours: 1 }), step);
  return Temporal.ZonedDateTime.compare(hourLater, at) > 0 ? hourLater : at.add({ hours: 1 });
}
