import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadCoupons } from './database/load-coupons.ts';
import { makeGeneratedBook } from './database/make-book.ts';
import { readCpuProfile } from './figures/cpu-profile.ts';
import { makeItemPool } from './load/item-pool.ts';
import type { Load } from './load/wrk-script.ts';
import { measure } from './measure.ts';
import { openStage, type Stage } from './stage.ts';

const connections = 256;
const warmSeconds = 2;
const seconds = 8;
const coupons = 200_000;
const linesShown = 25;

/**
 * `npm run bench:profile`: where the time of an assign and of a redeem goes, in the API by package and file, and in
 * PostgreSQL by statement. A profile slows what it looks at: rates are the bench's business.
 */
async function main(): Promise<void> {
  const stage = await openStage({ shared_preload_libraries: 'pg_stat_statements' });
  try {
    for (const operation of ['assign', 'redeem'] as const) await profile(stage, operation);
  } finally {
    await stage.close();
  }
}

async function profile(stage: Stage, operation: 'assign' | 'redeem'): Promise<void> {
  const database = await stage.openDatabase(`profile_${operation}`);
  await database.client.query('create extension pg_stat_statements');
  const book = await makeGeneratedBook(database, 100_000_000);
  const held = makeItemPool(await loadCoupons(database, book, { count: coupons, users: 'holder', keep: coupons }));
  await database.client.query('vacuum analyze');
  const profiles = join(stage.directory, operation);
  const api = await stage.startApi(database, ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval=500']);
  const run = (length: number) => {
    const load: Load =
      operation === 'assign'
        ? { kind: 'assign', bookIds: [book.id], perBook: 0 }
        : { kind: 'redeem', items: held.take(length * 12_000) };
    return measure(stage, { load, servers: [api], seconds: length, connections, behind: 'postgres' });
  };
  await run(warmSeconds);
  await database.client.query('select pg_stat_statements_reset()');
  const { operations, batch } = await run(seconds);
  const statements = await database.client.query<{ text: string; micros: number; calls: string }>(
    `select left(regexp_replace(query, '\\s+', ' ', 'g'), 90) as text, total_exec_time * 1000 / $1::float8 as micros, calls
      from pg_stat_statements where calls > 10 order by total_exec_time desc limit 12`,
    [operations],
  );
  await api.stop();

  const file = join(profiles, readdirSync(profiles)[0]!);
  const { busySeconds, shares } = readCpuProfile(file, seconds);
  console.log(`\n${operation}: ${operations} operations in batches of ${batch?.toFixed(0)}`);
  console.log(`\nAPI, share of ${busySeconds.toFixed(1)} busy seconds:`);
  for (const { name, share } of shares.slice(0, linesShown)) {
    console.log(`${(share * 100).toFixed(1).padStart(6)} %  ${name}`);
  }
  console.log('\nPostgreSQL, microseconds of execution an operation:');
  for (const { text, micros } of statements.rows) console.log(`${micros.toFixed(1).padStart(6)}    ${text}`);
}

await main();
