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
  /** Whether more tasks stay than are asked for, because they are busy. */
  held: boolean;
  /** Events of the list that are over, which can go or whose year is wrong. */
  past: string[];
}

/** What setCapacity works with. */
export interface CapacityParts {
  scaling: ServiceScaling;
  overrides: OverrideStore;
  calendar: Calendar;
  log: Log;
  metrics: Pick<Metrics, 'addMetric'>;
}

/**
 * Sets the capacity that the calendar asks for at a moment, or more where an override does. It depends on nothing that went
 * before, so a call that was missed or repeated does no harm, and what someone changed by hand beside an override is put
 * right at the next one.
 *
 * An event's end takes no busy task away: the range's lower end is let down, the scaling lets tasks go as they fall idle,
 * and the upper end follows once so few are left. Where the override can't be read, nothing is let down.
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
