import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Log } from '../../core/index.ts';
import type { DrillReports } from './drill-reports.ts';
import type { DrillReport } from './make-report.ts';

/** Keeps the report of a drill in the bucket, and its figures as metrics. */
export async function reportDrill(
  reports: DrillReports,
  report: DrillReport,
  log: Log,
  metrics: Pick<Metrics, 'addMetric'>,
): Promise<{ good: boolean; key: string }> {
  const key = await reports.keep(report);
  const { good, against, rpoSeconds, rtoSeconds } = report;
  metrics.addMetric('ReasonsAgainst', MetricUnit.Count, against.length);
  if (rpoSeconds !== null) metrics.addMetric('RpoSeconds', MetricUnit.Seconds, rpoSeconds);
  if (rtoSeconds !== null) metrics.addMetric('RtoSeconds', MetricUnit.Seconds, rtoSeconds);
  const fields = { key, rpoSeconds, rtoSeconds, against };
  if (good) log.info(fields, 'a drill says yes');
  else log.error(fields, 'a drill says no');
  return { good, key };
}
