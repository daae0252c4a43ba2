import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Random } from '../random.ts';
import type { ColdTurns } from './cold-turns.ts';
import { databaseLimits } from './database-limits.ts';
import { retryTransaction } from './retry-transaction.ts';
import { isLockTimeout } from './sql-errors.ts';
import { inTransaction, type Transaction } from './transaction.ts';

/** The parts of the core that a transaction off the hot path needs. */
export interface ColdCore {
  readonly coldPool: pg.Pool;
  readonly coldTurns: ColdTurns;
  readonly random: Random;
}

/**
 * Runs a transaction off the hot path, on a connection of the cold pool and in the tenant's turn.
 *
 * It never waits long for a lock. While it waits it keeps a connection, the tenant's turn and perhaps a place before a
 * book's gate, behind which every later batch of the book would wait. So after databaseLimits.coldLockTimeoutMillis it
 * rolls back, gives all of that up, and tries again, databaseLimits.coldLockTries times in all. A batch holds its locks
 * for milliseconds, so a pause succeeds under any load (test: "nothing is redeemed after the answer to a pause" in
 * test/integration/races.test.ts).
 * @param work may run several times, each time in a transaction of its own; it must have no other effects
 * @throws what `work` throws; the time-out, if the lock was held all the time; CouponError `unavailable` where too many
 *   requests of the tenant wait
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
