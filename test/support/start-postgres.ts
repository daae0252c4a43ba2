import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../containers/local/postgres/embedded-postgres.ts';
import { migrateToLatest } from '../../core/db/migrate.ts';
import { silentLog } from '../../core/log.ts';

/** The database that the tests' databases are copied from: migrated, empty, closed to connections. */
export const templateName = 'qurable_template';
const objectInUse = '55006';
const urlVariable = 'QURABLE_TEST_POSTGRES_URL';
const logVariable = 'QURABLE_TEST_POSTGRES_LOG';
/** Where another PostgreSQL than the installed one is, as `npm run test:postgres` says. */
export const packageVariable = 'QURABLE_TEST_POSTGRES_PACKAGE';

/** A database of one test file's own. */
export type TestDatabase = {
  name: string;
  url: string;
  /** Cuts every connection to it and deletes it. */
  drop(): Promise<void>;
};

/**
 * Starts the PostgreSQL of a test run, with every migration applied to its template database, and notes its address in
 * this process's environment, from where Jest's workers inherit it. All of it is gone when this process ends, however
 * it ends.
 *
 * @param settings server settings by name; for a server that must survive a crash say `fsync: 'on'`.
 */
export async function startTestPostgres(settings: Record<string, string> = {}): Promise<EmbeddedPostgres> {
  const root = mkdtempSync(join(tmpdir(), 'qurable-test-'));
  // Under root the server is another user's, who must be let through to the data (which stays closed to all others).
  chmodSync(root, 0o711);
  const packageDirectory = process.env[packageVariable];
  const postgres = await startEmbeddedPostgres({
    dataDirectory: join(root, 'postgres'),
    ephemeralRoot: root,
    settings: { max_connections: '200', shared_buffers: '128MB', ...settings },
    log: (line) => process.stderr.write(`${line}\n`),
    ...(packageDirectory === undefined ? {} : { packageDirectory }),
  });
  try {
    await makeTemplate(postgres.url);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  process.env[urlVariable] = postgres.url;
  process.env[logVariable] = postgres.logFile;
  return postgres;
}

/**
 * Makes a database for a test file, with the newest schema and nothing in it, in some 50 ms.
 *
 * @param name a word to know it by in the server's log; a random number is added, so that names need not differ.
 */
export async function createTestDatabase(name: string): Promise<TestDatabase> {
  const unique = `${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 30)}_${randomBytes(6).toString('hex')}`;
  await runStatement(testPostgresUrl(), `CREATE DATABASE ${unique} TEMPLATE ${templateName} STRATEGY FILE_COPY`);
  return {
    name: unique,
    url: urlOf(testPostgresUrl(), unique),
    drop: () => runStatement(testPostgresUrl(), `DROP DATABASE IF EXISTS ${unique} WITH (FORCE)`),
  };
}

/** The superuser's URL of the run's PostgreSQL. Throws outside a test run. */
export function testPostgresUrl(): string {
  return fromRun(urlVariable);
}

/**
 * Finds what the server's log says about a database's deadlocks.
 *
 * @param database a name as `createTestDatabase` gave it.
 * @returns the log's lines; empty when there was no deadlock.
 */
export async function findDeadlocks(database: string): Promise<string[]> {
  return (await readServerLog(database)).filter((line) => line.includes('deadlock detected'));
}

/**
 * Reads what the server's log says about a database, up to this moment.
 *
 * @param database a name as `createTestDatabase` gave it.
 * @returns the log's lines; those that go on in further lines come with their first one alone.
 */
export async function readServerLog(database: string): Promise<string[]> {
  const lines = (await readFile(fromRun(logVariable), 'utf8')).split('\n');
  return lines.filter((line) => line.includes(`@${database} `));
}

function fromRun(variable: string): string {
  const value = process.env[variable];
  if (value === undefined)
    throw new Error(`${variable} is not set: run the tests through Jest, whose global setup sets it.`);
  return value;
}

async function makeTemplate(url: string): Promise<void> {
  await runStatement(url, `CREATE DATABASE ${templateName}`);
  await migrateToLatest({ connectionString: urlOf(url, templateName) }, silentLog);
  await runStatement(url, `ALTER DATABASE ${templateName} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
}

function urlOf(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function runStatement(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (;;) {
      try {
        await client.query(statement);
        return;
      } catch (error) {
        // The server waits five seconds for the end of others’ connections to it, which a busy machine exceeds.
        if ((error as { code?: string }).code !== objectInUse) throw error;
      }
    }
  } finally {
    await client.end();
  }
}
