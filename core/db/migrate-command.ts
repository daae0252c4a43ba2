import { ConfigError, readDatabase } from '../config.ts';
import { silentLog } from '../log.ts';
import { migrateToLatest } from './migrate.ts';

/** `npm run migrate`: one line a migration, or one line of trouble and exit code 1. */
try {
  const { applied } = await migrateToLatest(readDatabase(process.env), {
    ...silentLog,
    error: (fields, message) => console.error(`${message}: ${JSON.stringify(fields)}`),
  });
  for (const name of applied) console.log(`applied ${name}`);
  if (applied.length === 0) console.log('nothing to apply: the schema is up to date');
} catch (error) {
  const where = error instanceof ConfigError ? '' : 'migrate: ';
  console.error(`${where}${oneLine(error)}`);
  process.exitCode = 1;
}

/** A refused connection to several addresses is an AggregateError, whose own message is empty. */
function oneLine(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return oneLine(error.errors[0]);
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s+/g, ' ');
}
