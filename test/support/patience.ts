import type { databaseLimits } from '../../core/db/database-limits.ts';
import type { limits } from '../../core/limits.ts';

/** Limits under which a core waits where it would give up after seconds. */
export interface Patience {
  database: Partial<Record<keyof typeof databaseLimits, number>>;
  core: Partial<Record<keyof typeof limits, number>>;
}

/** Longer than any machine stands still, and than a test may take. */
const patienceMillis = 600_000;

/** Of the hot path, and of the writes off it. */
export const patience = {
  hot: {
    database: {
      statementTimeoutMillis: patienceMillis,
      answerTimeoutMillis: 2 * patienceMillis,
      lockTimeoutMillis: patienceMillis,
      idleInTransactionMillis: patienceMillis,
      hotIdleInTransactionMillis: patienceMillis,
      connectTimeoutMillis: patienceMillis,
    },
    core: {
      queueMaxWaitMillis: patienceMillis,
      queueShedAgeMillis: patienceMillis,
      heldUpMaxMillis: patienceMillis,
    },
  },
  cold: {
    database: { coldLockTries: 10_000, coldRetryTurnMillis: patienceMillis },
    core: { uploadMaxWaitMillis: patienceMillis, coldTurnMaxWaitMillis: patienceMillis },
  },
} satisfies Record<string, Patience>;
