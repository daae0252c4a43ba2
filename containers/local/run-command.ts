import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Environment } from '../../core/index.ts';
import { keepSecrets } from './keep-secrets.ts';
import { chooseAccount } from './machine/choose-account.ts';
import { EmbeddedStartError } from './machine/embedded-start-error.ts';
import { readClusterOwner } from './postgres/cluster-owner.ts';
import { clusterUser } from './postgres/create-cluster.ts';
import { startEmbeddedPostgres } from './postgres/embedded-postgres.ts';
import { placeData } from './postgres/place-data.ts';
import { readPostmasterFile } from './postgres/postmaster-file.ts';

const project = resolve(import.meta.dirname, '../..');

/** Commands of the project by their name, and programs that come with PostgreSQL's client. */
const commands: Record<string, string> = {
  migrate: 'core/db/migrate-command.ts',
  'after-restore': 'core/restore/after-restore-command.ts',
  'rewrap-pattern-keys': 'core/patterns/rewrap-pattern-keys-command.ts',
  'export-events': 'operations/events/export-events-command.ts',
  'verify-events': 'operations/events/verify-events-command.ts',
  'import-events': 'operations/events/import-events-command.ts',
  reconcile: 'operations/events/reconcile-command.ts',
  distribute: 'operations/distribute/distribute-command.ts',
};
const programs: Record<string, string> = { psql: 'psql', backup: 'pg_dump', restore: 'pg_restore' };

/**
 * Runs a command with the settings of `npm start`: `.env`, the installation's secrets, and its database. If the
 * database does not run, it is started for the time of the command.
 */
async function run(name: string, args: string[]): Promise<number> {
  if (existsSync(join(project, '.env'))) process.loadEnvFile(join(project, '.env'));
  const home = resolve(process.env.QURABLE_HOME || join(project, '.qurable'));
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
  const secrets = existsSync(join(home, 'secrets.json')) ? keepSecrets(home).secrets : {};
  const environment: Environment = { QURABLE_HOME: home, ...secrets, ...given };
  if (given.JWT_JWKS_URL) delete environment.JWT_SECRET;
  if (given.DATABASE_URL || given.DB_HOST || args.includes('--help')) return await launch(name, args, environment);
  const database = await findDatabase(home);
  try {
    return await launch(name, args, { ...environment, DATABASE_URL: database.url });
  } finally {
    await database.stop();
  }
}

async function findDatabase(home: string): Promise<{ url: string; stop(): Promise<void> }> {
  const wanted = join(home, 'postgres');
  if (!existsSync(`${wanted}.password`)) {
    throw new EmbeddedStartError(
      `There is no database in ${home}: set DATABASE_URL, or make one with npm start, or set QURABLE_HOME to where it is.`,
    );
  }
  const dataDirectory = placeData(wanted, chooseAccount(wanted));
  const running = readPostmasterFile(dataDirectory);
  if (readClusterOwner(dataDirectory) !== null && running?.ready) {
    const password = readFileSync(`${wanted}.password`, 'utf8').trim();
    return {
      url: `postgres://${clusterUser}:${password}@127.0.0.1:${running.port}/qurable`,
      stop: () => Promise.resolve(),
    };
  }
  return await startEmbeddedPostgres({ dataDirectory: wanted, log: (line) => console.error(line) });
}

/** Returns the command's exit code. */
function launch(name: string, args: string[], environment: Environment): Promise<number> {
  const file = commands[name];
  const program = file === undefined ? programs[name]! : process.execPath;
  const own = file === undefined ? programArguments(name, environment) : [join(project, file)];
  const env = file === undefined ? { ...environment, ...libpqVariables(environment) } : environment;
  const child = spawn(program, [...own, ...args], { stdio: 'inherit', env });
  // A Ctrl-C reaches the child too; this process waits for it, and then stops the database.
  process.on('SIGINT', () => {});
  return new Promise((done, fail) => {
    child.once('exit', (code) => done(code ?? 1));
    child.once('error', () =>
      fail(new EmbeddedStartError(`${program} can't be run: install PostgreSQL's client (Debian: postgresql-client).`)),
    );
  });
}

function programArguments(name: string, environment: Environment): string[] {
  const { PGDATABASE } = libpqVariables(environment);
  if (name === 'restore')
    return ['--clean', '--if-exists', '--no-owner', '--single-transaction', `--dbname=${PGDATABASE}`];
  return name === 'backup' ? ['--format=custom'] : [];
}

/** Not as an argument, where everyone on the machine could read the password. */
function libpqVariables(environment: Environment): Environment {
  if (!environment.DATABASE_URL) {
    const { DB_HOST, DB_PORT, DB_NAME = 'qurable', DB_USERNAME, DB_PASSWORD } = environment;
    return { PGHOST: DB_HOST, PGPORT: DB_PORT, PGDATABASE: DB_NAME, PGUSER: DB_USERNAME, PGPASSWORD: DB_PASSWORD };
  }
  const url = new URL(environment.DATABASE_URL);
  return {
    PGHOST: url.hostname,
    PGPORT: url.port || '5432',
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
  };
}

const [name = '', ...args] = process.argv.slice(2);
try {
  process.exitCode = await run(name, args);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
