import type { Transaction } from '../db/transaction.ts';

const settings = ['bitmapscan', 'seqscan', 'hashjoin'].map((kind) => `set_config('enable_${kind}', 'on', true)`);

/**
 * Lets the statements of this transaction find events by their time. events_at_idx is read by a bitmap, which pools
 * whose statements look up rows by their keys don't plan (core/db/pool.ts): without it they read a whole month's
 * events, by way of their primary key. Whether it pays depends on the times, so the plan is made for those that are
 * asked for.
 */
export async function planByTime(tx: Transaction): Promise<void> {
  await tx.query({
    name: 'plan-by-time',
    text: `select set_config('plan_cache_mode', 'force_custom_plan', true), ${settings.join(', ')}`,
    values: [],
  });
}
