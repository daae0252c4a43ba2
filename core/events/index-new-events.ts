import type { BackgroundCore } from '../db/open-pools.ts';
import { isTimeout } from '../db/sql-errors.ts';
import { inTransaction } from '../db/transaction.ts';

/** Shorter than PostgreSQL's deadlock_timeout, behind which whoever waits for an autovacuum makes it give up. */
const lockTimeoutMillis = 100;

/**
 * Enters what is new in the months of these moments into events_at_idx, as autovacuum does within a minute or so, and
 * under load now and then not before it vacuums the whole table. Until events are entered, whoever reads a stretch of
 * time reads them all. Where autovacuum, or another process, is at a table, it does nothing. What is too much for one
 * statement is gone on with by the next call.
 * @param moments two of them, as the database writes them
 */
export async function indexNewEvents(
  { backgroundPool }: BackgroundCore,
  moments: { from: string; until: string },
): Promise<void> {
  try {
    await inTransaction(backgroundPool, async (tx) => {
      await tx.query({ name: 'wait-for-events', text: `set local lock_timeout = ${lockTimeoutMillis}` });
      await tx.query({
        name: 'index-new-events',
        text: `select brin_summarize_new_values(index)
          from (select distinct to_regclass('events_' || to_char(at at time zone 'UTC', 'YYYY_MM') || '_at_idx') as index
            from unnest(array[$1, $2]::timestamptz[]) as at) as months
          where index is not null`,
        values: [moments.from, moments.until],
      });
    });
  } catch (error) {
    if (!isTimeout(error)) throw error;
  }
}
