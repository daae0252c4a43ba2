import { type FailureBudget, type FailureKind, failureBudgets, throttleLimits } from './throttle-limits.ts';

/**
 * What is known of one key's failures: two times, in milliseconds since the Unix epoch by the tasks' clocks. Between
 * tasks whose clocks differ, a block ends earlier or later by the difference, and nothing else happens.
 */
export interface Failures {
  /** When the bucket will have leaked empty. */
  emptyAt: number;
  /** When the last failure was. */
  lastAt: number;
}

/**
 * The bucket after `count` more failures, 0 and up. The Redis script and the SQL statement of the other sides compute
 * the same; test/contract/throttling.test.ts holds them to one another.
 */
export function addFailures(known: Failures | null, count: number, budget: FailureBudget, now: number): Failures {
  const from = Math.max(known?.emptyAt ?? 0, now);
  return {
    emptyAt: Math.min(from + costOf(count, budget), now + depthOf(budget)),
    lastAt: Math.max(known?.lastAt ?? 0, now),
  };
}

/** What `count` failures add to emptyAt, in milliseconds. Bounded by the bucket's depth. */
export function costOf(count: number, budget: FailureBudget): number {
  return Math.min(count, budget.depthFailures) * budget.leakMillis;
}

/** How far ahead emptyAt may lie, in milliseconds. */
export function depthOf(budget: FailureBudget): number {
  return budget.depthFailures * budget.leakMillis;
}

/** How many failures the bucket holds at `now`: a fraction, since it leaks all the time. */
export function failuresLeft(failures: Failures, budget: FailureBudget, now: number): number {
  return Math.max(0, failures.emptyAt - now) / budget.leakMillis;
}

/** Until when the key is blocked by its own failures, in milliseconds since the epoch; 0 where it is not. */
export function blockedUntil(failures: Failures, budget: FailureBudget): number {
  if (budget.blocksAtFailures === null) return 0;
  const count = failuresLeft(failures, budget, failures.lastAt);
  // The bucket leaks between two failures, so the tenth failure finds it a little below ten.
  if (count <= budget.blocksAtFailures - 1) return 0;
  const doublings = Math.max(0, Math.ceil(count - budget.blocksAtFailures));
  return failures.lastAt + Math.min(budget.blockMaxMillis, budget.blockMillis * 2 ** doublings);
}

/** One key's part in a decision. */
export interface FailureView {
  kind: FailureKind;
  failures: Failures;
  /** This process's recent look-ups of the key, and how many of them failed: what tells a flood from a large shop. */
  lookups: number;
  failedLookups: number;
}

/**
 * Decides about a look-up.
 * @param own the failures of the user (or of the caller, where there is no user) that the look-up is for
 * @param shared those of what the user shares with others: the token of a shop's backend, or a customer's address.
 *   They alone never refuse a user without failures, except in a flood.
 * @returns milliseconds to wait, 0 to let it through
 */
export function waitBeforeLookup(own: FailureView | undefined, shared: FailureView | undefined, now: number): number {
  const ownWait = own === undefined ? 0 : blockedUntil(own.failures, failureBudgets[own.kind]) - now;
  if (ownWait > 0) return ownWait;
  if (shared === undefined) return 0;
  const budget = failureBudgets[shared.kind];
  const floodWait = blockedUntil(shared.failures, budget) - now;
  if (floodWait > 0 && isFlood(shared)) return floodWait;
  if (own === undefined || budget.tightensAtFailures === null) return 0;
  if (failuresLeft(shared.failures, budget, now) <= budget.tightensAtFailures - 1) return 0;
  return tightenedWait(own, now);
}

/** A shop with many users fails often and succeeds more often; a guesser fails nearly always. */
function isFlood(view: FailureView): boolean {
  return view.lookups >= throttleLimits.floodMinLookups && view.failedLookups * 2 > view.lookups;
}

/** Until the user's own failures have leaked below the smaller budget. */
function tightenedWait(own: FailureView, now: number): number {
  const budget = failureBudgets[own.kind];
  if (budget.tightenedAtFailures === null) return 0;
  const allowedMillis = (budget.tightenedAtFailures - 1) * budget.leakMillis;
  return Math.min(budget.blockMaxMillis, Math.max(0, own.failures.emptyAt - now - allowedMillis));
}
