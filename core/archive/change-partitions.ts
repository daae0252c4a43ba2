import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { isLockTimeout } from '../db/sql-errors.ts';
import { inTransaction } from '../db/transaction.ts';
import { ArchiveError } from './archive-error.ts';
import type { EventMonth } from './event-months.ts';

/** While it waits for its lock, everybody who uses events waits behind it: so not for long, and often. */
const lockMillis = 400;
const lockTries = 50;
const pauseMillis = 200;

/**
 * Takes a month's table out of `events`; it stays as a table of its own.
 * @throws ArchiveError where the events are never free for an instant; nothing has changed then
 */
export function detachMonth(pool: pg.Pool, { month, table }: EventMonth): Promise<void> {
  return inAnInstant(pool, month, [`alter table events detach partition ${table}`]);
}

/** Makes a table with the constraint `of_month` a part of `events`. Throws like detachMonth. */
export function attachMonth(pool: pg.Pool, { month, table, from, to }: EventMonth): Promise<void> {
  return inAnInstant(pool, month, [
    `alter table events attach partition ${table} for values from ('${from}') to ('${to}')`,
    `alter table ${table} drop constraint of_month`,
  ]);
}

async function inAnInstant(pool: pg.Pool, month: string, statements: string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inTransaction(pool, async (tx) => {
        await tx.query(`set local lock_timeout = ${lockMillis}`);
        for (const statement of statements) await tx.query(statement);
      });
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      if (attempt === lockTries)
        throw new ArchiveError(
          `the events are in use without a pause, so ${month} could not be changed: try again at a quieter hour, or end the transaction that reads them`,
        );
    }
    await pause(pauseMillis);
  }
}
