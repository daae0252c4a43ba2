/** How long connections and statements may take, and how long they wait. */
export const databaseLimits = {
  statementTimeoutMillis: 10_000,
  /**
   * The server gives up first, unless it can't be heard: a statement's time runs while those before it wait for locks.
   */
  answerTimeoutMillis: 45_000,
  lockTimeoutMillis: 5_000,
  idleInTransactionMillis: 15_000,
  /** A batch holds its locks for milliseconds. A longer wait means that something other than a batch has the lock. */
  hotLockTimeoutMillis: 400,
  /** Shorter, after one such wait has timed out. */
  shortLockTimeoutMillis: 150,
  /** Longer, for a row that many processes want: fifty tasks that deal from one book make a queue of a second. */
  busyLockTimeoutMillis: 1_500,
  /** The server ends an idle batch after this time, so that a frozen process does not keep its locks. */
  hotIdleInTransactionMillis: 2_500,
  /** After this time a write off the hot path stops waiting for a lock, releases all that it holds, and tries again. */
  coldLockTimeoutMillis: 250,
  coldLockTries: 5,
  /** The pause between two of these tries, about. */
  coldLockPauseMillis: 100,
  /** How long such a write waits for its next turn, after it gave its turn back: it has waited already. */
  coldRetryTurnMillis: 500,
  connectTimeoutMillis: 5_000,
  idleConnectionMillis: 30_000,
} as const;
