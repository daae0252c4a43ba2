import { limits } from '../limits.ts';
import type { Transaction } from './transaction.ts';

/** Lets the rest of the transaction wait for each lock for limits.shortLockTimeoutMillis only. */
export async function waitShortly(tx: Transaction): Promise<void> {
  await tx.query({ name: 'wait-shortly', text: `set local lock_timeout = ${limits.shortLockTimeoutMillis}` });
}
