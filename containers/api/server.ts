import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import {
  type Announcer,
  askOnce,
  type Config,
  type Core,
  checkReady,
  closeCore,
  countRunningOut,
  deckMarksMessage,
  driverFault,
  type Log,
  limits,
  makeSignInLink,
  openCore,
  type RedisState,
  type RunningOut,
  type RunningTasks,
  type Sender,
  startBackground,
  systemClock,
  type WriteMark,
} from '../../core/index.ts';
import { type AppParts, buildApp } from './app.ts';
import { makeDrain } from './drain.ts';
import { openLambdaAnnouncer } from './lambda-announcer.ts';
import { openLambdaSender } from './lambda-sender.ts';
import { limitRepeats } from './observe/limit-repeats.ts';
import { type ContainerLog, openLog } from './observe/log.ts';
import { type LoadSums, logLoad } from './observe/log-load.ts';
import { type Metrics, openMetrics } from './observe/metrics.ts';
import { type ContainerTracing, openTracing } from './observe/tracing.ts';

const databaseAnswerMaxMillis = 2_000;

/** A server that listens. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:3000`. */
  readonly address: string;
  /** The address of the metrics, where they have a port of their own. */
  readonly metricsAddress: string | null;
  /** Whether Redis can be asked at this moment; null where none is configured. */
  redisState(): RedisState | null;
  /** The address that signs somebody in to the console once, soon; null where there is no bootstrap key. */
  makeSignInLink(): Promise<string | null>;
  /**
   * Fails readiness, waits for the load balancer to notice, then stops accepting, answers what has begun, writes what
   * is queued and lets the database go. Safe to call twice.
   */
  close(): Promise<void>;
}

/** What may be chosen of a start. */
export interface StartOptions {
  /** The process's log; one to standard output unless given. */
  log?: ContainerLog;
  /** An open core to serve; it is left open when the server closes. */
  core?: Core;
  /** How long readiness fails before the server stops accepting. 0 without a load balancer. */
  drainPauseMillis?: number;
  /** Keeps marks for the day of a restore, in the place of the log. */
  keepMark?: WriteMark;
}

/**
 * Starts the server. It listens only once the database and an adequate schema are there; rejects where they are not.
 */
export async function startServer(config: Config, options: StartOptions = {}): Promise<RunningServer> {
  const containerLog = options.log ?? openLog(config.logLevel);
  const { log } = containerLog;
  let core: Core | undefined = options.core;
  // The core reports to the metrics, and the metrics ask the core. Before it is open they see empty queues.
  const sums = { batches: 0, members: 0 };
  let background: RunningTasks | undefined;
  const metrics = openMetrics({
    queueAgeMillis: () => core?.batches.queueAgeMillis() ?? 0,
    droppedLogLines: containerLog.droppedLines,
    isRedisUp: () => (core?.redis ? core.redis.status === 'ready' : null),
    poolWaits: () => (core === undefined ? {} : waitsOf(core)),
    isDatabaseUp: askOnce(async () => core !== undefined && (await isReady(core))),
    tenantAges: () => core?.batches.tenantAges() ?? { light: 0, heavy: 0 },
    marksAgeMillis: () => core?.markRounds.ageMillis() ?? null,
    runningOut: askOnce(async () => (core === undefined ? null : await runningOutOf(core))),
    fallbacks: () => fallbacksOf(core, sums.batches),
    taskFailures: () =>
      Object.fromEntries((background?.states() ?? []).map(({ name, failuresInARow }) => [name, failuresInARow])),
  });
  const onBatch = (queue: string, members: number, millis: number) => {
    sums.batches += 1;
    sums.members += members;
    metrics.observeBatch(queue, members, millis);
  };
  let tracing: ContainerTracing | null = null;
  const closeOwnParts = async () => {
    await background?.close();
    if (options.core === undefined && core !== undefined) await closeCore(core);
    await tracing?.close();
    await containerLog.flush();
  };
  try {
    if (config.tracing !== null) tracing = await openTracing(config.tracing, log);
    if (core === undefined) {
      const quietly = limitRepeats(log, metrics.observeFailure);
      const writeMark = chooseWriteMark(containerLog.writeMark, options.keepMark);
      const functions = await openFunctionsOf(config, quietly);
      core = await openCore(config, { log: quietly, writeMark, onBatch, tracing, ...functions });
    }
    await checkReady(core);
    background = startBackground(core);
    const health = { droppedLogLines: containerLog.droppedLines, background };
    const parts = { log, metrics, health, tracing, drainPauseMillis: options.drainPauseMillis ?? 0 };
    const sumOfFallbacks = () => Object.values(fallbacksOf(core, sums.batches)).reduce((sum, each) => sum + each, 0);
    return await serve(core, { ...parts, sums: () => ({ ...sums, fallbacks: sumOfFallbacks() }) }, closeOwnParts);
  } catch (error) {
    await closeOwnParts();
    throw error;
  }
}

/**
 * The Lambda functions that send webhooks and tell operators, if there are any. Without them this process sends
 * webhooks itself.
 */
async function openFunctionsOf(config: Config, log: Log): Promise<{ sender?: Sender; announcer?: Announcer }> {
  const { webhookSenderFunction: sends, stockAnnouncerFunction: announces } = config;
  return {
    ...(sends === null ? {} : { sender: await openLambdaSender({ functionArn: sends, clock: systemClock, log }) }),
    ...(announces === null ? {} : { announcer: await openLambdaAnnouncer({ functionArn: announces, log }) }),
  };
}

/** By the kind of work that each pool is for. */
function waitsOf({ pool, coldPool, readPool, backgroundPool }: Core): Record<string, number> {
  const pools = { hot: pool, cold: coldPool, reads: readPool, background: backgroundPool };
  return Object.fromEntries(Object.entries(pools).map(([name, { waitingCount }]) => [name, waitingCount]));
}

/** Each command that Redis did not answer, and each batch where statements are sent one by one. */
function fallbacksOf(core: Core | undefined, batches: number): { redis: number; groups: number } {
  return { redis: core?.redis?.failedCommands ?? 0, groups: driverFault === null ? 0 : batches };
}

async function runningOutOf(core: Core): Promise<RunningOut | null> {
  const answer = countRunningOut(core.readyPool).catch(() => null);
  return Promise.race([answer, sleep(databaseAnswerMaxMillis, null, { ref: false })]);
}

/** A database that hangs must not hang whoever reads the metrics. */
async function isReady(core: Core): Promise<boolean> {
  const answer = checkReady(core).then(
    () => true,
    () => false,
  );
  return Promise.race([answer, sleep(databaseAnswerMaxMillis, false, { ref: false })]);
}

/** Marks go where they are kept; what is said about them stays in the log, where somebody looks. */
function chooseWriteMark(toLog: WriteMark, keep: WriteMark | undefined): WriteMark {
  if (keep === undefined) return toLog;
  return (fields, message) => (message === deckMarksMessage ? keep : toLog)(fields, message);
}

async function serve(
  core: Core,
  {
    drainPauseMillis,
    sums,
    ...parts
  }: Pick<AppParts, 'log' | 'metrics' | 'health' | 'tracing'> & { drainPauseMillis: number; sums: () => LoadSums },
  closeOwnParts: () => Promise<void>,
): Promise<RunningServer> {
  const { config } = core;
  const { log, metrics } = parts;
  const drain = makeDrain();
  const app = await buildApp(core, { ...parts, drain });
  const metricsServer =
    config.metricsPort === null ? null : await listenForMetrics(config, config.metricsPort, metrics);
  const address = await app.listen({ port: config.port, host: config.host }).catch(async (error: unknown) => {
    metricsServer?.close();
    await app.close();
    throw error;
  });
  log.info({ address }, 'listening');
  const load = {
    queueAgeMillis: () => core.batches.queueAgeMillis(),
    lightQueueAgeMillis: () => core.batches.tenantAges().light,
    poolWaiting: () => Object.values(waitsOf(core)).reduce((sum, each) => sum + each, 0),
    sums,
  };
  const stopLogging = logLoad(load, log);

  const shutDown = async () => {
    drain.begin(app.server);
    log.info({}, 'draining');
    await sleep(drainPauseMillis);
    await closeInTime(app);
    metricsServer?.close();
    stopLogging();
    log.info({}, 'closed');
    await closeOwnParts();
  };
  let closing: Promise<void> | null = null;
  return {
    address,
    metricsAddress: metricsServer === null ? null : addressOf(metricsServer),
    redisState: () => core.redis?.status ?? null,
    makeSignInLink: async () => {
      const secret = await makeSignInLink(core);
      // Behind the # it stays in the browser: it is in no request's address and so in no log.
      return secret === null ? null : `${address}/console/enter#${secret}`;
    },
    close: () => {
      closing ??= shutDown();
      return closing;
    },
  };
}

/** Clients that do not let go are cut off at last: a task that takes too long to stop is killed, with worse effects. */
async function closeInTime(app: FastifyInstance): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), limits.drainMaxMillis);
  await app.close();
  clearTimeout(cutOff);
}

/** A port for the metrics alone, which the load balancer does not lead to. */
async function listenForMetrics(config: Config, port: number, metrics: Metrics): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    metrics.read().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, config.host, resolve);
  });
  return server;
}

function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return `http://${address}:${port}`;
}
