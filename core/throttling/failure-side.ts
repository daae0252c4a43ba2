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
   * What this task knew of the key before, or null. It restores a side that has forgotten (Redis was flushed,
   * PostgreSQL has crashed, or another side did the counting for a while): the larger of the two counts.
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
   * Adds the marks and returns each key's failures after that, in the order of the marks. Concurrent calls of several
   * tasks add up exactly. If it rejects, ask another side; some of the marks may have been counted already.
   * @param marks 1 to throttleLimits.pendingMaxKeys of them, with different keys
   * @param now milliseconds since the epoch
   */
  record(marks: readonly FailureMark[], now: number): Promise<Failures[]>;
}
