import { type DatabaseAddress, readDatabase } from '../database-address.ts';
import { ConfigError } from '../environment.ts';
import { silentLog } from '../log.ts';
import { describeDatabaseTrouble } from './describe-database-trouble.ts';
import { migrateToLatest } from './migrate.ts';

const usage =
  'migrate: brings the database that DATABASE_URL or DB_HOST names to the newest schema. A repeat changes nothing.';

/** `npm run migrate`: one line a migration, or one line of trouble and exit code 1. */
if (process.argv.includes('--help')) {
  console.log(usage);
  process.exit(0);
}

let address: DatabaseAddress | null = null;
try {
  address = readDatabase(process.env);
  const { applied } = await migrateToLatest(address, {
    ...silentLog,
    error: (fields, message) => console.error(`${message}: ${JSON.stringify(fields)}`),
  });
  for (const name of applied) console.log(`applied ${name}`);
  if (applied.length === 0) console.log('nothing to apply: the schema is up to date');
} catch (error) {
  const where = error instanceof ConfigError ? '' : 'migrate: ';
  const trouble = address === null ? null : describeDatabaseTrouble(error, address);
  console.error(`${where}${trouble ?? oneLine(error)}`);
  // A server that was not given the password it wants holds the connection open for a minute, and the process with it.
  process.exit(1);
}

/** A refused connection to several addresses is an AggregateError, whose own message is empty. */
function oneLine(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return oneLine(error.errors[0]);
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s+/g, ' ');
}
