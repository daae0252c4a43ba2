import { type CouponError, refuse } from '../errors.ts';
import type { LookupsInFlight } from './lookups-in-flight.ts';

/** What a try comes to: the look-up begins, is refused, or has to wait for one of the key `busy`. */
export type Try<Lookup> = { lookup: Lookup } | { refusal: CouponError } | { busy: string };

/**
 * Tries a look-up, and tries it again each time a look-up of the key that it waits for has ended.
 * @param attempt must begin the look-up where it says so: the next waiting one is tried right after it
 * @param waitingMaxMillis how long it waits at most
 * @throws CouponError the try's refusal; `rate-limited` after that time, or where too many wait already
 */
export function waitForRoom<Lookup>(
  inFlight: LookupsInFlight,
  attempt: () => Try<Lookup>,
  waitingMaxMillis: number,
): Promise<Lookup> {
  return new Promise((resolve, reject) => {
    let isSettled = false;
    let waitsFor = '';
    const settle = () => {
      isSettled = true;
      clearTimeout(timer);
    };
    const refuseBusy = () => {
      settle();
      reject(tooManyAtOnce());
    };
    const timer = setTimeout(refuseBusy, waitingMaxMillis);
    /** Returns true if it need not be called again for the key that it waited for. */
    const next = (): boolean => {
      if (isSettled) return true;
      const tried = attempt();
      if ('busy' in tried) {
        if (tried.busy === waitsFor) return false;
        waitsFor = tried.busy;
        if (!inFlight.wait(waitsFor, next)) refuseBusy();
        return true;
      }
      settle();
      if ('lookup' in tried) resolve(tried.lookup);
      else reject(tried.refusal);
      return true;
    };
    next();
  });
}

function tooManyAtOnce(): CouponError {
  return refuse(
    'rate-limited',
    'Too many codes are looked up at once for this user or with this token. Try again in 1 s.',
    {
      retryAfterSeconds: 1,
    },
  );
}
