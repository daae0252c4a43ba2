import { findClosedGates } from '../books/book-gate.ts';
import type { Location } from '../codes/locate-codes.ts';
import { findHeldDealers } from '../codes/read-dealt-decks.ts';
import type { Core } from '../core.ts';
import { waitForLocks } from '../db/lock-patience.ts';
import { together } from '../db/together.ts';
import { inTwoSteps, type Transaction } from '../db/transaction.ts';
import { limits } from '../limits.ts';
import { type Held, thing } from './obstacles.ts';
import { findHeldCoupons } from './read-coupon-states.ts';
import { findHeldCounters, findHeldHolders } from './usage-counts.ts';

/**
 * Of what changes of coupons at these places lock, the things that are held by others now. It waits for no row and no
 * gate; what it takes itself is let go at once.
 */
export async function findChangeObstacles(
  core: Pick<Core, 'pool'>,
  tenantId: number,
  locations: Location[],
): Promise<Held> {
  const bookIds = [...new Set(locations.map(({ bookId }) => bookId))];
  const [gates, coupons, holders, counters] = await look(core, (tx) => [
    findClosedGates(tx, bookIds),
    findHeldCoupons(tx, tenantId, locations),
    findHeldHolders(tx, tenantId, locations),
    findHeldCounters(tx, tenantId, bookIds),
  ]);
  return new Map([
    ...closed(gates),
    ...coupons.map((coupon) => [thing.coupon(coupon), coupon.lockedBy] as const),
    ...holders.map((holder) => [thing.holderOf(holder), holder.lockedBy] as const),
    ...holders.map(({ bookId, userId, lockedBy }) => [thing.holder(bookId, userId ?? ''), lockedBy] as const),
    ...counters.map(({ bookId, stripe, lockedBy }) => [thing.stripe(bookId, stripe), lockedBy] as const),
    ...booksWithoutCounter(counters),
  ]);
}

/** Of what dealing from these books locks, the things that are held by others now. */
export async function findDealObstacles(core: Pick<Core, 'pool'>, tenantId: number, bookIds: number[]): Promise<Held> {
  const [gates, dealers] = await look(core, (tx) => [
    findClosedGates(tx, bookIds),
    findHeldDealers(tx, tenantId, bookIds),
  ]);
  return new Map([
    ...closed(gates),
    ...dealers.map(({ bookId, lockedBy }) => [thing.dealer(bookId), lockedBy] as const),
  ]);
}

type Counter = Awaited<ReturnType<typeof findHeldCounters>>[number];

/** A book that limits its redemptions needs stripe 0, any other one a stripe that is free. */
function booksWithoutCounter(counters: Counter[]): Held {
  const ofBook = (bookId: number) => counters.filter((counter) => counter.bookId === bookId);
  const isWithout = ({ bookId, stripe, isLimited }: Counter) =>
    isLimited ? stripe === 0 : ofBook(bookId).length >= limits.bookCounterStripes;
  return new Map(counters.filter(isWithout).map(({ bookId, lockedBy }) => [thing.counter(bookId), lockedBy]));
}

/** Nobody can see who closed a gate. That is rare enough for two in a row to count as one. */
function closed(bookIds: number[]): Held {
  return new Map(bookIds.map((bookId) => [thing.gate(bookId), 'closed']));
}

/** In one transaction, whose end lets go of what the statements could take. Only a table's own lock can hold it up. */
function look<Looks extends readonly unknown[]>(
  core: Pick<Core, 'pool'>,
  statements: (tx: Transaction) => [...Looks],
): Promise<{ -readonly [Index in keyof Looks]: Awaited<Looks[Index]> }> {
  return inTwoSteps(core.pool, {
    read: async (tx) => {
      const [, seen] = await together([waitForLocks(tx, 'short'), together(statements(tx))]);
      return seen;
    },
    write: async (_tx, seen) => seen,
  });
}
