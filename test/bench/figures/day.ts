import type { ScenarioResult } from '../parts/scenario.ts';

/** What a day of ten million requests needs of the deployment's tasks. */
export interface DayFigures {
  serverCpuSecondsPerMillion: number;
  databaseCpuSecondsPerMillion: number;
  /** Requests a second at a peak of twenty times the mean. */
  peakPerSecond: number;
  /** Tasks that the peak needs. */
  tasksAtPeak: number;
}

const requestsOfDay = 10_000_000;
const peakFactor = 20;

/** Processors of one task (resources/stages.yml). */
export const processorsOfTask = 0.5;

/** Requests a second in the day's busiest moment. */
export const peakPerSecond = (requestsOfDay / 86_400) * peakFactor;

/** What a day needs, from what the mix cost. */
export function dayFiguresOf(scenarios: ScenarioResult[]): DayFigures | null {
  const mix = scenarios.find(({ name }) => name === 'the day’s mix');
  if (mix === undefined || mix.serverCpu === null || mix.databaseCpu === null) return null;
  return {
    serverCpuSecondsPerMillion: mix.serverCpu * 1000,
    databaseCpuSecondsPerMillion: mix.databaseCpu * 1000,
    peakPerSecond,
    tasksAtPeak: (peakPerSecond * mix.serverCpu) / 1000 / processorsOfTask,
  };
}
