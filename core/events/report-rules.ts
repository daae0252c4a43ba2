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
  let at = startOf(Temporal.Instant.fromEpochMilliseconds(from.getTime()).toZonedDateTimeISO(zone), step);
  const bounds = [at.epochMilliseconds];
  while (at.epochMilliseconds < end) {
    if (bounds.length > most) return null;
    at = nextOf(at, step);
    bounds.push(at.epochMilliseconds);
  }
  return bounds;
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
