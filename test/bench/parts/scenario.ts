import { type Figures, medianFigures } from '../figures/figures.ts';

/** Something that is measured several times, in turns with others. */
export interface Scenario {
  name: string;
  /** What it belongs to in the report. */
  part: string;
  measure(repeat: number): Promise<Figures>;
}

/** A scenario with its medians. */
export interface ScenarioResult extends Figures {
  name: string;
  part: string;
  /** Successes a second of each repeat, in order. */
  repeats: number[];
}

/**
 * Measures each scenario once, then each once more, and so on: what slows the machine for a while then slows all of
 * them, and their ratios stay what they are.
 */
export async function runInTurns(
  scenarios: Scenario[],
  repeats: number,
  tell: (line: string) => void,
): Promise<ScenarioResult[]> {
  const figures = new Map<Scenario, Figures[]>(scenarios.map((scenario) => [scenario, []]));
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const scenario of scenarios) {
      const measured = await scenario.measure(repeat);
      figures.get(scenario)!.push(measured);
      tell(`${repeat + 1}/${repeats} ${scenario.name}: ${Math.round(measured.perSecond)}/s`);
    }
  }
  return [...figures].map(([{ name, part }, all]) => ({
    ...medianFigures(all),
    name,
    part,
    repeats: all.map((one) => one.perSecond),
  }));
}
