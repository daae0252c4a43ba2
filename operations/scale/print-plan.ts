import { createRequire } from 'node:module';
import type { EventTime } from '../../handlers/scale/event-calendar.ts';
import type { Month } from '../cost/estimate-month.ts';
import { dollars } from '../cost/exact.ts';
import type { Needs, ParameterChange, Parameters } from './plan.ts';
import { processorsOfTasks } from './plan.ts';

const load = createRequire(import.meta.url);
const { databaseMemory } = load('../../resources/database-memory.cjs') as {
  databaseMemory(name: string): Record<string, number | boolean>;
};

/** Everything that a plan is told from. */
export interface Plan {
  event: string;
  time: EventTime;
  parameters: Parameters;
  needs: Needs;
  changes: readonly ParameterChange[];
  /** Under the event's load, with the stage as it is and as it would be. */
  before: Month;
  after: Month;
  /** Fargate's virtual processors that the account may run; null where it was not asked. */
  quota: number | null;
}

const minuteMillis = 60_000;
const daysOfMonth = 30n;

/** The plan in lines: what will change, when, for how long it interrupts, what it costs, and the way back. */
export function linesOfPlan(plan: Plan): string[] {
  return [
    `${plan.event}: ${iso(plan.time.startMillis)} to ${iso(plan.time.endMillis)}, ${plan.before.load.requestsPerDay} requests a day`,
    ...[
      ['tasks', tasksOf(plan)],
      ['database', databaseOf(plan)],
      ['cache', cacheOf(plan)],
      ['quota', quotaOf(plan)],
      ['cost', costOf(plan)],
      ['when', whenOf(plan)],
    ].map(([name, text]) => `${name!.padEnd(10)}${text}`),
  ];
}

const iso = (millis: number) => new Date(millis).toISOString().replace(':00.000Z', 'Z');
const changeOf = ({ changes }: Plan, name: string) => changes.find((change) => change.name === name);

function tasksOf(plan: Plan): string {
  const { needs, parameters } = plan;
  const [was, is] = [
    `${parameters.eventMinTasks} to ${parameters.eventMaxTasks}`,
    `${needs.leastTasks} to ${needs.mostTasks}`,
  ];
  const expected = `the busiest second needs ${needs.expectedTasks}`;
  return was === is ? `${is} stay: ${expected}` : `${was} → ${is}: ${expected}; no interruption`;
}

function databaseOf(plan: Plan): string {
  const { needs, parameters } = plan;
  const change = changeOf(plan, 'databaseClass');
  if (change === undefined) return `${needs.databaseClass} stays: ${needs.because}`;
  const [was, is] = [databaseMemory(String(change.before)), databaseMemory(needs.databaseClass)];
  const follows = Object.keys(is)
    .filter((name) => was[name] !== is[name] && ['', undefined, null].includes(parameters[name] as string))
    .map((name) => `${name} ${was[name]} → ${is[name]}`);
  const restart =
    String(parameters.databaseMultiAz) === 'true'
      ? 'a failover, one to two minutes in which requests that need the database are refused'
      : 'a restart of some minutes, for there is no standby';
  return `${change.before} → ${needs.databaseClass}: ${needs.because}. It takes ${restart}. By itself follow ${follows.join(', ')}`;
}

function cacheOf(plan: Plan): string {
  const [kind, nodes] = [changeOf(plan, 'cacheClass'), changeOf(plan, 'cacheNodes')];
  const present = `${plan.parameters.cacheClass} × ${plan.parameters.cacheNodes}`;
  if (kind === undefined && nodes === undefined) {
    return `${present} stays: only failed look-ups and paced requests are counted in it (--cache-class, --cache-nodes change it)`;
  }
  const wanted = `${kind?.after ?? plan.parameters.cacheClass} × ${nodes?.after ?? plan.parameters.cacheNodes}`;
  return `${present} → ${wanted}: in place; at the switch connections break for seconds, in which PostgreSQL counts`;
}

function quotaOf({ needs, parameters, quota }: Plan): string {
  const needed = processorsOfTasks(needs.mostTasks, parameters.taskCpu);
  const text = `${needs.mostTasks} tasks while they are replaced take ${needed} Fargate vCPUs`;
  if (quota === null) return `${text}; --live asks what the account may run`;
  if (quota >= needed) return `${text}, the account may run ${quota}`;
  return `${text}, the account may run ${quota}: aws service-quotas request-service-quota-increase --service-code fargate --quota-code L-3032A538 --desired-value ${Math.ceil(needed)}`;
}

function costOf({ before, after }: Plan): string {
  const more = after.cents - before.cents;
  return `${dollars(before.cents)} → ${dollars(after.cents)} a month under this load: ${dollars(more / daysOfMonth)} more for each day until it is taken back`;
}

function whenOf({ time, parameters, changes }: Plan): string {
  const trail = Number(parameters.eventTrailMinutes) * minuteMillis;
  const tasks = `scale brings the tasks ${parameters.eventLeadMinutes} minutes before, and lets them go after ${iso(time.endMillis + trail)}`;
  if (changes.length === 0) return `${tasks}; nothing is to be carried out`;
  return `carry it out in a quiet hour before ${iso(time.startMillis)}, and take it back after ${iso(time.endMillis + trail)}; ${tasks}`;
}
