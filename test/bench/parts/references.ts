import { Redis } from 'ioredis';
import { startTestRedis } from '../../support/start-redis.ts';
import type { BenchDatabase } from '../database/bench-database.ts';
import { loadCoupons } from '../database/load-coupons.ts';
import type { BenchBook } from '../database/make-book.ts';
import { makeGeneratedBook } from '../database/make-book.ts';
import { oneTransactionScripts } from '../database/one-transaction.ts';
import type { Figures } from '../figures/figures.ts';
import { type PgbenchResult, runPgbench } from '../load/run-pgbench.ts';
import type { Item } from '../load/wrk-script.ts';
import { measure, readCosts } from '../measure.ts';
import type { BenchServer } from '../servers/start-server.ts';
import type { Stage } from '../stage.ts';
import type { ModerateOperation } from './moderate-load.ts';
import type { Plan } from './plan.ts';
import type { Scenario } from './scenario.ts';

const anyBook = '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11';
const mostTransactionsPerSecond = 6_000;

type Operation = 'assign' | 'redeem';
const operations: Operation[] = ['assign', 'redeem'];

/** The same server with operations that answer at once: what HTTP alone costs. */
export function startEcho(stage: Stage): Promise<BenchServer> {
  return stage.startServer({ kind: 'echo', environment: {} });
}

/** The response times of HTTP alone: a tail that it has is the machine's. */
export function echoAtModerateLoad(server: BenchServer): ModerateOperation {
  return {
    name: 'echo assign',
    part: 'moderate reference',
    server,
    behind: null,
    mostPerSecond: Number.POSITIVE_INFINITY,
    load: () => ({ kind: 'assign', bookIds: [anyBook], perBook: 0 }),
  };
}

/** The echo server at full rate. */
export function echoScenarios(stage: Stage, plan: Plan, server: BenchServer): Scenario[] {
  const items = madeUpItems(plan.itemsARun);
  return operations.map((operation) => ({
    name: `echo ${operation}`,
    part: 'reference',
    measure: (repeat) =>
      measure(stage, {
        load: operation === 'assign' ? { kind: 'assign', bookIds: [anyBook], perBook: 0 } : { kind: 'redeem', items },
        servers: [server],
        seconds: repeat < 0 ? plan.sideSeconds : plan.seconds,
        connections: plan.connections,
        behind: null,
      }),
  }));
}

/** The in-memory flash-sale way behind the same server; none where the machine has no Redis. */
export async function redisScenarios(
  stage: Stage,
  plan: Plan,
): Promise<{ scenarios: Scenario[]; stop(): Promise<void> }> {
  const redis = await startTestRedis({ maxMemory: '4gb', policy: 'noeviction' });
  if (redis === null) return { scenarios: [], stop: async () => {} };
  const server = await stage.startServer({ kind: 'redis', environment: { BENCH_REDIS_URL: redis.url } });
  const client = new Redis(redis.url);
  const pid = Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]);
  const items = madeUpItems(plan.itemsARun);
  const prepare = async () => {
    await client.flushall();
    await client.set('stock', 1_000_000_000);
    for (let from = 0; from < items.length; from += 10_000) {
      const fields = items.slice(from, from + 10_000).flatMap(({ code, userId }) => [code, userId]);
      await client.hset('codes', ...fields);
    }
  };
  const scenarios = operations.map((operation) => ({
    name: `Redis Lua ${operation}`,
    part: 'reference',
    measure: async () => {
      await prepare();
      return measure(stage, {
        load: operation === 'assign' ? { kind: 'assign', bookIds: [anyBook], perBook: 0 } : { kind: 'redeem', items },
        servers: [server],
        seconds: plan.seconds,
        connections: plan.connections,
        behind: pid,
      });
    },
  })) satisfies Scenario[];
  const stop = async () => {
    await server.stop();
    client.disconnect();
    await redis.stop();
  };
  return { scenarios, stop };
}

/** One transaction a request by pgbench, each with the number of clients that gave the most. */
export async function oneTransactionScenarios(
  stage: Stage,
  plan: Plan,
  tell: (line: string) => void,
): Promise<Scenario[]> {
  const database = await stage.openDatabase('one_transaction');
  const book = await makeGeneratedBook(database, 100_000_000);
  const forRedeem = await makeGeneratedBook(database, 100_000_000);
  const perRun = plan.seconds * mostTransactionsPerSecond;
  const clientCounts = plan.quick ? [2, 8] : [1, 2, 4, 8, 16, 32, 64];
  await loadCoupons(database, forRedeem, {
    count: perRun * (plan.repeats + clientCounts.length),
    users: 'redeemer',
    keep: 0,
  });
  const scenarios: Scenario[] = [];
  for (const operation of operations) {
    const run = (clients: number, seconds: number) =>
      runOneTransaction(stage, database, operation === 'assign' ? book : forRedeem, operation, clients, seconds);
    let best = { clients: 0, perSecond: 0 };
    for (const clients of clientCounts) {
      const { perSecond } = await run(clients, plan.sideSeconds);
      tell(`one transaction ${operation}, ${clients} clients: ${Math.round(perSecond)}/s`);
      if (perSecond > best.perSecond) best = { clients, perSecond };
    }
    scenarios.push({
      name: `one transaction ${operation} (${best.clients} clients)`,
      part: 'reference',
      measure: async () => {
        const before = await readCosts(stage, [], 'postgres');
        const result = await run(best.clients, plan.seconds);
        const after = await readCosts(stage, [], 'postgres');
        return figuresOf(result, before, after);
      },
    });
  }
  return scenarios;
}

async function runOneTransaction(
  stage: Stage,
  { url, client }: BenchDatabase,
  { bookKey, deckKey }: BenchBook,
  operation: Operation,
  clients: number,
  seconds: number,
): Promise<PgbenchResult> {
  const { rows } = await client.query<{ first: string }>(
    'select coalesce(max(pos) + 1, 0) as first from events where deck_id = $1 and kind = 5',
    [deckKey],
  );
  const variables = { book: bookKey, deck: deckKey, first: Number(rows[0]!.first), turn: -1, clients };
  return runPgbench({
    databaseUrl: url,
    script: oneTransactionScripts[operation],
    variables,
    clients,
    seconds,
    directory: stage.directory,
    processors: stage.processors.generator,
  });
}

type Costs = Awaited<ReturnType<typeof readCosts>>;

function figuresOf(result: PgbenchResult, before: Costs, after: Costs): Figures {
  return {
    perSecond: result.perSecond,
    p50Millis: result.meanMillis,
    p99Millis: null,
    maxMillis: null,
    serverCpu: null,
    databaseCpu: ((after.databaseCpu - before.databaseCpu) / result.transactions) * 1000,
    generatorShare: null,
    walBytes: (after.walBytes - before.walBytes) / result.transactions,
    batch: 1,
    failed: result.failed,
    operations: result.transactions,
  };
}

function madeUpItems(count: number): Item[] {
  return Array.from({ length: count }, (_, k) => ({
    code: `BENCH-${String(k).padStart(10, '0')}`,
    userId: `user-${k.toString(16).padStart(10, '0')}`,
  }));
}
