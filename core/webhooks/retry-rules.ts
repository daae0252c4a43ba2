const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * How long after each attempt that failed the next one is made, in milliseconds: ten attempts within 75 hours and a
 * half.
 */
const pausesMillis = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

/** A delivery that has waited so long is given up, tried or not: behind an endpoint that is dead most are not. */
export const deliveryMaxAgeMillis = 80 * hour;

/** An endpoint that has failed for so long, and never succeeded meanwhile, is disabled. */
const disableAfterMillis = 5 * day;
/** A few failures that lie far apart are no proof. */
const disableAfterFailures = 10;

/** After so many failures in a row an endpoint is sent one request at a time, with pauses in between. */
const circuitFailures = 5;
const circuitPauseMaxMillis = 5 * minute;
/** Receivers may ask for a pause as long as this. */
const retryAfterMaxMillis = hour;

/** What came of a request, as far as rules look at it. */
export interface Attempt {
  /** The status of the answer; null where there was none. */
  statusCode: number | null;
  /** What the receiver asked for by `Retry-After`; null: nothing. */
  retryAfterMillis: number | null;
}

/** Whether the receiver has taken it: any 2xx, and nothing else. A redirect is a failure. */
export function isDelivered({ statusCode }: Attempt): boolean {
  return statusCode !== null && statusCode >= 200 && statusCode < 300;
}

/**
 * How long a delivery rests after a failure, in milliseconds; null: that was the last attempt.
 * @param attempts how many there were, this one included
 * @param share of a tenth that is added, so that what failed together does not come back together; in [0, 1)
 */
export function pauseAfter(attempts: number, attempt: Attempt, share: number): number | null {
  const pause = pausesMillis[attempts - 1];
  if (pause === undefined) return null;
  return Math.max(Math.round(pause * (1 + share / 10)), askedPause(attempt));
}

/**
 * How long an endpoint is sent nothing after a failure, in milliseconds; 0: no pause. A pause that the receiver asks
 * for begins at once. The product's own pauses begin after several failures in a row, so that a dead endpoint costs one
 * request an interval.
 * @param failures in a row, this one included
 */
export function endpointPauseAfter(failures: number, attempt: Attempt): number {
  const own =
    failures < circuitFailures ? 0 : Math.min(circuitPauseMaxMillis, second * 2 ** (failures - circuitFailures));
  return Math.max(own, askedPause(attempt));
}

/** Only these two say that the receiver would rather have it later. */
function askedPause({ statusCode, retryAfterMillis }: Attempt): number {
  if (retryAfterMillis === null || (statusCode !== 429 && statusCode !== 503)) return 0;
  return Math.min(retryAfterMillis, retryAfterMaxMillis);
}

/** How many requests an endpoint may have in flight at most. */
export const inFlightMax = 16;

/**
 * How many an endpoint may have in flight next: one more after each success, one less after a failure that it answered,
 * half after one without an answer, one while it fails again and again. So an endpoint that refuses some messages, up
 * to every other one, is sent the rest as fast as any; one that hangs holds one socket, whatever waits for it.
 */
export function nextWindow(window: number, attempt: Attempt, failures: number): number {
  if (isDelivered(attempt)) return Math.min(inFlightMax, window + 1);
  if (failures >= circuitFailures) return 1;
  return Math.max(1, attempt.statusCode === null ? Math.floor(window / 2) : window - 1);
}

/** Why an endpoint is disabled by itself. `failing`: nothing but failures for days; `gone`: it answered 410. */
export type DisableReason = 'failing' | 'gone';

/**
 * Why an endpoint is to be disabled after a failure; null: it goes on.
 * @param failures in a row, this one included
 * @param failingMillis for how long it has failed, without one success
 */
export function reasonToDisable(attempt: Attempt, failures: number, failingMillis: number): DisableReason | null {
  if (attempt.statusCode === 410) return 'gone';
  return failures >= disableAfterFailures && failingMillis >= disableAfterMillis ? 'failing' : null;
}

/**
 * Milliseconds that a `Retry-After` asks for: whole seconds or an HTTP date. Null for anything else.
 * @param now milliseconds since the Unix epoch
 */
export function readRetryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * second;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
