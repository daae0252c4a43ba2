import { type Figures, medianFigures } from '../figures/figures.ts';
import { median } from '../figures/median.ts';
import type { Load } from '../load/wrk-script.ts';
import { type Measurement, measure } from '../measure.ts';
import type { BenchServer } from '../servers/start-server.ts';
import type { Stage } from '../stage.ts';
import type { Plan } from './plan.ts';
import type { ScenarioResult } from './scenario.ts';

/**
 * Enough that a connection seldom waits for its own last answer: arrivals then come as from many strangers. And few
 * enough that the opening of all of them at once is not the hundredth part of the requests that the tail is made of.
 */
const connections = 256;
const shareOfHighest = 0.7;

/** What is to be measured at moderate load. */
export interface ModerateOperation {
  name: string;
  part: string;
  server: BenchServer;
  behind: Measurement['behind'];
  /** More than the fastest machine thought of answers. */
  mostPerSecond: number;
  /** A load of so many requests or more. */
  load(requests: number): Load;
}

/** Response times of an operation at 70 % of its highest load. */
export interface ModerateResult extends ScenarioResult {
  /** Each repeat's p99 to its own p50, of which the median counts. */
  tail: number;
}

/** Requests that all repeats of an operation may need. */
export function moderateRequests(plan: Plan, mostPerSecond: number): number {
  const seconds = plan.sideSeconds + spare * shareOfHighest * tailSeconds(plan);
  return plan.repeats * Math.ceil(mostPerSecond * seconds);
}

/** The pace is that of random arrivals: more than their mean may come. */
const spare = 1.2;

/** Longer than at full rate, since a tail is made of few requests. */
function tailSeconds(plan: Plan): number {
  return 2 * plan.seconds;
}

/**
 * Response times at 70 % of the highest load. Each repeat finds out what the highest load is at that moment: 70 % of
 * what the machine could do some minutes ago may be more than it can do now, and a queue that grows has no response
 * time.
 */
export async function measureModerateLoad(
  stage: Stage,
  plan: Plan,
  operations: ModerateOperation[],
  tell: (line: string) => void,
): Promise<ModerateResult[]> {
  const all = new Map<ModerateOperation, Figures[]>(operations.map((operation) => [operation, []]));
  for (let repeat = 0; repeat < plan.repeats; repeat += 1) {
    for (const operation of operations) {
      const figures = await measureOnce(stage, plan, operation);
      all.get(operation)!.push(figures);
      tell(`${operation.name} at 70 %: p50 ${figures.p50Millis} ms, p99 ${figures.p99Millis} ms`);
    }
  }
  return [...all].map(([{ name, part }, repeats]) => ({
    ...medianFigures(repeats),
    name: `${name} at 70 % of its highest`,
    part,
    repeats: repeats.map((figures) => figures.perSecond),
    tail: median(repeats.map((figures) => figures.p99Millis! / figures.p50Millis!)),
  }));
}

async function measureOnce(stage: Stage, plan: Plan, operation: ModerateOperation): Promise<Figures> {
  const { server, behind, load, mostPerSecond } = operation;
  const run = { servers: [server], connections, behind };
  const short = plan.sideSeconds;
  const highest = await measure(stage, { ...run, load: load(mostPerSecond * short), seconds: short });
  const pace = highest.perSecond * shareOfHighest;
  const seconds = tailSeconds(plan);
  return measure(stage, { ...run, load: load(Math.ceil(pace * seconds * spare)), seconds, pace });
}
