import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from './check.ts';

/** The time that a checklist sees and waits for; tests hand in one of their own. */
export interface Time {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  sleep(millis: number): Promise<unknown>;
}

/** The machine's. */
export const systemTime: Time = { now: () => Date.now(), sleep: (millis) => sleep(millis) };

/**
 * A moment as the aws CLI prints it, in milliseconds since the Unix epoch: version 2 prints a date, version 1 of some
 * services the seconds. NaN for neither.
 */
export function momentOf(printed: string | number | undefined): number {
  return typeof printed === 'number' ? printed * 1000 : Date.parse(printed ?? '');
}

const pauseMillis = 5000;

/** Looks again every five seconds until it is no `no`, or so long has passed. Returns the last finding. */
export async function lookPatiently(
  time: Time,
  patienceMillis: number,
  look: () => Promise<Finding>,
): Promise<Finding> {
  const end = time.now() + patienceMillis;
  for (;;) {
    const finding = await look();
    if (finding.verdict !== 'no' || time.now() >= end) return finding;
    await time.sleep(pauseMillis);
  }
}
