import type { Transaction } from '../db/transaction.ts';

const settings = ['bitmapscan', 'seqscan', 'hashjoin'].map((kind) => `set_config('enable_${kind}', 'on', true)`);

/**
 * Lets the statements of this transaction find events by their time. PostgreSQL reads events_at_idx by a bitmap scan,
 * which the pools for look-ups by key switch off (core/db/pool.ts). Without that scan a statement reads a whole month's
 * events by their primary key. Whether the index pays depends on the times, so each plan is made for the times that are
 * asked for.
 */
export async function planByTime(tx: Transaction): Promise<void> {
  await tx.query({
    name: 'plan-by-time',
    text: `select set_config('plan_cache_mode', 'force_custom_plan', true), ${settings.join(', ')}`,
    values: [],
  });
}
