import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../limits.ts';
import type { Random } from '../random.ts';
import { constraintOf, isRetryable } from './sql-errors.ts';

/**
 * Runs a transaction, and repeats it at most limits.batchRetries times when a deadlock or a serialization failure ended
 * it, or when another process has just used one of its idempotency keys: the next try finds the key and replays its
 * answer. Before each repeat it waits a random time that doubles, so that two that collided don't collide again.
 */
export async function retryTransaction<T>(random: Random, transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction();
    } catch (error) {
      const again = isRetryable(error) || constraintOf(error) === 'idempotency_pk';
      if (!again || attempt > limits.batchRetries) throw error;
      await sleep(random.below(10 * 2 ** attempt));
    }
  }
}
