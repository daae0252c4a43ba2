import type { Static } from 'typebox';
import { oneOf } from '../input/shapes.ts';

/**
 * What a webhook can be told of, with the number under which the database keeps each type. A number is never used for
 * another type. Those of coupons are the numbers of their events' kinds, and a kind that is missing here is not told:
 * the renewal of a lock renews what was told.
 */
export const eventTypeNumbers = {
  'coupon.assigned': 1,
  'coupon.locked': 2,
  'coupon.unlocked': 4,
  'coupon.redeemed': 5,
  'coupon.reversed': 6,
  'coupon.voided': 7,
  'coupon.transferred': 8,
  'book.opened': 21,
  'book.paused': 22,
  'book.closed': 23,
  'book.low-stock': 24,
  'book.exhausted': 25,
  'job.finished': 31,
  'webhook.test': 41,
} as const;

/** A type of event, `webhook.test` included, which nobody subscribes to. */
export const EventType = oneOf(Object.keys(eventTypeNumbers) as (keyof typeof eventTypeNumbers)[], {
  examples: ['coupon.redeemed'],
});
export type EventType = Static<typeof EventType>;

/** The types that a webhook may name. */
export const subscribableTypes = (Object.keys(eventTypeNumbers) as EventType[]).filter(
  (type): type is Exclude<EventType, 'webhook.test'> => type !== 'webhook.test',
);

const byNumber = new Map<number, EventType>(
  Object.entries(eventTypeNumbers).map(([type, number]) => [number, type as EventType]),
);

/**
 * The type of a number that the database holds.
 * @throws Error for a number of no type: an older version reads what a newer one wrote
 */
export function eventTypeOf(number: number): EventType {
  const type = byNumber.get(number);
  if (type === undefined) throw new Error(`${number} is the number of no type of event`);
  return type;
}

/** What a delivery is about; the numbers are in the database. */
export const subjects = { coupon: 1, book: 2, stock: 3, job: 4, test: 5 } as const;
