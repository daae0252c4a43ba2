import { type FailureBudget, type FailureKind, failureBudgets, throttleLimits } from './throttle-limits.ts';

/**
 * The failures of one key, as two times in milliseconds since the Unix epoch, by the tasks' clocks. If the clocks of
 * two tasks differ, a block ends earlier or later by the difference, and nothing else happens.
 */
export interface Failures {
  /** When the bucket will be empty. */
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

/** When the key's own failures stop blocking it, in milliseconds since the epoch; 0 if they don't block it. */
export function blockedUntil(failures: Failures, budget: FailureBudget): number {
  if (budget.blocksAtFailures === null) return 0;
  const count = failuresLeft(failures, budget, failures.lastAt);
  // The bucket leaks between two failures, so the tenth failure finds it a little below ten.
  if (count <= budget.blocksAtFailures - 1) return 0;
  const doublings = Math.max(0, Math.ceil(count - budget.blocksAtFailures));
  return failures.lastAt + Math.min(budget.blockMaxMillis, budget.blockMillis * 2 ** doublings);
}

/** The failures of a key. */
export interface FailureView {
  failures: Failures;
  /** This process's recent look-ups of the key, and how many failed. They tell a flood of guesses from a large shop. */
  lookups: number;
  failedLookups: number;
}

/** One key's part in a decision. */
export interface KeyState {
  kind: FailureKind;
  /** Undefined where the key has no failures. */
  view: FailureView | undefined;
  /** Its look-ups in flight in this process. */
  inFlight: number;
}

/** The keys that a look-up counts for. */
export interface LookupStates {
  /** The user, or the caller where there is no user. */
  own: KeyState;
  /**
   * Keys that the user shares with others: the token of a shop's backend, or a customer's address. On their own they
   * refuse no user who has no failures, except in a flood.
   */
  shared: KeyState;
  /** The token's failures over a longer time; undefined for a customer's token, which is one user's. */
  ceiling: KeyState | undefined;
}

/**
 * `go`: look the code up. `wait` until a look-up in flight has ended, since it may fail. A number: refuse, for so many
 * milliseconds.
 */
export type LookupDecision = 'go' | 'wait' | number;

/**
 * Decides about a look-up. A look-up in flight counts as failed until its result is known. So as many run at once as
 * may fail one after the other, and never fewer than one.
 */
export function decideLookup(states: LookupStates, now: number): LookupDecision {
  const refusedMillis = waitBeforeLookup(states, now);
  if (refusedMillis > 0) return refusedMillis;
  return mightFailTooOften(states, now) ? 'wait' : 'go';
}

/** How long known failures refuse a look-up, in milliseconds; 0 if they don't. */
function waitBeforeLookup({ own, shared, ceiling }: LookupStates, now: number): number {
  const ownWait = blockWait(own, now);
  if (ownWait > 0) return ownWait;
  const ceilingWait = ceiling === undefined ? 0 : blockWait(ceiling, now);
  if (ceilingWait > 0) return ceilingWait;
  const floodWait = blockWait(shared, now);
  if (floodWait > 0 && isFlood(shared, 0)) return floodWait;
  return isTight(shared, 0, now) ? tightenedWait(own, now) : 0;
}

/** Whether one more look-up could exceed a budget if all in flight failed. */
function mightFailTooOften({ own, shared, ceiling }: LookupStates, now: number): boolean {
  if (isUsedUp(own, failureBudgets[own.kind].blocksAtFailures, now)) return true;
  if (ceiling !== undefined && isUsedUp(ceiling, failureBudgets[ceiling.kind].blocksAtFailures, now)) return true;
  if (isUsedUp(shared, failureBudgets[shared.kind].blocksAtFailures, now) && isFlood(shared, shared.inFlight)) {
    return true;
  }
  return isTight(shared, shared.inFlight, now) && isUsedUp(own, failureBudgets[own.kind].tightenedAtFailures, now);
}

/** Whether failures and look-ups in flight together reach the budget. A key with none in flight may always have one. */
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

/** Whether a key has so many failures that the users behind it get a smaller budget. */
function isTight({ kind, view }: KeyState, inFlight: number, now: number): boolean {
  const { tightensAtFailures } = failureBudgets[kind];
  return tightensAtFailures !== null && countOf(kind, view, now) + inFlight > tightensAtFailures - 1;
}

/** How long until the user's own failures are below the smaller budget, in milliseconds. */
function tightenedWait({ kind, view }: KeyState, now: number): number {
  const budget = failureBudgets[kind];
  if (view === undefined || budget.tightenedAtFailures === null) return 0;
  const allowedMillis = (budget.tightenedAtFailures - 1) * budget.leakMillis;
  return Math.min(budget.blockMaxMillis, Math.max(0, view.failures.emptyAt - now - allowedMillis));
}
