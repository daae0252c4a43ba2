import { Temporal } from 'temporal-polyfill';

/**
 * The first moment after the last of `days` whole days that follow the day of an assignment, on the clocks of a zone. A
 * day is as long as the zone has it: 23 or 25 hours at a change of clocks.
 * @param days 1 and up
 * @param zone a zone that readZone has accepted
 */
export function endOfValidity(assignedAt: Date, days: number, zone: string): Date {
  const assigned = Temporal.Instant.fromEpochMilliseconds(assignedAt.getTime()).toZonedDateTimeISO(zone);
  const first = assigned.toPlainDate().add({ days: days + 1 });
  return new Date(first.toZonedDateTime(zone).epochMilliseconds);
}
