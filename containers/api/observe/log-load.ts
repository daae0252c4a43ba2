import type { Logger } from 'pino';

/** Often enough to see a queue that grows for two seconds, from which on requests are turned away. */
const sampleMillis = 1_000;
/** An alarm looks at a minute. */
const samplesALine = 10;

/** What the load is read from: numbers of this moment, and sums since the process began. */
export interface LoadSources {
  /** How long the oldest request has waited, in milliseconds. */
  queueAgeMillis(): number;
  /** The same of tenants that have no more waiting than a batch takes. */
  lightQueueAgeMillis(): number;
  /** How many wait for a connection to the database, in all pools. */
  poolWaiting(): number;
  /** Sums: the batches of the hot path, their members, and what was done the slower way. */
  sums(): LoadSums;
}

/** Sums since the process began. */
export interface LoadSums {
  batches: number;
  members: number;
  fallbacks: number;
}

/**
 * Logs, for every ten seconds in which there was any load, the worst of what was seen each second and the mean size of
 * a batch. The deployment makes metrics and an alarm of these lines (resources/logs.yml), because a metric that is only
 * served has nobody to ask for it there; where there is no line, nothing waited.
 * @returns what stops it
 */
export function logLoad(sources: LoadSources, log: Logger): () => void {
  let worst = { queueAgeMillis: 0, lightQueueAgeMillis: 0, poolWaiting: 0 };
  let before = sources.sums();
  let samples = 0;
  const timer = setInterval(() => {
    worst = {
      queueAgeMillis: Math.max(worst.queueAgeMillis, sources.queueAgeMillis()),
      lightQueueAgeMillis: Math.max(worst.lightQueueAgeMillis, sources.lightQueueAgeMillis()),
      poolWaiting: Math.max(worst.poolWaiting, sources.poolWaiting()),
    };
    samples += 1;
    if (samples < samplesALine) return;
    const now = sources.sums();
    const batches = now.batches - before.batches;
    const line = {
      queueAgeMillis: Math.round(worst.queueAgeMillis),
      lightQueueAgeMillis: Math.round(worst.lightQueueAgeMillis),
      poolWaiting: worst.poolWaiting,
      fallbacks: now.fallbacks - before.fallbacks,
      ...(batches === 0 ? {} : { batchMembers: Math.round((10 * (now.members - before.members)) / batches) / 10 }),
    };
    if (Object.values(line).some((value) => value > 0)) log.info(line, 'load');
    before = now;
    worst = { queueAgeMillis: 0, lightQueueAgeMillis: 0, poolWaiting: 0 };
    samples = 0;
  }, sampleMillis);
  timer.unref();
  return () => clearInterval(timer);
}
