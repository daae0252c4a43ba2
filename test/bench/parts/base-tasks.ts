import type { BenchDatabase } from '../database/bench-database.ts';
import { peakPerSecond, processorsOfTask } from '../figures/day.ts';
import { type Figures, medianFigures } from '../figures/figures.ts';
import { measure } from '../measure.ts';
import { limitProcessor } from '../servers/limit-processor.ts';
import type { ScenarioResult } from './scenario.ts';
import { mixOf, mostMixedPerSecond, type SpeedStage } from './speed.ts';

const tasks = 2;
/** What the deployment gives a task (resources/stages.yml, databasePoolMax). */
const connectionsOfTask = 4;
/**
 * The day's mix at the peak of the day, and as fast as it will go, on the deployment's base: two tasks of half a processor.
 * A process that is held to a share answers in gusts, which no sum of processor seconds would show.
 * @returns nothing where the machine lets nobody be held to a share
 */
export async function measureBaseTasks(
  { stage, plan, supplies }: SpeedStage,
  database: BenchDatabase,
  tell: (line: string) => void,
): Promise<ScenarioResult[]> {
  const environment = { DATABASE_URL: database.url, DB_POOL_MAX: String(connectionsOfTask) };
  const servers = await Promise.all(
    Array.from({ length: tasks }, () => stage.startServer({ kind: 'api', environment })),
  );
  const limits = servers.map(({ pid }) => limitProcessor(pid, processorsOfTask));
  const isLimited = limits.every((limit) => limit !== null);
  const run = (pace: { pace?: number }): Promise<Figures> =>
    measure(stage, {
      load: mixOf(supplies, plan.seconds * mostMixedPerSecond),
      servers,
      seconds: plan.seconds,
      connections: plan.connections,
      behind: 'postgres',
      ...pace,
    });
  const all: [string, { pace?: number }, Figures[]][] = [
    ['the peak of the day', { pace: peakPerSecond }, []],
    ['full rate', {}, []],
  ];
  if (isLimited) await run({});
  for (let repeat = 0; isLimited && repeat < plan.repeats; repeat += 1) {
    for (const [name, pace, figures] of all) {
      figures.push(await run(pace));
      const { perSecond, p50Millis, p99Millis } = figures.at(-1)!;
      tell(
        `two tasks of half a processor, ${name}: ${Math.round(perSecond)}/s, p50 ${p50Millis} ms, p99 ${p99Millis} ms`,
      );
    }
  }
  await Promise.all(servers.map((server) => server.stop()));
  for (const limit of limits) limit?.();
  if (!isLimited) return [];
  return all.map(([name, , figures]) => ({
    ...medianFigures(figures),
    name: `the day’s mix, two tasks of half a processor, ${name}`,
    part: 'base tasks',
    repeats: figures.map(({ perSecond }) => perSecond),
  }));
}
