import { type Figures, medianFigures } from '../figures/figures.ts';
import type { Load } from '../load/wrk-script.ts';
import { measure } from '../measure.ts';
import type { ScenarioResult } from './scenario.ts';
import type { SpeedStage } from './speed.ts';

/**
 * Enough that a connection seldom waits for its own last answer: arrivals then come as from many strangers. And few
 * enough that the opening of all of them at once is not the hundredth part of the requests that the tail is made of.
 */
const connections = 256;
const shareOfHighest = 0.7;

/** Response times at 70 % of the highest load that each operation showed in this run. */
export async function measureModerateLoad(
  { stage, plan, supplies, one }: SpeedStage,
  highest: ScenarioResult[],
  tell: (line: string) => void,
): Promise<ScenarioResult[]> {
  const loads: [string, (count: number) => Load][] = [
    ['assign', () => ({ kind: 'assign', bookIds: [supplies.hot], perBook: 0 })],
    ['redeem', (count) => ({ kind: 'redeem', items: supplies.held(count) })],
  ];
  const results: ScenarioResult[] = [];
  // Longer than at full rate, since a tail is made of few requests.
  const seconds = 2 * plan.seconds;
  for (const [name, load] of loads) {
    const top = highest.find((result) => result.name === name)?.perSecond;
    if (top === undefined) continue;
    const pace = top * shareOfHighest;
    const all: Figures[] = [];
    for (let repeat = 0; repeat < plan.repeats; repeat += 1) {
      const items = Math.ceil(pace * (seconds + 1) * 1.5);
      const run = { load: load(items), servers: [one], seconds, connections, pace };
      all.push(await measure(stage, { ...run, behind: 'postgres' }));
      const { p50Millis, p99Millis } = all.at(-1)!;
      tell(`${name} at 70 %: p50 ${p50Millis} ms, p99 ${p99Millis} ms`);
    }
    const repeats = all.map((figures) => figures.perSecond);
    results.push({ ...medianFigures(all), name: `${name} at 70 % of its highest`, part: 'moderate load', repeats });
  }
  return results;
}
