import { writeFileSync } from 'node:fs';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import type { BenchDatabase } from './database/bench-database.ts';
import { residentBytesOf } from './figures/cpu-seconds.ts';
import { dayFiguresOf } from './figures/day.ts';
import { describeMachine } from './figures/machine.ts';
import { writePlots } from './figures/plots.ts';
import { ratiosOf } from './figures/ratios.ts';
import { type BenchReport, formatReport } from './figures/report.ts';
import { hasProgram } from './load/run-program.ts';
import { readOptions } from './options.ts';
import { measureBaseTasks } from './parts/base-tasks.ts';
import { flatnessScenarios } from './parts/flatness.ts';
import { measureModerateLoad } from './parts/moderate-load.ts';
import { type Plan, planOf } from './parts/plan.ts';
import { measureHandlers, measureStart } from './parts/process-figures.ts';
import {
  echoAtModerateLoad,
  echoScenarios,
  oneTransactionScenarios,
  redisScenarios,
  startEcho,
} from './parts/references.ts';
import { runInTurns, type Scenario, type ScenarioResult } from './parts/scenario.ts';
import { moderateOperations, prepareSupplies, type SpeedStage, speedScenarios } from './parts/speed.ts';
import { measureSteadyLoad } from './parts/steady-load.ts';
import { measureTracing } from './parts/tracing.ts';
import { measureTransfers } from './parts/transfers.ts';
import type { BenchServer } from './servers/start-server.ts';
import { openStage, type Stage } from './stage.ts';

/**
 * `npm run bench [-- --quick] [--json FILE] [--plots DIRECTORY] [--only WORDS]`: everything in one run, so that all of
 * it is relative to what the same machine did in the same minutes. A timing fails nothing; a broken invariant does.
 * Progress goes to the standard error, the report to the standard output.
 */
async function main(plan: Plan): Promise<number> {
  const missing = ['wrk', 'pgbench', 'psql'].filter((name) => !hasProgram(name));
  if (missing.length > 0) {
    console.error(
      `The bench needs ${missing.join(', ')} on the PATH (Debian: wrk, postgresql-client, postgresql-contrib).`,
    );
    return 1;
  }
  // Whatever was started ends with this process, and so do the files: nothing more is to be done for a signal.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  const stage = await openStage();
  try {
    const report = await runParts(stage, plan);
    console.log(formatReport(report));
    if (plan.jsonFile !== null) writeFileSync(plan.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    if (plan.plotDirectory !== null) writePlots(report, plan.plotDirectory);
    return report.brokenInvariants.length === 0 ? 0 : 1;
  } finally {
    await stage.close();
  }
}

async function runParts(stage: Stage, plan: Plan): Promise<BenchReport> {
  const began = performance.now();
  const tell = (line: string) =>
    console.error(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}`);
  const machine = await describeMachine(stage.observer, stage.postgres.pid, stage.directory);
  const database = await stage.openDatabase('speed');
  const supplies = await prepareSupplies(database, plan);
  const one = await stage.startApi(database);
  const three = plan.quick ? [] : [one, await stage.startApi(database), await stage.startApi(database)];
  const parts: SpeedStage = { stage, plan, supplies, one, three };
  const echo = await startEcho(stage);

  const speed = await runSpeed(parts, echo, tell);
  // A quick run has no time for a reference to which no ratio refers, nor for several processes.
  const operations = [...(plan.quick ? [] : [echoAtModerateLoad(echo)]), ...moderateOperations(parts)].filter(
    ({ name }) => speed.some((result) => result.name === name),
  );
  const moderate = await measureModerateLoad(stage, plan, operations, tell);
  const isWanted = (part: string) => plan.only.length === 0 || plan.only.includes(part);
  const base = plan.quick || !isWanted('base tasks') ? [] : await measureBaseTasks(parts, database, tell);
  // In a quick run only where it is asked for.
  const isTracing = plan.only.includes('tracing') || (!plan.quick && isWanted('tracing'));
  const tracing = isTracing ? await measureTracing(parts, database, tell) : [];
  const steady =
    plan.steadySeconds > 0 && isWanted('steady')
      ? await measureSteadyLoad(parts, database, plan.steadySeconds, tell)
      : null;
  const answered = [...speed, ...moderate].filter(({ part }) => !part.endsWith('reference'));
  const resident = { bytes: residentBytesOf(one.pid), operations: sumOfOperations(answered) };
  const transfers = isWanted('transfers') ? await measureTransfers(stage, plan, database, one, tell) : null;
  const startRepeats = plan.quick ? 1 : plan.repeats;
  const startSeconds = await measureStart(stage, database, startRepeats);
  const handlers = await measureHandlers(stage, startRepeats);
  const flatness = isWanted('flatness') ? await runFlatness(stage, plan, tell) : [];
  const brokenInvariants = await checkInvariants(stage.databases, tell);
  const scenarios = [...speed, ...moderate, ...base, ...tracing, ...flatness];
  return {
    ratios: ratiosOf(scenarios, transfers),
    scenarios,
    transfers,
    tails: moderate.map(({ name, tail }) => ({ name, tail })),
    steady,
    startSeconds,
    resident,
    handlers,
    day: dayFiguresOf(scenarios),
    brokenInvariants,
    machine,
    quick: plan.quick,
    seconds: (performance.now() - began) / 1000,
  };
}

async function runSpeed(parts: SpeedStage, echo: BenchServer, tell: (line: string) => void): Promise<ScenarioResult[]> {
  const { stage, plan } = parts;
  const isWanted = (name: string) => plan.only.length === 0 || plan.only.includes(name);
  const isAnyWanted = (start: string) => plan.only.length === 0 || plan.only.some((name) => name.startsWith(start));
  const redis = isAnyWanted('Redis') ? await redisScenarios(stage, plan) : null;
  const references = [
    ...(isAnyWanted('echo') ? echoScenarios(stage, plan, echo) : []),
    ...(isAnyWanted('one transaction') ? await oneTransactionScenarios(stage, plan, tell) : []),
    ...(redis?.scenarios ?? []),
  ];
  // Of one transaction a request, the names say how many clients were the best.
  const wanted = [...references, ...speedScenarios(parts)].filter(({ name }) => isWanted(name.replace(/ \(.*/, '')));
  // Before the warming up: after a checkpoint a page's first change logs all of it, which a few seconds right behind
  // one would count for a quarter of an hour.
  await settle(stage);
  await warmUp(wanted);
  const results = await runInTurns(wanted, plan.repeats, tell);
  await redis?.stop();
  return results;
}

async function runFlatness(stage: Stage, plan: Plan, tell: (line: string) => void): Promise<ScenarioResult[]> {
  const scenarios = await flatnessScenarios(stage, plan, tell);
  await settle(stage);
  for (const scenario of scenarios) await scenario.measure(-1);
  return runInTurns(scenarios, plan.repeats, tell);
}

/**
 * Does what autovacuum and the checkpointer would do within the next minutes about rows that were loaded all at once:
 * beside a measurement it would count as the measured load's.
 */
async function settle(stage: Stage): Promise<void> {
  await Promise.all(stage.databases.map(({ client }) => client.query('vacuum analyze')));
  await stage.observer.query('checkpoint');
}

/** A process runs its code some thousand times before it runs it fast. These bring each of them to that. */
const warmingUp = ['echo assign', 'Redis Lua assign', 'assign', 'redeem', 'the day’s mix, three processes', 'assign'];

async function warmUp(scenarios: Scenario[]): Promise<void> {
  for (const name of warmingUp) await scenarios.find((scenario) => scenario.name === name)?.measure(-1);
}

async function checkInvariants(
  databases: BenchDatabase[],
  tell: (line: string) => void,
): Promise<BenchReport['brokenInvariants']> {
  const all: BenchReport['brokenInvariants'] = [];
  // At once, as a query uses one processor.
  await Promise.all(
    databases.map(async ({ name: database, url, client }) => {
      const began = performance.now();
      // Without statistics of tables that were filled a minute ago, the joins of millions of rows take minutes each.
      await client.query('analyze');
      for (const { name, rows } of await findBrokenInvariants(url)) all.push({ database, name, rows });
      tell(`invariants of ${database} looked at in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    }),
  );
  return all;
}

function sumOfOperations(results: ScenarioResult[]): number {
  return results.reduce((sum, { operations }) => sum + operations, 0);
}

process.exitCode = await main(planOf(readOptions(process.argv.slice(2))));
