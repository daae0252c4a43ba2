import { createRequire } from 'node:module';
import type { Month } from '../cost/estimate-month.ts';
import { ceiling, compare, decimalText, divide, exact } from '../cost/exact.ts';
import { cpuTarget } from '../cost/measured.ts';

const load = createRequire(import.meta.url);
const { databaseMemory } = load('../../resources/database-memory.cjs') as {
  databaseMemory(name: string): { databaseMaxConnections: number };
};
const { connectionTrouble } = load('../../resources/connection-budget.cjs') as {
  connectionTrouble(parameters: Parameters): Promise<string | null>;
};

/** Parameters of a deployment (resources/stages.yml), by name. */
export type Parameters = Record<string, unknown>;

/** What a stage must be given for an event. */
export interface Needs {
  /** Tasks that the busiest second is expected to need. */
  expectedTasks: number;
  /** So many from the first minute, so that nobody waits for the scaling. Never fewer than the event has already. */
  leastTasks: number;
  /** Room for twice what is expected, and never less than the event has already. */
  mostTasks: number;
  databaseClass: string;
  /** Why it is that class. */
  because: string;
}

/**
 * Classes in the order in which they are tried, with their processors: those of which the price file has a rate. A
 * burstable class is none for an event: what it may use for hours is a fifth of its processors.
 */
const classes: readonly [name: string, processors: string][] = [
  ['db.r6g.large', '2'],
  ['db.r6g.xlarge', '4'],
];

const largestProcessors = classes.at(-1)![1];

/**
 * What an event needs of a stage, by what a request was measured to cost.
 * @param month the stage's month under the event's load, as it is packaged now
 * @param parameters the stage's
 * @throws RangeError in one line where no class that is known carries it
 */
export async function needsOf(month: Month, parameters: Parameters): Promise<Needs> {
  const expectedTasks = Number(month.tasks.atPeak);
  const leastTasks = Math.max(expectedTasks, Number(parameters.eventMinTasks));
  const mostTasks = Math.max(2 * expectedTasks, Number(parameters.eventMaxTasks));
  const processors = divide(month.database.atPeak, cpuTarget);
  const present = String(parameters.databaseClass);
  const sized = { ...parameters, eventMinTasks: leastTasks, eventMaxTasks: mostTasks };
  for (const [name, available] of candidatesFrom(present, month.database.processors)) {
    if (compare(processors, exact(available)) > 0) continue;
    if ((await connectionTrouble(withClass(sized, name))) !== null) continue;
    const because = `the busiest second takes ${decimalText(month.database.atPeak, 2)} processors; at 70 % of them, ${name} has enough`;
    return { expectedTasks, leastTasks, mostTasks, databaseClass: name, because };
  }
  throw new RangeError(
    `the busiest second needs ${ceiling(processors)} processors of the database for ${mostTasks} tasks, and the largest class with a known price has ${largestProcessors}: docs/beyond-one-database.md has what comes after it`,
  );
}

/** The class that is there stays where it carries the event, unless it is burstable and is to be busy for hours. */
function candidatesFrom(present: string, processors: number): (readonly [string, string])[] {
  const isBurstable = present.startsWith('db.t');
  const own = isBurstable ? String(processors * baselineShare(present)) : String(processors);
  return [[present, own], ...classes];
}

/** The share of each processor that a burstable class may use for ever: RDS's documentation of its classes. */
function baselineShare(name: string): number {
  return { micro: 0.1, small: 0.2, medium: 0.2, large: 0.3 }[name.split('.').at(-1)!] ?? 0.4;
}

function withClass(parameters: Parameters, databaseClass: string): Parameters {
  const { databaseMaxConnections } = databaseMemory(databaseClass);
  return { ...parameters, databaseClass, databaseMaxConnections };
}

/** One parameter that the plan changes. */
export interface ParameterChange {
  name: string;
  before: unknown;
  after: unknown;
}

/** What is different between a stage and what an event needs of it. */
export function changesFor(needs: Needs, parameters: Parameters, cache: Parameters): ParameterChange[] {
  const wanted: Parameters = {
    eventMinTasks: needs.leastTasks,
    eventMaxTasks: needs.mostTasks,
    databaseClass: needs.databaseClass,
    ...cache,
  };
  return Object.entries(wanted)
    .map(([name, after]) => ({ name, before: parameters[name], after }))
    .filter(({ before, after }) => String(before) !== String(after));
}

/**
 * The virtual processors that the tasks of an event take of the account's quota while a deployment replaces them: for a
 * while the old ones and the new ones run.
 * @param taskCpu of one task, in CPU units, 1,024 a processor, as the template has it
 */
export function processorsOfTasks(mostTasks: number, taskCpu: unknown): number {
  return (2 * mostTasks * Number(taskCpu)) / 1024;
}
