import { databaseLimits } from '../../core/db/database-limits.ts';
import { limits } from '../../core/limits.ts';
import { patience } from './patience.ts';

/** Loaded before an API's own program, by `patientProcess`. */
for (const { database, core } of Object.values(patience)) {
  Object.assign(databaseLimits, database);
  Object.assign(limits, core);
}
