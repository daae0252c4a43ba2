import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { constraintOf, isRetryable } from './sql-errors.ts';

/** Who collides with others for a fourth time is better told to come back. */
const retriesMax = 3;

/**
 * Runs a transaction, and repeats it at most retriesMax times when a deadlock or a serialization failure ended
 * it, or when another process has just used one of its idempotency keys: the next try finds the key and replays its
 * answer. Before each repeat it waits a random time that doubles, so that two that collided don't collide again.
 */
export async function retryTransaction<T>(random: Random, transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction();
    } catch (error) {
      const again = isRetryable(error) || constraintOf(error) === 'idempotency_pk';
      if (!again || attempt > retriesMax) throw error;
      await sleep(random.below(10 * 2 ** attempt));
    }
  }
}
