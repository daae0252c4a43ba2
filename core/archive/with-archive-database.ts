import type pg from 'pg';
import type { DatabaseAddress } from '../database-address.ts';
import { neededSchemaVersion, schemaVersion } from '../db/migrate.ts';
import { openPool } from '../db/pool.ts';
import { ArchiveError } from './archive-error.ts';

/** Building the index of a month's events is one statement. */
const statementMillis = 3_600_000;

/**
 * Opens connections for work on whole months, and closes them behind it: one that holds the lock of an export, and one
 * that works.
 * @throws ArchiveError where the schema is too old
 */
export async function withArchiveDatabase<T>(
  address: DatabaseAddress,
  name: string,
  work: (pool: pg.Pool) => Promise<T>,
): Promise<T> {
  const pool = openPool(address, {
    max: 3,
    applicationName: `qurable ${name}`,
    statementTimeoutMillis: statementMillis,
    onError: () => {},
  });
  try {
    if ((await schemaVersion(pool)) < neededSchemaVersion)
      throw new ArchiveError('the schema of the database is too old: run the migrations first');
    return await work(pool);
  } finally {
    await pool.end();
  }
}
