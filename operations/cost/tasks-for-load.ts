import { add, ceiling, compare, divide, type Exact, exact, larger, multiply, nothing, subtract } from './exact.ts';
import type { Demand, Load } from './load.ts';
import { cpuSecondsOfRequest, cpuTarget, hoursOfMonth, peakHoursOfDay } from './measured.ts';
import { type CostTemplate, objectOf, type TemplateResource, textOf, wholeOf } from './template.ts';

/** How many tasks a load needs, and for how long. */
export interface TaskPlan {
  least: number;
  /** The most that the calendar's base allows. */
  most: number;
  atMean: bigint;
  atPeak: bigint;
  /** Hours of tasks in the month that run whatever the load is. */
  baseHours: Exact;
  /** Hours of tasks in the month beyond those. */
  moreHours: Exact;
  /** Those of them that Black Friday brings. */
  eventHours: Exact;
}

interface Calendar {
  base: { min: number; max: number };
  leadMinutes: number;
  trailMinutes: number;
  blackFriday: { from: string; to: string; min: number } | null;
}

/**
 * The tasks of the service: as many as the measured processor time of a request needs at the scaling's target, and as
 * many as the scaling by requests asks for, whichever is more, and never fewer than the calendar's least.
 */
export function tasksForLoad(template: CostTemplate, service: TemplateResource, load: Load, demand: Demand): TaskPlan {
  const calendar = calendarOf(template, service);
  const least = exact(calendar.base.min);
  const needed = (perSecond: Exact) => {
    const byCpu = divide(multiply(perSecond, cpuSecondsOfRequest), multiply(processorsOf(template), cpuTarget));
    const perMinute = requestsOfTaskPerMinute(template);
    const byRequests = perMinute === null ? nothing : divide(multiply(perSecond, exact(60)), perMinute);
    return ceiling(larger(larger(byCpu, byRequests), least));
  };
  const [atMean, atPeak] = [needed(demand.meanPerSecond), needed(demand.peakPerSecond)];
  const peakHours = divide(multiply(hoursOfMonth, peakHoursOfDay), exact(24));
  const baseHours = multiply(least, hoursOfMonth);
  const dailyHours = add(
    multiply(exact(atPeak), peakHours),
    multiply(exact(atMean), subtract(hoursOfMonth, peakHours)),
    subtract(nothing, baseHours),
  );
  const eventHours = load.hasBlackFriday ? hoursOfBlackFriday(calendar, atPeak) : nothing;
  return {
    least: calendar.base.min,
    most: calendar.base.max,
    atMean,
    atPeak,
    baseHours,
    moreHours: add(dailyHours, eventHours),
    eventHours,
  };
}

/** Hours of tasks that the event's least adds to those that run anyway. */
function hoursOfBlackFriday({ blackFriday, base, leadMinutes, trailMinutes }: Calendar, atPeak: bigint): Exact {
  if (blackFriday === null) return nothing;
  const minutes = minuteOf(blackFriday.to) - minuteOf(blackFriday.from) + leadMinutes + trailMinutes;
  const usual = compare(exact(atPeak), exact(base.min)) > 0 ? exact(atPeak) : exact(base.min);
  const more = larger(subtract(exact(blackFriday.min), usual), nothing);
  return divide(multiply(more, exact(minutes)), exact(60));
}

function minuteOf(time: string): number {
  const [hour, minute] = time.split(':').map(Number);
  return hour! * 60 + minute!;
}

/** The calendar that the function `scale` is given; a template without one has a service of a fixed number. */
function calendarOf(template: CostTemplate, service: TemplateResource): Calendar {
  const capacity = template.ofType('Custom::Capacity')[0];
  if (capacity !== undefined) return JSON.parse(textOf(capacity, 'Calendar'));
  const count = wholeOf(service, 'DesiredCount');
  return { base: { min: count, max: count }, leadMinutes: 0, trailMinutes: 0, blackFriday: null };
}

/** Virtual processors of one task. */
export function processorsOf(template: CostTemplate): Exact {
  return divide(exact(wholeOf(taskDefinitionOf(template), 'Cpu')), exact(1024));
}

/** Gigabytes of one task. */
export function memoryGbOf(template: CostTemplate): Exact {
  return divide(exact(wholeOf(taskDefinitionOf(template), 'Memory')), exact(1024));
}

/**
 * The definition of the tasks that the template's service runs.
 * @throws Error where it names none of the template
 */
export function taskDefinitionOf(template: CostTemplate): TemplateResource {
  const [service] = template.ofType('AWS::ECS::Service');
  const name = objectOf(service?.properties.TaskDefinition).Ref;
  const found = template.find(String(name));
  if (found === undefined) throw new Error(`the template's service runs no task definition of the template`);
  return found;
}

/** The target of the scaling by requests; null where there is none. */
function requestsOfTaskPerMinute(template: CostTemplate): Exact | null {
  for (const policy of template.ofType('AWS::ApplicationAutoScaling::ScalingPolicy')) {
    const tracking = objectOf(policy.properties.TargetTrackingScalingPolicyConfiguration);
    const metric = objectOf(tracking.PredefinedMetricSpecification).PredefinedMetricType;
    if (metric === 'ALBRequestCountPerTarget') return exact(Number(tracking.TargetValue));
  }
  return null;
}
