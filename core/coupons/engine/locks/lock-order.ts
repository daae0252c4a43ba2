import { enterBookGate } from '../../../books/book-gate.ts';
import { lockDealers } from '../../../decks/dealer-lock.ts';
import { lockCounters } from './counters.ts';
import { lockCoupons } from './coupons.ts';
import { lockHolders } from './holders.ts';

/**
 * Every lock of the hot path, in the order in which each transaction takes those that it needs; of one kind it takes
 * several ascending. Whoever waits for a lock then holds none that comes after it, and no two wait for each other in a
 * circle. What decides is read in statements after the last one.
 *
 * The order is proved by "a batch takes its locks in the order of the house" in test/integration/lock-order.test.ts. A
 * lock that is added here does not compile before test/faults/mutant-list.ts knows what happens without it.
 */
export const takeLock = {
  /** The books, shared: while a batch is inside, no rule of theirs changes. */
  gates: enterBookGate,
  /** The books' dealers: their decks, new coupons and new holders. */
  dealers: lockDealers,
  /** Users in books that limit redemptions a user: the sum over their coupons. */
  holders: lockHolders,
  /** The coupons themselves. */
  coupons: lockCoupons,
  /** The counters of books that limit their redemptions. */
  counters: lockCounters,
} as const;

/** A kind of lock. */
export type LockName = keyof typeof takeLock;
