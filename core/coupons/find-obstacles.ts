import { findClosedGates } from '../books/book-gate.ts';
import type { Location } from '../codes/locate-codes.ts';
import { findHeldDealers } from '../codes/read-dealt-decks.ts';
import type { Core } from '../core.ts';
import { together } from '../db/together.ts';
import { inTwoSteps, type Transaction } from '../db/transaction.ts';
import { waitShortly } from '../db/wait-shortly.ts';
import { limits } from '../limits.ts';
import { thing } from './obstacles.ts';
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
): Promise<string[]> {
  const bookIds = [...new Set(locations.map(({ bookId }) => bookId))];
  const [gates, coupons, holders, counters] = await look(core, (tx) => [
    findClosedGates(tx, bookIds),
    findHeldCoupons(tx, tenantId, locations),
    findHeldHolders(tx, tenantId, locations),
    findHeldCounters(tx, tenantId, bookIds),
  ]);
  return [
    ...gates.map(thing.gate),
    ...coupons.map(thing.coupon),
    ...holders.map(thing.holderOf),
    ...holders.flatMap(({ bookId, userId }) => (userId === null ? [] : [thing.holder(bookId, userId)])),
    ...counters.map(({ bookId, stripe }) => thing.stripe(bookId, stripe)),
    ...booksWithoutCounter(counters).map(thing.counter),
  ];
}

/** Of what dealing from these books locks, the things that are held by others now. */
export async function findDealObstacles(
  core: Pick<Core, 'pool'>,
  tenantId: number,
  bookIds: number[],
): Promise<string[]> {
  const [gates, dealers] = await look(core, (tx) => [
    findClosedGates(tx, bookIds),
    findHeldDealers(tx, tenantId, bookIds),
  ]);
  return [...gates.map(thing.gate), ...dealers.map(thing.dealer)];
}

/** A book that limits its redemptions needs stripe 0, any other one a stripe that is free. */
function booksWithoutCounter(counters: { bookId: number; stripe: number; isLimited: boolean }[]): number[] {
  const heldStripes = new Map<number, number>();
  for (const { bookId } of counters) heldStripes.set(bookId, (heldStripes.get(bookId) ?? 0) + 1);
  const limited = counters.filter(({ stripe, isLimited }) => isLimited && stripe === 0).map(({ bookId }) => bookId);
  const all = [...heldStripes].filter(([, held]) => held >= limits.bookCounterStripes).map(([bookId]) => bookId);
  return [...new Set([...limited, ...all])];
}

/** In one transaction, whose end lets go of what the statements could take. Only a table's own lock can hold it up. */
function look<Looks extends readonly unknown[]>(
  core: Pick<Core, 'pool'>,
  statements: (tx: Transaction) => [...Looks],
): Promise<{ -readonly [Index in keyof Looks]: Awaited<Looks[Index]> }> {
  return inTwoSteps(core.pool, {
    read: async (tx) => {
      const [, seen] = await together([waitShortly(tx), together(statements(tx))]);
      return seen;
    },
    write: async (_tx, seen) => seen,
  });
}
