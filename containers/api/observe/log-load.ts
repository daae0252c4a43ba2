import type { Logger } from 'pino';

/** Often enough to see a queue that grows for two seconds, from which on requests are turned away. */
const sampleMillis = 1_000;
/** An alarm looks at a minute. */
const samplesALine = 10;

/**
 * Logs, for every ten seconds in which a request waited, how long the oldest one had waited at worst. The deployment
 * makes a metric and an alarm of these lines (resources/logs.yml), because a metric that is only served has nobody to
 * ask for it there; where there is no line, nothing waited.
 * @returns stops it
 */
export function logLoad(queueAgeMillis: () => number, log: Logger): () => void {
  let worst = 0;
  let samples = 0;
  const timer = setInterval(() => {
    worst = Math.max(worst, queueAgeMillis());
    samples += 1;
    if (samples < samplesALine) return;
    const queueAge = Math.round(worst);
    if (queueAge > 0) log.info({ queueAgeMillis: queueAge }, 'load');
    worst = 0;
    samples = 0;
  }, sampleMillis);
  timer.unref();
  return () => clearInterval(timer);
}
