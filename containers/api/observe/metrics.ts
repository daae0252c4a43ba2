import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import {
  type DatabaseFailure,
  databaseFailureReasons,
  type ErrorKind,
  errorKinds,
  type RunningOut,
} from '../../../core/index.ts';

/** What the container counts, and how it is read. */
export interface Metrics {
  /** Notes an answered request. The route is its template, so that no code or user id becomes a label. */
  observeRequest(method: string, route: string, status: number, seconds: number): void;
  /** Notes a batch of the hot path: its queue's name, its members, and milliseconds of its transaction. */
  observeBatch(queue: string, members: number, millis: number): void;
  /** Notes an answered refusal. */
  observeRefusal(kind: ErrorKind): void;
  /** Notes what requests have done; a replayed answer has done nothing. */
  observeEffects(effect: Effect, count: number): void;
  /** Notes a line of the log at level warn or error, by its fields: those about the database are counted by reason. */
  observeFailure(fields: { error?: unknown }): void;
  /** Everything in Prometheus' text format. */
  read(): Promise<string>;
  readonly contentType: string;
}

/** What a coupon operator counts. */
export type Effect = 'assignment' | 'redemption';

/** What the metrics ask when they are read. What is left out has no metric. */
export interface MetricSources {
  /** How long the oldest request in the coupons' queues has waited. */
  queueAgeMillis(): number;
  droppedLogLines?(): number;
  /** Null where no Redis is configured. */
  isRedisUp?(): boolean | null;
  /** How many wait for a connection of each pool, by the pool's name. */
  poolWaits?(): Record<string, number>;
  /** Asks the database, and gives up after two seconds. */
  isDatabaseUp?(): Promise<boolean>;
  /** How long tenants with many waiting requests, and all others, have waited at worst. */
  tenantAges?(): { light: number; heavy: number };
  /** How old the marks for the day of a restore are; null before there are any. */
  marksAgeMillis?(): number | null;
  /** Null where the database does not answer. */
  runningOut?(): Promise<RunningOut | null>;
  /** How often something was done the slower way since the process began, by what it did without. */
  fallbacks?(): Record<string, number>;
  /** How often each background task has failed since it last succeeded, by its name. */
  taskFailures?(): Record<string, number>;
}

/** From a cached answer to a time-out; a redeem takes 5 to 50 ms. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Opens the container's metrics, with a registry of their own so that two containers in one process stay apart. */
export function openMetrics(sources: MetricSources): Metrics {
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
      this.set(sources.queueAgeMillis() / 1000);
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
  const refusals = new Counter({
    name: 'qurable_refusals_total',
    help: 'Requests that were refused, by the kind in their problem document.',
    labelNames: ['kind'],
    registers: [registry],
  });
  // A counter that begins with its first event hides that event from whoever asks for a rate.
  for (const kind of Object.keys(errorKinds)) refusals.inc({ kind }, 0);
  const effects = openEffects(registry);
  const databaseFailures = new Counter({
    name: 'qurable_database_failures_total',
    help: 'Failures of the database that were logged or left out as repeats, by reason.',
    labelNames: ['reason'],
    registers: [registry],
  });
  for (const reason of databaseFailureReasons) databaseFailures.inc({ reason }, 0);
  addStates(registry, sources);
  addShortages(registry, sources);
  return {
    observeRefusal: (kind) => refusals.inc({ kind }),
    observeEffects: (effect, count) => effects[effect].inc(count),
    observeFailure: ({ error }) => {
      const reason = (error as { reason?: DatabaseFailure } | null | undefined)?.reason;
      if (reason !== undefined) databaseFailures.inc({ reason });
    },
    observeBatch: (queue, members, millis) => {
      batchDurations.observe({ queue }, millis / 1000);
      batchMembers.observe({ queue }, members);
    },
    observeRequest: (method, route, status, seconds) => durations.observe({ method, route, status }, seconds),
    read: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function openEffects(registry: Registry): Record<Effect, Counter> {
  const registers = [registry];
  return {
    assignment: new Counter({
      name: 'qurable_assignments_total',
      help: 'Codes that requests to this process put into users’ hands.',
      registers,
    }),
    redemption: new Counter({
      name: 'qurable_redemptions_total',
      help: 'Redemptions that requests to this process made. Those given back later are not taken off.',
      registers,
    }),
  };
}

/** What is asked anew each time the metrics are read. */
function addStates(registry: Registry, { droppedLogLines, isRedisUp, isDatabaseUp, poolWaits }: MetricSources): void {
  const registers = [registry];
  if (poolWaits !== undefined) {
    new Gauge({
      name: 'qurable_database_pool_waiting',
      help: 'How many wait for a connection of the process to the database, by the pool.',
      labelNames: ['pool'],
      registers,
      collect() {
        for (const [pool, waiting] of Object.entries(poolWaits())) this.set({ pool }, waiting);
      },
    });
  }
  if (droppedLogLines !== undefined) {
    new Counter({
      name: 'qurable_log_lines_dropped_total',
      help: 'Lines of the log that could not be written in time.',
      registers,
      collect() {
        this.reset();
        this.inc(droppedLogLines());
      },
    });
  }
  if (isRedisUp !== undefined) {
    new Gauge({
      name: 'qurable_redis_up',
      help: 'Whether Redis answers this process, 1 or 0; absent where none is configured.',
      registers,
      collect() {
        const isUp = isRedisUp();
        if (isUp === null) this.remove();
        else this.set(Number(isUp));
      },
    });
  }
  if (isDatabaseUp !== undefined) {
    new Gauge({
      name: 'qurable_database_up',
      help: 'Whether the database answers this process within two seconds with an adequate schema, 1 or 0.',
      registers,
      async collect() {
        this.set(Number(await isDatabaseUp()));
      },
    });
  }
}

/** What runs late, out or the slower way, asked anew each time the metrics are read. */
function addShortages(registry: Registry, sources: MetricSources): void {
  const { tenantAges, marksAgeMillis, runningOut, fallbacks, taskFailures } = sources;
  const registers = [registry];
  if (tenantAges !== undefined) {
    new Gauge({
      name: 'qurable_tenant_queue_age_seconds',
      help: 'How long the oldest request has waited, of tenants with more waiting than a batch takes, and of the others.',
      labelNames: ['tenants'],
      registers,
      collect() {
        for (const [tenants, millis] of Object.entries(tenantAges())) this.set({ tenants }, millis / 1000);
      },
    });
  }
  if (marksAgeMillis !== undefined) {
    new Gauge({
      name: 'qurable_marks_age_seconds',
      help: 'How old this process’s marks of how far decks are dealt are, which a restore needs.',
      registers,
      collect() {
        const millis = marksAgeMillis();
        if (millis !== null) this.set(millis / 1000);
      },
    });
  }
  if (runningOut !== undefined) {
    new Gauge({
      name: 'qurable_books_running_out',
      help: 'Active and paused books of all tenants with few codes left, and with none.',
      labelNames: ['stock'],
      registers,
      async collect() {
        const books = await runningOut();
        // An old number would mislead: without a new one there is none.
        this.reset();
        if (books === null) return;
        this.set({ stock: 'low' }, books.lowBooks);
        this.set({ stock: 'none' }, books.exhaustedBooks);
      },
    });
  }
  if (fallbacks !== undefined) {
    new Counter({
      name: 'qurable_fallbacks_total',
      help: 'What was done the slower way, by what it did without: Redis, or statements in one write.',
      labelNames: ['without'],
      registers,
      collect() {
        this.reset();
        for (const [without, count] of Object.entries(fallbacks())) this.inc({ without }, count);
      },
    });
  }
  if (taskFailures !== undefined) {
    new Gauge({
      name: 'qurable_background_task_failures',
      help: 'How often a background task of this process has failed since it last succeeded.',
      labelNames: ['task'],
      registers,
      collect() {
        for (const [task, failures] of Object.entries(taskFailures())) this.set({ task }, failures);
      },
    });
  }
}
