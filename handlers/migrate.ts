import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { lambdaStack } from './middleware/lambda-stack.ts';
import { readDatabaseAddress } from './migrate/read-database-address.ts';
import { runMigrations } from './migrate/run-migrations.ts';

const secrets = new SecretsManagerClient();

/**
 * Brings the database's schema up to this version's. A deployment calls it as a custom resource that the service
 * depends on; any other event is a call by hand. The function's bundle contains migrations/.
 */
export const handler = lambdaStack('migrate', async (_event: unknown, { log, metrics }) =>
  runMigrations(await readDatabaseAddress(secrets, process.env), process.env['LAMBDA_TASK_ROOT'], log, metrics),
);
