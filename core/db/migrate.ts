import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { DatabaseAddress } from '../database-address.ts';
import type { Log } from '../log.ts';
import { indexEventPartitions } from './index-event-partitions.ts';
import { indexRedemptions } from './index-redemptions.ts';
import { openPool, type Queryable } from './pool.ts';
import { sqlStateOf } from './sql-errors.ts';

/** What a run of migrations did. */
export interface MigrationResult {
  /** The names of the migrations that this run applied, in order; empty where the schema was new enough. */
  applied: string[];
}

/**
 * The oldest schema that this version of the product can work on: the number of a migration, 1 and up. It may be lower
 * than that of the newest file in migrations/: the schema grows first, and a later version uses it.
 */
export const neededSchemaVersion = 14;

/**
 * The advisory lock of whoever migrates. The number was chosen once for this product, apart from all its other locks.
 */
const migrationLock = 7_238_106_414_227_001;
/** How long to wait for another process, which may be in the middle of a long migration. */
const migrationLockTimeoutMillis = 300_000;
const migrationLockPauseMillis = 100;
/**
 * A statement that changes a table waits for running transactions, and all others then wait behind it: so not for long.
 */
const tableLockTimeoutMillis = 5_000;
/** Long enough to build an index on a large table. */
const migrationStatementTimeoutMillis = 3_600_000;
/** The current month and three ahead: a deployment may come late without an event missing its partition. */
const eventPartitionMonths = 4;

const fileName = /^\d{4}_[a-z0-9_]+\.sql$/;
const undefinedTable = '42P01';

/**
 * Brings the schema up to the newest migration of `directory`, all of them in one transaction or none, and makes the
 * partitions of events for the months ahead. Runs at the same time, from anywhere, wait for one another (at most five
 * minutes) and then find nothing left to do. On a schema newer than `directory` it succeeds and changes nothing, so
 * that an older version can start during a roll-back. A table that stays locked for five seconds fails the run, which
 * may then be repeated: waiting longer would hold up everyone who uses the table.
 * @param directory where the numbered SQL files are: a path or a file: URL; a bundle that moves them says where they
 *   went
 * @throws Error naming the migration that failed; nothing is applied then
 */
export async function migrateToLatest(
  address: DatabaseAddress,
  log: Log,
  directory: string | URL = new URL('../../migrations/', import.meta.url),
): Promise<MigrationResult> {
  const files = await readMigrations(directory);
  // One connection: it holds the lock for as long as anything here runs, and loses it with the connection.
  const pool = openPool(address, {
    max: 1,
    applicationName: 'qurable migrate',
    onError: (error) => log.warn({ error: error.message }, 'the connection of the migrations was lost'),
    statementTimeoutMillis: migrationStatementTimeoutMillis,
  });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await takeMigrationLock(db);
    const executed = await executedMigrations(pool);
    const applied = await runMigrations(db, files, executed);
    for (const name of applied) log.info({ migration: name }, 'applied a migration');
    const isNewer = executed.some((name) => !files.has(name));
    if (!isNewer) {
      await createEventPartitions(db, log);
      await indexEventPartitions(pool, log);
      await indexRedemptions(pool, log);
    }
    return { applied };
  } finally {
    await db.destroy();
  }
}

/** The number of the newest migration that the database has, 0 on an empty one. Throws what the database throws. */
export async function schemaVersion(db: Queryable): Promise<number> {
  const newest = (await executedMigrations(db)).at(-1);
  return newest === undefined ? 0 : Number.parseInt(newest, 10);
}

/** Reads every file at once, before the database is touched, so that an unreadable one changes nothing. */
async function readMigrations(directory: string | URL): Promise<Map<string, string>> {
  const base = typeof directory === 'string' ? directory.replace(/\/*$/, '/') : directory;
  const names = (await readdir(base)).filter((name) => name.endsWith('.sql')).sort();
  const files = new Map<string, string>();
  for (const name of names) {
    if (!fileName.test(name)) throw new Error(`migrations/${name} is not named like 0001_what_it_does.sql`);
    const place = typeof base === 'string' ? base + name : new URL(name, base);
    files.set(name.replace(/\.sql$/, ''), await readFile(place, 'utf8'));
  }
  if (files.size === 0) throw new Error('there are no migrations where they were looked for');
  return files;
}

/**
 * kysely's own lock comes too late: it is taken after kysely has made its tables, and two runs that make them can fail.
 * It is asked for again and again: a statement that waits for it would keep a snapshot, for whose end an index that the
 * other run builds concurrently waits in turn.
 */
async function takeMigrationLock(db: Kysely<unknown>): Promise<void> {
  await sql`select set_config('lock_timeout', ${String(tableLockTimeoutMillis)}, false)`.execute(db);
  for (let waited = 0; ; waited += migrationLockPauseMillis) {
    const { rows } = await sql<{ taken: boolean }>`select pg_try_advisory_lock(${migrationLock}) as taken`.execute(db);
    if (rows[0]!.taken) return;
    if (waited >= migrationLockTimeoutMillis)
      throw new Error('another run of the migrations has not finished within five minutes');
    await sleep(migrationLockPauseMillis);
  }
}

async function executedMigrations(db: Queryable): Promise<string[]> {
  try {
    const answer = await db.query<{ name: string }>('select name from kysely_migration order by name collate "C"');
    return answer.rows.map((row) => row.name);
  } catch (error) {
    if (sqlStateOf(error) === undefinedTable) return [];
    throw error;
  }
}

/**
 * kysely calls an executed migration "corrupted" if it is not given its file. Here it is a newer version's migration,
 * which is allowed, so its name is added to the files. A file whose number is below that of an executed one stays an
 * error: it would run on a schema that it was not written for.
 */
async function runMigrations(db: Kysely<unknown>, files: Map<string, string>, executed: string[]): Promise<string[]> {
  const migrations: Record<string, Migration> = {};
  for (const name of executed) migrations[name] = { up: () => Promise.reject(new Error(`${name} has been executed`)) };
  for (const [name, text] of files) migrations[name] = { up: (tx) => runSql(tx, text) };
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results.find((result) => result.status === 'Error');
    const reason = error instanceof Error ? error.message : String(error);
    const what = failed === undefined ? 'the migrations failed' : `migration ${failed.migrationName} failed`;
    throw new Error(`${what}: ${reason}`, { cause: error });
  }
  return results.map((result) => result.migrationName);
}

async function runSql(tx: Kysely<unknown>, text: string): Promise<void> {
  await sql.raw(text).execute(tx);
}

/**
 * Events of a month without a partition go into events_default: slower one day, but not lost, so this is no failure.
 */
async function createEventPartitions(db: Kysely<unknown>, log: Log): Promise<void> {
  try {
    await sql`select create_event_partitions(clock_timestamp(), ${eventPartitionMonths}::int)`.execute(db);
  } catch (error) {
    log.error(
      { error: error instanceof Error ? error.message : String(error) },
      'could not make the partitions of events for the months ahead',
    );
  }
}
