import { databaseLimits } from './database-limits.ts';
import type { Transaction } from './transaction.ts';

/**
 * How long a batch waits for a lock. `usual`: far longer than a batch holds one. `short`: where such a wait has been
 * already. `long`: where many want the same row and it is known to pass from one to the next.
 */
export type Patience = 'usual' | 'short' | 'long';

const millisOf = { short: databaseLimits.shortLockTimeoutMillis, long: databaseLimits.busyLockTimeoutMillis };

/** Makes the rest of the transaction wait so long for each lock; `usual` is what the hot path's connections do anyway. */
export async function waitForLocks(tx: Transaction, patience: Patience): Promise<void> {
  if (patience === 'usual') return;
  await tx.query({ name: `wait-${patience}`, text: `set local lock_timeout = ${millisOf[patience]}` });
}
