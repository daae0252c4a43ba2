import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the container counts, and how it is read. */
export interface Metrics {
  /** Notes an answered request. The route is its template, so that no code or user id becomes a label. */
  observeRequest(method: string, route: string, status: number, seconds: number): void;
  /** Notes a batch of the hot path: its queue's name, its members, and milliseconds of its transaction. */
  observeBatch(queue: string, members: number, millis: number): void;
  /** Everything in Prometheus' text format. */
  read(): Promise<string>;
  readonly contentType: string;
}

/** From a cached answer to a time-out; a redeem takes 5 to 50 ms. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Opens the container's metrics, with a registry of their own so that two containers in one process stay apart. */
export function openMetrics(queueAgeMillis: () => number): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'qurable_http_request_duration_seconds',
    help: 'Time from a request’s head to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: durationBuckets,
    registers: [registry],
  });
  new Gauge({
    name: 'qurable_queue_age_seconds',
    help: 'How long the oldest request in the coupons’ queues has waited.',
    registers: [registry],
    collect() {
      this.set(queueAgeMillis() / 1000);
    },
  });
  const batchDurations = new Histogram({
    name: 'qurable_batch_duration_seconds',
    help: 'Time of a batch’s transaction, retries included.',
    labelNames: ['queue'],
    buckets: durationBuckets,
    registers: [registry],
  });
  const batchMembers = new Histogram({
    name: 'qurable_batch_members',
    help: 'Requests that shared a transaction.',
    labelNames: ['queue'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers: [registry],
  });
  return {
    observeBatch: (queue, members, millis) => {
      batchDurations.observe({ queue }, millis / 1000);
      batchMembers.observe({ queue }, members);
    },
    observeRequest: (method, route, status, seconds) => durations.observe({ method, route, status }, seconds),
    read: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
