/**
 * The process's own time, for deadlines and cache lifetimes only. What is decided about a coupon is decided by the
 * database's clock, read after the last lock, so that tasks with skewed clocks agree.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonic(): number;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
