import type { Failures } from './failure-rules.ts';
import type { FailureKind } from './throttle-limits.ts';

/** New failures of one key, to be added to what all tasks have counted. */
export interface FailureMark {
  tenantId: number;
  /** As nameHash gives it: a UUID's text. */
  keyHash: string;
  kind: FailureKind;
  /** How many, 1 and up. */
  count: number;
  /**
   * What this task has learned of the key before, or null. A side that has forgotten (Redis was flushed, PostgreSQL has
   * crashed, or another side did the counting for a while) remembers by it: the larger of the two is what counts.
   */
  known: Failures | null;
}

/**
 * Where failures are counted: in Redis, in PostgreSQL, or in this process's memory, all with the same answers
 * (test/contract/throttling.test.ts).
 */
export interface FailureSide {
  readonly name: 'redis' | 'postgres' | 'memory';
  /**
   * Adds the marks and gives each key's failures after it, in the marks' order. Concurrent calls from several tasks add
   * up exactly. A rejection means that another side should be asked; some of the marks may then have been counted.
   * @param marks 1 to throttleLimits.pendingMaxKeys of them, with different keys
   * @param now milliseconds since the epoch
   */
  record(marks: readonly FailureMark[], now: number): Promise<Failures[]>;
}
