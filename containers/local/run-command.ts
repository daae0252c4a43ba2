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
import { restoreBackup } from './restore-backup.ts';

const project = resolve(import.meta.dirname, '../..');

/** Commands of the project by their name; any other is one of PostgreSQL's client: `psql`, `backup`, `restore`. */
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
async function launch(name: string, args: string[], environment: Environment): Promise<number> {
  // A Ctrl-C reaches the child too; this process waits for it, and then stops the database.
  process.on('SIGINT', () => {});
  const file = commands[name];
  if (file !== undefined) return await exitOf(process.execPath, [join(project, file), ...args], environment);
  const env = { ...environment, ...libpqVariables(environment) };
  try {
    if (name === 'restore') return await restoreBackup(args, env);
    return await exitOf(...programOf(name, args), env);
  } catch {
    throw new EmbeddedStartError(
      `PostgreSQL's programs can't be run: install PostgreSQL's client (Debian: postgresql-client).`,
    );
  }
}

function programOf(name: string, args: string[]): [program: string, args: string[]] {
  return name === 'backup' ? ['pg_dump', ['--format=custom', ...args]] : ['psql', args];
}

function exitOf(program: string, args: string[], env: Environment): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env });
  return new Promise((done, fail) => {
    child.once('exit', (code) => done(code ?? 1));
    child.once('error', fail);
  });
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
