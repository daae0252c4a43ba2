import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type Log, loggable } from '../../core/index.ts';
import type { OverrideRequest } from './capacity-override.ts';
import { type Calendar, type Capacity, capacityAt, largest, pastEvents } from './event-calendar.ts';
import type { OverrideStore } from './override-store.ts';
import type { ServiceScaling } from './service-scaling.ts';

/** What was set. */
export interface CapacityReport extends Capacity {
  /** The events that ask for it, or "none". */
  event: string;
  /** Until when somebody has asked for more by hand, or null. */
  overrideUntil: string | null;
  /** Whether more tasks than asked for stay, because they are busy. */
  held: boolean;
  /** Listed events that are over: they can be removed, or their year is wrong. */
  past: string[];
}

/** The parts that setCapacity uses. */
export interface CapacityParts {
  scaling: ServiceScaling;
  overrides: OverrideStore;
  calendar: Calendar;
  log: Log;
  metrics: Pick<Metrics, 'addMetric'>;
}

/**
 * Sets the capacity that the calendar asks for at a moment, or more if an override does. It does not depend on earlier
 * calls: a missed or repeated call does no harm, and the next call corrects what somebody changed by hand without an
 * override.
 *
 * An event's end stops no busy task. First the minimum is lowered, then the scaling stops tasks as they become idle,
 * and the maximum follows once so few are left. If the override can't be read, nothing is lowered.
 * @param request what the call asks for beside the time
 * @param nowMillis milliseconds since the Unix epoch
 */
export async function setCapacity(
  { scaling, overrides, calendar, log, metrics }: CapacityParts,
  request: OverrideRequest,
  nowMillis: number,
): Promise<CapacityReport> {
  if (request === 'end') await overrides.remove();
  else if (request !== null) await overrides.write(request.set);
  const { capacity, events } = capacityAt(calendar, nowMillis);
  const [before, desired] = await Promise.all([scaling.range(), scaling.desiredTasks()]);
  const asked = [capacity];
  let overrideUntil: string | null = null;
  try {
    const override = await overrides.read(nowMillis);
    if (override !== null) {
      asked.push(override);
      overrideUntil = new Date(override.untilMillis).toISOString();
    }
  } catch (error) {
    log.error({ error: loggable(error) }, 'the override can’t be read; nothing is let down');
    if (before !== null) asked.push(before);
  }
  const wanted = largest(asked);
  const held = before !== null && desired > wanted.max;
  const range = held ? { min: wanted.min, max: Math.max(wanted.max, before.max) } : wanted;
  await scaling.register(range);
  metrics.addMetric('CapacityMin', MetricUnit.Count, range.min);
  metrics.addMetric('CapacityMax', MetricUnit.Count, range.max);
  const past = pastEvents(calendar, nowMillis);
  const report = { ...range, event: events.join(', ') || 'none', overrideUntil, held, past };
  log.info(report, 'set the capacity');
  return report;
}
