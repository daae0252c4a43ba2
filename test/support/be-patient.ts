import { databaseLimits } from '../../core/db/database-limits.ts';
import { limits } from '../../core/limits.ts';
import { type Patience, patience } from './patience.ts';
import { setForFile } from './set-for-file.ts';

/**
 * Lets every core that this test file opens from now on wait where it would give up after seconds, so that a machine
 * which is slow, or stands still for a while, changes no answer. How long a session waits for a lock stays as it is:
 * what is held is still set aside, and tried again. Not for files that are about giving up.
 * @param without `cold`: writes off the hot path give up as ever
 */
export function bePatient({ without }: { without?: 'cold' } = {}): void {
  const kinds: readonly Patience[] = without === 'cold' ? [patience.hot] : [patience.hot, patience.cold];
  for (const kind of kinds) {
    setForFile(databaseLimits, kind.database);
    setForFile(limits, kind.core);
  }
}

/**
 * The environment in which a process of the API waits as long as cores do after `bePatient`: then no answer of it says
 * `unavailable` because the machine is slow, and one that does has another cause.
 */
export const patientProcess = {
  NODE_OPTIONS: `--import=${new URL('./be-patient-in-process.ts', import.meta.url).href}`,
};
