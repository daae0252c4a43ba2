import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import {
  type ApplicationAutoScalingClient,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import type { Log } from '../../core/index.ts';
import { type Calendar, capacityAt } from './event-calendar.ts';

/** What was set. */
export interface CapacityReport {
  min: number;
  max: number;
  /** The events that ask for it, or "none". */
  event: string;
}

/**
 * Sets the capacity that the calendar asks for at a moment. It depends on nothing that went before, so a call that was
 * missed or repeated does no harm, and what someone changed by hand is put right at the next one.
 * @param resourceId `service/<cluster>/<service>`
 * @param nowMillis milliseconds since the Unix epoch
 */
export async function setCapacity(
  client: ApplicationAutoScalingClient,
  resourceId: string,
  calendar: Calendar,
  nowMillis: number,
  log: Log,
  metrics: Pick<Metrics, 'addMetric'>,
): Promise<CapacityReport> {
  const { capacity, events } = capacityAt(calendar, nowMillis);
  await client.send(
    new RegisterScalableTargetCommand({
      ServiceNamespace: 'ecs',
      ScalableDimension: 'ecs:service:DesiredCount',
      ResourceId: resourceId,
      MinCapacity: capacity.min,
      MaxCapacity: capacity.max,
    }),
  );
  metrics.addMetric('CapacityMin', MetricUnit.Count, capacity.min);
  metrics.addMetric('CapacityMax', MetricUnit.Count, capacity.max);
  const report = { ...capacity, event: events.join(', ') || 'none' };
  log.info(report, 'set the capacity');
  return report;
}
