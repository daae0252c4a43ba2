import { join } from 'node:path';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { askRestored, readInvariants, systemClock } from '../core/index.ts';
import { readMarksOfLog } from './ask-restored/read-marks-of-log.ts';
import { readQuestion } from './ask-restored/read-question.ts';
import { requireVariable } from './environment.ts';
import { lambdaStack } from './middleware/lambda-stack.ts';
import { readDatabaseAddress } from './migrate/read-database-address.ts';

const secrets = new SecretsManagerClient();
const logs = new CloudWatchLogsClient();

/** For so long it asks within one call, of the quarter of an hour that the function has; the next call goes on. */
const askMillis = 13 * 60_000;

/**
 * Asks the database that a drill restored, and says what it answered. Nothing else reaches that database,
 * and this function reaches no other. The login is the stage's own, as the copy has it.
 */
export const handler = lambdaStack('ask-restored', async (event: unknown) => {
  const deadline = systemClock.monotonic() + askMillis;
  const { host, port, restoredTo, before } = readQuestion(event);
  const { env } = process;
  const address = await readDatabaseAddress(secrets, { ...env, DB_HOST: host, DB_PORT: String(port) });
  const questions = {
    invariants: await readInvariants(join(env['LAMBDA_TASK_ROOT'] ?? '.', 'core/restore/invariants.sql')),
    restoredTo,
    readMarks: () => readMarksOfLog(logs, requireVariable(env, 'MARKS_LOG_GROUP'), restoredTo),
    clock: systemClock,
    deadline,
  };
  return askRestored(address, questions, before);
});
