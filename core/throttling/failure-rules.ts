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

/** What is known of a key that has failures. */
export interface FailureView {
  failures: Failures;
  /** This process's recent look-ups of the key, and how many of them failed: what tells a flood from a large shop. */
  lookups: number;
  failedLookups: number;
}

/** One key's part in a decision. */
export interface KeyState {
  kind: FailureKind;
  /** Undefined where the key has no failures. */
  view: FailureView | undefined;
  /** Its look-ups in this process that have begun and not ended. */
  inFlight: number;
}

/** Who a look-up is of. */
export interface LookupStates {
  /** The user, or the caller where there is no user. */
  own: KeyState;
  /**
   * What the user shares with others: the token of a shop's backend, or a customer's address. They alone never refuse a
   * user without failures, except in a flood.
   */
  shared: KeyState;
  /** The token's failures over a longer time; undefined for a customer's token, which is one user's. */
  ceiling: KeyState | undefined;
}

/** `go`; `wait` until one in flight has ended, as that may be a guess that fails; or milliseconds of a refusal. */
export type LookupDecision = 'go' | 'wait' | number;

/**
 * Decides about a look-up. Whatever is in flight counts as failed as long as nobody knows: as many look-ups are under
 * way at a time as may fail one after the other, and never fewer than one.
 */
export function decideLookup(states: LookupStates, now: number): LookupDecision {
  const refusedMillis = waitBeforeLookup(states, now);
  if (refusedMillis > 0) return refusedMillis;
  return mightFailTooOften(states, now) ? 'wait' : 'go';
}

/** For how long the failures that are known refuse a look-up, in milliseconds; 0 where they don't. */
function waitBeforeLookup({ own, shared, ceiling }: LookupStates, now: number): number {
  const ownWait = blockWait(own, now);
  if (ownWait > 0) return ownWait;
  const ceilingWait = ceiling === undefined ? 0 : blockWait(ceiling, now);
  if (ceilingWait > 0) return ceilingWait;
  const floodWait = blockWait(shared, now);
  if (floodWait > 0 && isFlood(shared, 0)) return floodWait;
  return isTight(shared, 0, now) ? tightenedWait(own, now) : 0;
}

/** Whether one more look-up could bring the failures beyond a budget, if all in flight failed. */
function mightFailTooOften({ own, shared, ceiling }: LookupStates, now: number): boolean {
  if (isUsedUp(own, failureBudgets[own.kind].blocksAtFailures, now)) return true;
  if (ceiling !== undefined && isUsedUp(ceiling, failureBudgets[ceiling.kind].blocksAtFailures, now)) return true;
  if (isUsedUp(shared, failureBudgets[shared.kind].blocksAtFailures, now) && isFlood(shared, shared.inFlight)) {
    return true;
  }
  return isTight(shared, shared.inFlight, now) && isUsedUp(own, failureBudgets[own.kind].tightenedAtFailures, now);
}

/** Whether failures and look-ups in flight together reach the budget. One that has none in flight may always have one. */
function isUsedUp({ kind, view, inFlight }: KeyState, atFailures: number | null, now: number): boolean {
  if (atFailures === null || inFlight === 0) return false;
  return countOf(kind, view, now) + inFlight > atFailures - 1;
}

function countOf(kind: FailureKind, view: FailureView | undefined, now: number): number {
  return view === undefined ? 0 : failuresLeft(view.failures, failureBudgets[kind], now);
}

function blockWait({ kind, view }: KeyState, now: number): number {
  return view === undefined ? 0 : blockedUntil(view.failures, failureBudgets[kind]) - now;
}

/**
 * A shop with many users fails often and succeeds more often; a guesser fails nearly always.
 * @param inFlight look-ups that count as failed
 */
function isFlood({ view }: KeyState, inFlight: number): boolean {
  const lookups = (view?.lookups ?? 0) + inFlight;
  return lookups >= throttleLimits.floodMinLookups && ((view?.failedLookups ?? 0) + inFlight) * 2 > lookups;
}

/** Whether so much fails behind a key that the users behind it have a smaller budget. */
function isTight({ kind, view }: KeyState, inFlight: number, now: number): boolean {
  const { tightensAtFailures } = failureBudgets[kind];
  return tightensAtFailures !== null && countOf(kind, view, now) + inFlight > tightensAtFailures - 1;
}

/** Until the user's own failures have leaked below the smaller budget. */
function tightenedWait({ kind, view }: KeyState, now: number): number {
  const budget = failureBudgets[kind];
  if (view === undefined || budget.tightenedAtFailures === null) return 0;
  const allowedMillis = (budget.tightenedAtFailures - 1) * budget.leakMillis;
  return Math.min(budget.blockMaxMillis, Math.max(0, view.failures.emptyAt - now - allowedMillis));
}
