import { setTimeout as sleep } from 'node:timers/promises';
import { databaseLimits } from '../db/database-limits.ts';
import { isLockTimeout } from '../db/sql-errors.ts';
import type { Transaction } from '../db/transaction.ts';
import type { BookKey } from '../keys.ts';
import { closeBookGate } from './book-gate.ts';

/**
 * An upload that has stored its codes has done too much to begin again, so it tries for half a minute to close the
 * gate.
 */
const publishGateTries = 80;

/**
 * Closes a book's gate for a transaction that has done too much to begin again. Whoever waits for the gate holds up all
 * that come to the book later: so it waits for databaseLimits.coldLockTimeoutMillis at a time, and lets them by in
 * between.
 * @throws the time-out of the lock where somebody was inside all the while, publishGateTries times
 */
export async function closeGateInTurns(tx: Transaction, tenantId: number, bookKey: BookKey): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await tx.query('savepoint before_gate');
    try {
      await tx.query(`set local lock_timeout = ${databaseLimits.coldLockTimeoutMillis}`);
      return await closeBookGate(tx, tenantId, bookKey);
    } catch (error) {
      if (!isLockTimeout(error) || attempt === publishGateTries) throw error;
      await tx.query('rollback to savepoint before_gate');
    }
    await sleep(databaseLimits.coldLockPauseMillis);
  }
}
