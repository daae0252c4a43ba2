import type { BenchDatabase } from '../database/bench-database.ts';
import { peakPerSecond, processorsOfTask } from '../figures/day.ts';
import { measure } from '../measure.ts';
import { limitProcessor } from '../servers/limit-processor.ts';
import { runInTurns, type Scenario, type ScenarioResult } from './scenario.ts';
import { mixOf, mostMixedPerSecond, type SpeedStage } from './speed.ts';

const tasks = 2;
/** What the deployment gives a task (resources/stages.yml, databasePoolMax). */
const connectionsOfTask = 4;

/**
 * The day's mix as fast as it will go, and at the peak of the day, on the deployment's base: two tasks of half a
 * processor. A process that is held to a share answers in gusts, which no sum of processor seconds would show.
 * @returns nothing where the machine lets nobody be held to a share
 */
export async function measureBaseTasks(
  { stage, plan, supplies }: SpeedStage,
  database: BenchDatabase,
  tell: (line: string) => void,
): Promise<ScenarioResult[]> {
  const environment = { DATABASE_URL: database.url, DB_POOL_MAX: String(connectionsOfTask) };
  const start = () => stage.startServer({ kind: 'api', environment });
  const servers = await Promise.all(Array.from({ length: tasks }, start));
  const limits = servers.map(({ pid }) => limitProcessor(pid, processorsOfTask));
  const run = (pace: { pace?: number }) =>
    measure(stage, {
      load: mixOf(supplies, plan.seconds * mostMixedPerSecond),
      servers,
      seconds: plan.seconds,
      connections: plan.connections,
      behind: 'postgres',
      ...pace,
    });
  const name = 'the day’s mix, two tasks of half a processor';
  const part = 'base tasks';
  const scenarios: Scenario[] = [
    { name, part, measure: () => run({}) },
    { name: `${name}, the day’s peak`, part, measure: () => run({ pace: peakPerSecond }) },
  ];
  try {
    if (limits.includes(null)) {
      tell(`${name}: not measured, as this machine lets no process be held to a share`);
      return [];
    }
    for (const scenario of scenarios) await scenario.measure(-1);
    return await runInTurns(scenarios, plan.repeats, tell);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    for (const limit of limits) limit?.();
  }
}
