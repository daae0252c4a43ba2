/** How long connections and statements may take, and how long they wait. */
export const databaseLimits = {
  statementTimeoutMillis: 10_000,
  /**
   * The server gives up first, unless it can't be heard: a statement's time runs while those before it wait for locks.
   */
  answerTimeoutMillis: 45_000,
  lockTimeoutMillis: 5_000,
  idleInTransactionMillis: 15_000,
  /** A batch holds its locks for milliseconds: who has waited so long waits for something else than a batch. */
  hotLockTimeoutMillis: 400,
  /** Less, where one such wait has been already. */
  shortLockTimeoutMillis: 150,
  /** More, where many processes want the same row: fifty tasks that deal from one book make a queue of a second. */
  busyLockTimeoutMillis: 1_500,
  /** A process that is frozen in the middle of a batch lets go of its locks after so long. */
  hotIdleInTransactionMillis: 2_500,
  /**
   * Writes off the hot path give up a wait for a lock so soon, and let go of all that they hold, before they try again.
   */
  coldLockTimeoutMillis: 250,
  coldLockTries: 5,
  /** About so long they pause in between. */
  coldLockPauseMillis: 100,
  /** Who gave its turn back, since a lock was held, waits no longer for the next one: it has waited already. */
  coldRetryTurnMillis: 500,
  connectTimeoutMillis: 5_000,
  idleConnectionMillis: 30_000,
} as const;
