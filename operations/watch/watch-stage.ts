import { type AskAws, AwsRefusal } from '../checklists/ask-aws.ts';
import type { Stage } from '../checklists/read-stage.ts';
import { momentOf, type Time } from '../checklists/time.ts';
import type { Source, Watched } from './watched.ts';

const periodSeconds = 60;
/** The load balancer's figures of a minute are there one to two minutes later. */
const lateMillis = 180_000;
const slowSeconds = 1;
/** A log with more is bad enough, and asked for a long time. */
const mostLines = 1000;

const metrics = {
  requests: ['RequestCount', 'Sum'],
  ofTasks: ['HTTPCode_Target_5XX_Count', 'Sum'],
  // Requests that no task answered.
  ofLoadBalancer: ['HTTPCode_ELB_5XX_Count', 'Sum'],
  p99: ['TargetResponseTime', 'p99'],
} as const;
type Series = Record<keyof typeof metrics, { at: number; value: number }[]>;

/** Watches a stage by what CloudWatch has of its load balancer and of its log, from now on. */
export async function watchStage(aws: AskAws, stage: Stage, time: Time): Promise<Source> {
  // A minute that began before is not a part of it.
  const begin = Math.ceil(time.now() / 1000 / periodSeconds) * periodSeconds * 1000;
  const loadBalancer = await findLoadBalancer(aws, stage);
  return {
    lateMillis,
    read: async (): Promise<Watched> => {
      const series = await readSeries(aws, loadBalancer, begin, Math.max(time.now(), begin + periodSeconds * 1000));
      const errorLines = await readErrorLines(aws, stage, begin);
      return {
        requests: total(series.requests),
        errors: total(series.ofTasks) + total(series.ofLoadBalancer),
        slow: slowOf(series.p99),
        errorLines,
        databaseFailures: null,
      };
    },
  };
}

/** As CloudWatch's dimension wants it: `app/name/0123456789abcdef`. */
async function findLoadBalancer(aws: AskAws, { stack }: Stage): Promise<string> {
  const args = ['--stack-name', stack, '--logical-resource-id', 'LoadBalancer'];
  const { StackResources = [] } = (await aws('cloudformation', 'describe-stack-resources', ...args)) as {
    StackResources?: { PhysicalResourceId: string }[];
  };
  const name = StackResources[0]?.PhysicalResourceId.split(':loadbalancer/')[1];
  if (name === undefined) throw new AwsRefusal('NoLoadBalancer', `${stack} has no load balancer: deploy it again`);
  return name;
}

async function readSeries(aws: AskAws, loadBalancer: string, begin: number, end: number): Promise<Series> {
  const Dimensions = [{ Name: 'LoadBalancer', Value: loadBalancer }];
  const queries = Object.entries(metrics).map(([name, [MetricName, Stat]]) => ({
    // Ids begin with a small letter.
    Id: name,
    MetricStat: { Metric: { Namespace: 'AWS/ApplicationELB', MetricName, Dimensions }, Period: periodSeconds, Stat },
  }));
  const answer = (await aws(
    'cloudwatch',
    'get-metric-data',
    ...['--metric-data-queries', JSON.stringify(queries)],
    ...['--start-time', new Date(begin).toISOString(), '--end-time', new Date(end).toISOString()],
    ...['--scan-by', 'TimestampAscending'],
  )) as { MetricDataResults?: { Id: keyof Series; Timestamps: (string | number)[]; Values: number[] }[] };
  const results = new Map((answer.MetricDataResults ?? []).map((result) => [result.Id, result]));
  const seriesOf = (name: keyof Series) => {
    const { Timestamps = [], Values = [] } = results.get(name) ?? {};
    return Values.map((value, at) => ({ at: momentOf(Timestamps[at]), value }));
  };
  return {
    requests: seriesOf('requests'),
    ofTasks: seriesOf('ofTasks'),
    ofLoadBalancer: seriesOf('ofLoadBalancer'),
    p99: seriesOf('p99'),
  };
}

function total(points: { value: number }[]): number {
  return points.reduce((sum, { value }) => sum + value, 0);
}

/** A minute without a figure had no request, and was not slow. */
function slowOf(points: { at: number; value: number }[]): Watched['slow'] {
  const minutes = points.map(({ at, value }) => ({ at: at / 1000 / periodSeconds, isSlow: value > slowSeconds }));
  const first = minutes[0]?.at ?? 0;
  const slowMinutes: boolean[] = Array.from({ length: (minutes.at(-1)?.at ?? first) - first + 1 }, () => false);
  for (const { at, isSlow } of minutes) slowMinutes[at - first] = isSlow;
  const worst = Math.max(...points.map(({ value }) => value));
  return { slowMinutes, p99: points.length === 0 ? 'unknown' : `${Math.round(worst * 1000)} ms in the worst minute` };
}

async function readErrorLines(aws: AskAws, { name }: Stage, begin: number): Promise<Watched['errorLines']> {
  const answer = (await aws(
    'logs',
    'filter-log-events',
    ...['--log-group-name', `/ecs/qurable-${name}-api`, '--start-time', String(begin)],
    ...['--filter-pattern', '{ ($.level = "error") || ($.level = "fatal") }', '--max-items', String(mostLines)],
  )) as { events?: { message: string }[] };
  const messages = (answer.events ?? []).flatMap(({ message }) => messageOf(message));
  return { count: messages.length, message: messages.at(-1) ?? '' };
}

/** What an error line says, which is a fixed text; its other fields are for whoever reads the log. */
function messageOf(line: string): string[] {
  try {
    const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown };
    return level === 'error' || level === 'fatal' ? [String(msg)] : [];
  } catch {
    return [];
  }
}
