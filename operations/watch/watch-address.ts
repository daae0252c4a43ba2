import type { CheckedApi } from '../checklists/call-api.ts';
import { BadInput } from '../cost/bad-input.ts';
import { readMetrics, type Sample } from './read-metrics.ts';
import { type Source, type Watched, WatchLost } from './watched.ts';

/** What one process has counted since it started. */
interface Counted {
  startedAt: number;
  requests: number;
  errors: number;
  /** Requests by the bound of their bucket in seconds, those of smaller bounds counted too; in order. */
  buckets: [bound: number, count: number][];
  databaseFailures: number;
  isDatabaseUp: boolean;
}

const durations = 'qurable_http_request_duration_seconds';
/** What this program and load balancers ask is no traffic. */
const ownRoutes = new Set(['/health', '/ready', '/metrics']);
const slowSeconds = 1;

/**
 * Watches one process by its metrics, from now on.
 * @throws BadInput where nobody answers at the address, or has no metrics for this key
 */
export async function watchAddress(api: CheckedApi): Promise<Source> {
  const first = await count(api).catch((error: Error) => {
    throw new BadInput(error.message);
  });
  return {
    lateMillis: 0,
    read: async () => {
      // One answer may be lost; two in a row are an outage.
      const now = await count(api)
        .catch(() => count(api))
        .catch((error: Error) => {
          throw new WatchLost(error.message);
        });
      if (now.startedAt !== first.startedAt) {
        throw new WatchLost(
          'another process answers than at the start: it was started anew, or this is a load balancer; watch one process, or --stage',
        );
      }
      if (!now.isDatabaseUp) throw new WatchLost('the API says that its database is away (qurable_database_up 0)');
      return differenceOf(first, now);
    },
  };
}

async function count(api: CheckedApi): Promise<Counted> {
  const { status, text } = await api.ask('GET', '/metrics');
  if (status === 401 || status === 403) {
    throw new BadInput(`/metrics answers ${status}: QURABLE_ADMIN_KEY must be of an admin of the tenant default`);
  }
  const metrics = readMetrics(text);
  const started = metrics.get('process_start_time_seconds')?.[0]?.value;
  if (status !== 200 || started === undefined) {
    throw new BadInput(`/metrics answers ${status} without metrics: is that the API, or its METRICS_PORT?`);
  }
  const traffic = (name: string) =>
    (metrics.get(`${durations}_${name}`) ?? []).filter(({ labels }) => !ownRoutes.has(labels.route ?? ''));
  return {
    startedAt: started,
    requests: sum(traffic('count')),
    errors: sum(traffic('count').filter(({ labels }) => labels.status?.startsWith('5'))),
    buckets: bucketsOf(traffic('bucket')),
    databaseFailures: sum(metrics.get('qurable_database_failures_total') ?? []),
    isDatabaseUp: metrics.get('qurable_database_up')?.[0]?.value !== 0,
  };
}

function sum(samples: Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}

function bucketsOf(samples: Sample[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const { labels, value } of samples) {
    const bound = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

function differenceOf(first: Counted, now: Counted): Watched {
  const before = new Map(first.buckets);
  const buckets = now.buckets.map(([bound, value]): [number, number] => [bound, value - (before.get(bound) ?? 0)]);
  const requests = now.requests - first.requests;
  const quick = buckets.find(([bound]) => bound === slowSeconds)?.[1] ?? 0;
  return {
    requests,
    errors: now.errors - first.errors,
    slow: { count: requests - quick, p99: p99Of(buckets, requests) },
    errorLines: null,
    databaseFailures: now.databaseFailures - first.databaseFailures,
  };
}

/** The bound of the bucket in which the 99th of a hundred is: it is not known better. */
function p99Of(buckets: [number, number][], requests: number): string {
  if (requests === 0) return 'unknown';
  const [bound = Number.POSITIVE_INFINITY] = buckets.find(([, value]) => value * 100 >= requests * 99) ?? [];
  if (Number.isFinite(bound)) return `at most ${bound * 1000} ms`;
  return `above ${(buckets.at(-2)?.[0] ?? 0) * 1000} ms`;
}
