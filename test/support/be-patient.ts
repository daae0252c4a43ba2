import { databaseLimits } from '../../core/db/database-limits.ts';
import { limits } from '../../core/limits.ts';

/** Longer than any machine stands still, and than Jest waits for a test. */
const patienceMillis = 600_000;

/**
 * Lets every core that this test file opens from now on wait where it would give up after seconds, so that a machine
 * which is slow, or stands still for a while, changes no answer. How long a session waits for a lock stays as it is:
 * what is held is still set aside, and tried again. Not for files that are about giving up.
 * @param without `cold`: writes off the hot path give up as ever
 */
export function bePatient({ without }: { without?: 'cold' } = {}): void {
  Object.assign(databaseLimits, {
    statementTimeoutMillis: patienceMillis,
    answerTimeoutMillis: 2 * patienceMillis,
    lockTimeoutMillis: patienceMillis,
    idleInTransactionMillis: patienceMillis,
    hotIdleInTransactionMillis: patienceMillis,
    connectTimeoutMillis: patienceMillis,
  });
  Object.assign(limits, {
    queueMaxWaitMillis: patienceMillis,
    queueShedAgeMillis: patienceMillis,
    heldUpMaxMillis: patienceMillis,
  });
  if (without === 'cold') return;
  Object.assign(databaseLimits, { coldLockTries: 10_000, coldRetryTurnMillis: patienceMillis });
  Object.assign(limits, { uploadMaxWaitMillis: patienceMillis, coldTurnMaxWaitMillis: patienceMillis });
}

/**
 * The environment in which a process of the API waits as long as cores do after `bePatient`: then no answer of it says
 * `unavailable` because the machine is slow, and one that does has another cause.
 */
export const patientProcess = {
  NODE_OPTIONS: `--import=${new URL('./be-patient-in-process.ts', import.meta.url).href}`,
};
