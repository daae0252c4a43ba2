import { setTimeout as sleep } from 'node:timers/promises';
import { isLockTimeout } from '../db/sql-errors.ts';
import type { Transaction } from '../db/transaction.ts';
import type { BookKey } from '../keys.ts';
import { limits } from '../limits.ts';
import { closeBookGate } from './book-gate.ts';

/**
 * Closes a book's gate for a transaction that has done too much to begin again. Whoever waits for the gate holds up all
 * that come to the book later: so it waits for limits.coldLockTimeoutMillis at a time, and lets them by in between.
 * @throws the time-out of the lock where somebody was inside all the while, limits.publishGateTries times
 */
export async function closeGateInTurns(tx: Transaction, bookKey: BookKey): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await tx.query('savepoint before_gate');
    try {
      await tx.query(`set local lock_timeout = ${limits.coldLockTimeoutMillis}`);
      return await closeBookGate(tx, bookKey);
    } catch (error) {
      if (!isLockTimeout(error) || attempt === limits.publishGateTries) throw error;
      await tx.query('rollback to savepoint before_gate');
    }
    await sleep(limits.coldLockPauseMillis);
  }
}
