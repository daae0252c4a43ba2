import type pg from 'pg';
import { findClosedGates } from '../../books/book-gate.ts';
import { bookCounterStripes } from '../../books/counter-stripes.ts';
import { setLockWait } from '../../db/lock-wait.ts';
import { together } from '../../db/together.ts';
import { inTwoSteps, type Transaction } from '../../db/transaction.ts';
import { findHeldDealers } from '../../decks/dealer-lock.ts';
import type { Location } from '../../decks/locate-codes.ts';
import type { BookKey } from '../../keys.ts';
import { findHeldCounters, type HeldCounter } from './locks/counters.ts';
import { findHeldCoupons } from './locks/coupons.ts';
import { findHeldHolders } from './locks/holders.ts';
import { type Held, nameOf } from './obstacles.ts';

/**
 * Of what changes of coupons at these places lock, the things that are held by others now. It waits for no row and no
 * gate; what it takes itself is let go at once.
 */
export async function findChangeObstacles(pool: pg.Pool, tenantId: number, locations: Location[]): Promise<Held> {
  const bookKeys = [...new Set(locations.map(({ bookKey }) => bookKey))];
  const [gates, coupons, holders, counters] = await look(pool, (tx) => [
    findClosedGates(tx, tenantId, bookKeys),
    findHeldCoupons(tx, tenantId, locations),
    findHeldHolders(tx, tenantId, locations),
    findHeldCounters(tx, tenantId, bookKeys),
  ]);
  return new Map([
    ...closed(gates),
    ...coupons.map((coupon) => [nameOf.coupon(coupon), coupon.lockedBy] as const),
    ...holders.map((holder) => [nameOf.holderOf(holder), holder.lockedBy] as const),
    ...holders.map(({ bookKey, userId, lockedBy }) => [nameOf.holder(bookKey, userId ?? ''), lockedBy] as const),
    ...heldCounters(counters),
  ]);
}

/**
 * Of what dealing from these books locks, the things that are held by others now.
 * @param redeemed those of the books whose coupons may be redeemed as soon as they are dealt
 */
export async function findDealObstacles(
  pool: pg.Pool,
  tenantId: number,
  bookKeys: BookKey[],
  redeemed: BookKey[],
): Promise<Held> {
  const [gates, dealers, counters] = await look(pool, (tx) => [
    findClosedGates(tx, tenantId, bookKeys),
    findHeldDealers(tx, tenantId, bookKeys),
    findHeldCounters(tx, tenantId, redeemed),
  ]);
  return new Map([
    ...closed(gates),
    ...dealers.map(({ bookKey, lockedBy }) => [nameOf.dealer(bookKey), lockedBy] as const),
    ...heldCounters(counters),
  ]);
}

function heldCounters(counters: HeldCounter[]): [string, string][] {
  const stripes = counters.map(({ bookKey, stripe, lockedBy }): [string, string] => [
    nameOf.stripe(bookKey, stripe),
    lockedBy,
  ]);
  return [...stripes, ...booksWithoutCounter(counters)];
}

/** A book that limits its redemptions needs stripe 0, any other one a stripe that is free. */
function booksWithoutCounter(counters: HeldCounter[]): Held {
  const ofBook = (bookKey: BookKey) => counters.filter((counter) => counter.bookKey === bookKey);
  const isWithout = ({ bookKey, stripe, isLimited }: HeldCounter) =>
    isLimited ? stripe === 0 : ofBook(bookKey).length >= bookCounterStripes;
  return new Map(counters.filter(isWithout).map(({ bookKey, lockedBy }) => [nameOf.counter(bookKey), lockedBy]));
}

/** Nobody can see who closed a gate. That is rare enough for two in a row to count as one. */
function closed(bookKeys: BookKey[]): Held {
  return new Map(bookKeys.map((bookKey) => [nameOf.gate(bookKey), 'closed']));
}

/**
 * Runs in one transaction, whose end releases every lock that the statements got. Only a lock of a whole table can make
 * it wait.
 */
function look<Looks extends readonly unknown[]>(
  pool: pg.Pool,
  statements: (tx: Transaction) => [...Looks],
): Promise<{ -readonly [Index in keyof Looks]: Awaited<Looks[Index]> }> {
  return inTwoSteps(pool, {
    read: async (tx) => {
      const [, seen] = await together([setLockWait(tx, 'short'), together(statements(tx))]);
      return seen;
    },
    write: async (_tx, seen) => seen,
  });
}
