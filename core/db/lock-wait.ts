import { databaseLimits } from './database-limits.ts';
import type { Transaction } from './transaction.ts';

/**
 * How long a batch waits for a lock. `usual`: far longer than a batch holds one. `short`: after a wait that timed out.
 * `long`: for a row that many batches want and that is known to pass from one to the next.
 */
export type LockWait = 'usual' | 'short' | 'long';

const millisOf = { short: databaseLimits.shortLockTimeoutMillis, long: databaseLimits.busyLockTimeoutMillis };

/** Sets how long the rest of the transaction waits for each lock. `usual` is the connections' own setting. */
export async function setLockWait(tx: Transaction, lockWait: LockWait): Promise<void> {
  if (lockWait === 'usual') return;
  await tx.query({ name: `wait-${lockWait}`, text: `set local lock_timeout = ${millisOf[lockWait]}` });
}
