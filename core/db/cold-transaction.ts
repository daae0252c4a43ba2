import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Random } from '../random.ts';
import type { ColdTurns } from './cold-turns.ts';
import { databaseLimits } from './database-limits.ts';
import { retryTransaction } from './retry-transaction.ts';
import { isLockTimeout } from './sql-errors.ts';
import { inTransaction, type Transaction } from './transaction.ts';

/** What a transaction that is not on the hot path needs. */
export interface ColdCore {
  readonly coldPool: pg.Pool;
  readonly coldTurns: ColdTurns;
  readonly random: Random;
}

/**
 * Runs a transaction that is not on the hot path, on a connection of the cold pool and in the tenant's turn.
 *
 * It never waits for a lock for long while it holds anything: neither its connection nor its turn, nor a place in the row
 * of a book's gate, behind which every later batch would stand. After databaseLimits.coldLockTimeoutMillis it rolls back, lets go
 * of all that, and tries again, databaseLimits.coldLockTries times in all. A batch holds its locks for milliseconds, so a pause
 * gets its turn under any load (proved by "nothing is redeemed after the answer to a pause" in test/integration/races.test.ts).
 * @param work may run several times, each in a transaction of its own, and so has no other effects
 * @throws what `work` throws; the time-out of a lock that somebody held all the while; CouponError `unavailable` where too
 *   many of the tenant wait
 */
export async function inColdTransaction<T>(
  { coldPool, coldTurns, random }: ColdCore,
  tenantId: number,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const giveBack = await coldTurns.take(
      tenantId,
      'write',
      attempt === 1 ? undefined : databaseLimits.coldRetryTurnMillis,
    );
    try {
      return await retryTransaction(random, () => inTransaction(coldPool, work));
    } catch (error) {
      if (!isLockTimeout(error) || attempt === databaseLimits.coldLockTries) throw error;
    } finally {
      giveBack();
    }
    await sleep(databaseLimits.coldLockPauseMillis / 2 + random.below(databaseLimits.coldLockPauseMillis));
  }
}
