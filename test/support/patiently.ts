import { setTimeout as sleep } from 'node:timers/promises';
import { isTimeout } from '../../core/db/sql-errors.ts';
import { CouponError } from '../../core/errors.ts';

const pauseMillis = 100;

/**
 * Does something again where it was turned away with nothing begun, as a client does: on a machine that stalls,
 * requests wait too long for their turn or a lock, which says nothing about what they do.
 * @throws whatever else it throws; `unavailable` too, where it may have been carried out
 */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isTurnedAway(error)) throw error;
      await sleep(pauseMillis);
    }
  }
}

/** Off the hot path a time-out is thrown as it is, once its transaction was rolled back. */
function isTurnedAway(error: unknown): boolean {
  return error instanceof CouponError ? error.refusal.outcome === 'not-begun' : isTimeout(error);
}
