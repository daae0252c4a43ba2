import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Log } from '../../core/index.ts';
import type { DrillInstances } from './drill-instances.ts';
import type { DrillReports } from './drill-reports.ts';
import { sweepInstances } from './sweep-instances.ts';

const dayMillis = 86_400_000;

/**
 * Between drills: deletes what one has left, and says for how many days none has said yes. Where none ever has, the
 * days are those of the database, so that a new stage has time for its first.
 */
export async function watchDrills(
  instances: DrillInstances,
  reports: DrillReports,
  nowMillis: number,
  log: Log,
  metrics: Pick<Metrics, 'addMetric'>,
): Promise<{ swept: string[]; days: number }> {
  const swept = await sweepInstances(instances, nowMillis, log);
  const since = (await reports.readNewestGood()) ?? (await instances.readSource()).createdAt;
  const days = Math.max(0, (nowMillis - since) / dayMillis);
  metrics.addMetric('DaysSinceGoodDrill', MetricUnit.Count, days);
  return { swept, days };
}
