import './require-node-24.js';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import {
  type Config,
  ConfigError,
  describeDatabaseTrouble,
  type Environment,
  limits,
  migrateToLatest,
  type RedisState,
  readConfig,
  refuseDatabaseParts,
  warnOfLookalikes,
} from '../../core/index.ts';
import { type ContainerLog, openLog } from '../api/observe/log.ts';
import { openStandardOutput } from '../api/observe/standard-output.ts';
import { buildConsoleIfStale } from '../console/build/build-console.ts';
import { formatForPeople } from './format-for-people.ts';
import { keepMarks } from './keep-marks.ts';
import { type KeptSecrets, keepSecrets } from './keep-secrets.ts';
import { listenForStop, type StopRequest } from './listen-for-stop.ts';
import { type LocalRedis, startLocalRedis } from './local-redis.ts';
import { EmbeddedStartError } from './machine/embedded-start-error.ts';
import { requirePort } from './machine/require-port.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres/embedded-postgres.ts';

/** What has been started and must be stopped in the end, the latest first. */
type Started = { stop(): Promise<void> }[];

const project = resolve(import.meta.dirname, '../..');
/** Not the console: its writes wait for the terminal, for ever if that is stopped. */
const errors = openStandardOutput(2);

function complain(error: unknown): void {
  const isForPeople = error instanceof EmbeddedStartError || error instanceof ConfigError;
  errors.write(`${isForPeople ? error.message : inspect(error)}\n`);
}

async function run(stop: StopRequest): Promise<number> {
  if (existsSync(join(project, '.env'))) process.loadEnvFile(join(project, '.env'));
  const home = resolve(process.env.QURABLE_HOME || join(project, '.qurable'));
  const kept = keepSecrets(home);
  const environment = completeEnvironment(process.env, kept);
  // All checks that need no database come before one is started.
  const { port, host, metricsPort, logLevel } = readConfig(withSomeDatabase(environment));
  for (const line of warnOfLookalikes(process.env)) errors.write(`${line}\n`);
  await requirePort(port, host);
  if (metricsPort !== null) await requirePort(metricsPort, host, 'METRICS_PORT');
  const log = openLog(logLevel, { terminalFormat: formatForPeople });
  const started: Started = [];
  try {
    return await serve({ environment, home, kept, started, stop, log });
  } catch (error) {
    // A Ctrl-C in the terminal also reaches programs that run for a moment, such as initdb, and makes them fail.
    if (stop.isRequested()) return 0;
    throw error;
  } finally {
    for (const part of started.reverse()) await part.stop().catch(complain);
    await log.flush();
  }
}

/**
 * Fills in what the environment does not set: this installation's secrets, and an address of this machine alone.
 * Whoever can reach it is on this machine then, so webhooks may lead to it too; with another HOST that is to be asked
 * for.
 */
function completeEnvironment(given: Environment, { secrets }: KeptSecrets): Environment {
  const filled: Environment = { HOST: '127.0.0.1', ...secrets };
  if (!given.HOST || given.HOST === '127.0.0.1') filled.WEBHOOK_ALLOW_LOOPBACK = 'true';
  if (given.JWT_JWKS_URL) delete filled.JWT_SECRET;
  return { ...filled, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== '')) };
}

/** For a check before there is a database: without an address the start brings its own. */
function withSomeDatabase(environment: Environment): Environment {
  if (environment.DATABASE_URL || environment.DB_HOST) return environment;
  refuseDatabaseParts(environment);
  return { ...environment, DATABASE_URL: 'postgres://127.0.0.1/' };
}

/** The parts of a start. */
interface Start {
  environment: Environment;
  home: string;
  kept: KeptSecrets;
  started: Started;
  stop: StopRequest;
  log: ContainerLog;
}

async function serve(start: Start): Promise<number> {
  const { environment, home, kept, started, stop, log } = start;
  // The server's modules are read while the database is made, which takes about as long.
  const [postgres, { startServer }] = await Promise.all([
    startPostgres(start),
    import('../api/server.ts'),
    buildConsole(log),
  ]);
  if (stop.isRequested()) return 0;
  const redis = await startRedis(start);
  if (stop.isRequested()) return 0;
  const config = readConfig({
    ...environment,
    ...(postgres === null ? {} : { DATABASE_URL: postgres.url }),
    ...(redis === null ? {} : { REDIS_URL: redis.url }),
  });
  await onDatabase(config, () => migrateToLatest(config.database, log.log));
  if (stop.isRequested()) return 0;
  const keepMark = keepMarks(home, (line) => log.say(`${line}\n`));
  const server = await onDatabase(config, () => startServer(config, { log, keepMark }));
  started.push({ stop: () => server.close() });
  const redisLine = describeRedis(server.redisState(), redis !== null && postgres === null);
  const signInLink = await server.makeSignInLink();
  log.say(banner(server.address, config, { kept, postgres, redisLine, signInLink }));
  return await waitForEnd(start, postgres);
}

/** The API starts without it, where the packages that build it were left out. */
async function buildConsole(log: ContainerLog): Promise<void> {
  try {
    await buildConsoleIfStale();
  } catch (error) {
    log.say(`The console is not built: ${error instanceof Error ? error.message.split('\n', 1)[0] : error}\n`);
  }
}

/** Turns trouble with the database into one sentence for people, without a stack. */
async function onDatabase<T>(config: Config, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const trouble = describeDatabaseTrouble(error, config.database);
    throw trouble === null ? error : new EmbeddedStartError(trouble);
  }
}

/** @param isForOneOnly whether the Redis is this start's own, and the database is not */
function describeRedis(state: RedisState | null, isForOneOnly: boolean): string {
  if (state === null) return 'none; PostgreSQL does its part';
  if (isForOneOnly) return 'one of its own; where several processes share the database, give them one REDIS_URL';
  return state === 'ready' ? 'yes' : 'configured, and away at the moment; PostgreSQL does its part';
}

async function startPostgres({ environment, home, started, log }: Start): Promise<EmbeddedPostgres | null> {
  if (environment.DATABASE_URL || environment.DB_HOST) return null;
  const postgres = await startEmbeddedPostgres({
    dataDirectory: join(home, 'postgres'),
    log: (line) => log.say(`${line}\n`),
  });
  started.push(postgres);
  return postgres;
}

/** Redis only makes things faster, so the start goes on without it. */
async function startRedis({ environment, home, started, log }: Start): Promise<LocalRedis | null> {
  if (environment.REDIS_URL || environment.REDIS_HOST) return null;
  try {
    const redis = await startLocalRedis({ logFile: join(home, 'redis.log') });
    if (redis !== null) started.push(redis);
    return redis;
  } catch (error) {
    if (!(error instanceof EmbeddedStartError)) throw error;
    log.say(`${error.message}; going on without Redis.\n`);
    return null;
  }
}

/** Returns the exit code once somebody asks to stop, or once there is no database any more. */
async function waitForEnd({ stop, log }: Start, postgres: EmbeddedPostgres | null): Promise<number> {
  const lost = postgres?.exited ?? new Promise<never>(() => {});
  const how = await Promise.race([stop.requested, lost]);
  if (how === undefined) {
    log.say('Stopping: requests that have begun are answered first. Ctrl-C again stops at once.\n');
    return 0;
  }
  errors.write(
    `PostgreSQL ended by itself (${how}; see ${postgres?.logFile}); start again, and it recovers its data.\n`,
  );
  return 1;
}

/** What was started, for people. */
interface Running {
  kept: KeptSecrets;
  postgres: EmbeddedPostgres | null;
  redisLine: string;
  signInLink: string | null;
}

function banner(address: string, config: Config, { kept, postgres, redisLine, signInLink }: Running): string {
  const { secrets, file } = kept;
  const once = `opens signed in, once and within ${limits.signInLinkMaxMinutes} minutes; later, sign in with the key`;
  const isOwnKey = config.adminKey === secrets.QURABLE_ADMIN_KEY;
  const lines = [
    `Qurable is running at ${address}`,
    '',
    `  Console        ${signInLink === null ? `${address}/console` : `${signInLink}  (${once})`}`,
    `  Documentation  ${address}/docs`,
    `  Admin key      ${isOwnKey ? `${secrets.QURABLE_ADMIN_KEY}  (kept in ${file})` : 'the one in QURABLE_ADMIN_KEY'}`,
    `  Database       ${postgres === null ? 'the one that the environment names' : postgres.dataDirectory}`,
    `  Redis          ${redisLine}`,
    '',
    'Ctrl-C stops it and keeps the data.',
  ];
  return `\n${lines.join('\n')}\n\n`;
}

/** `npm start`: everything Qurable needs on a machine that has nothing but Node and npm. */
let exitCode = 1;
try {
  exitCode = await run(listenForStop());
} catch (error) {
  complain(error);
}
await errors.flush();
// An open handle must not keep this process and its servers alive.
process.exit(exitCode);
