import { invalidInput } from '../errors.ts';
import { Fault } from './field-rules.ts';
import { givenTime } from './shapes.ts';
import { type GivenTime, placeTime, readTime, type WindowEdge } from './time-rules.ts';

/**
 * The shape of a bound of time in a query.
 * @param zone whose local times and days are meant, as the end of a sentence
 */
export function timeBound(description: string, zone: string) {
  return givenTime(`${description} RFC 3339; a local time or a day is one ${zone}.`, '2026-11-27T00:00:00Z');
}

/**
 * Reads a bound that may be left out; null where it is.
 * @param path what a refusal calls it
 * @throws CouponError `invalid-input` for what is no time
 */
export function readBound(path: string, text: string | null | undefined): GivenTime | null {
  if (text == null) return null;
  const time = readTime(text);
  if (time instanceof Fault) throw invalidInput(path, time.message);
  return time;
}

/**
 * Places a bound in a zone: milliseconds since the Unix epoch; null where there is no bound.
 * @throws CouponError `invalid-input` naming it, where the zone does not have that moment, or has it twice
 */
export function placeBound(path: string, time: GivenTime | null, zone: string, edge: WindowEdge): number | null {
  if (time === null) return null;
  const placed = placeTime(time, zone, edge);
  if (placed instanceof Fault) throw invalidInput(path, placed.message);
  return Date.parse(placed);
}
