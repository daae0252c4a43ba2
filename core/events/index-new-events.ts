import type { BackgroundCore } from '../db/open-pools.ts';
import { isTimeout } from '../db/sql-errors.ts';
import { inTransaction } from '../db/transaction.ts';

/** Shorter than PostgreSQL's deadlock_timeout: a session that waits longer than that for an autovacuum cancels it. */
const lockTimeoutMillis = 100;
/** Other tasks wait for its connection, and changes of the table wait for its lock. */
const statementTimeoutMillis = 1_000;

/**
 * Enters what is new in the months of these moments into events_at_idx, as autovacuum does within a minute or so, and
 * under load now and then not before it vacuums the whole table. Until events are entered, a query for any stretch of
 * time reads all of them. While autovacuum or another process works on a table, or if this role does not own the
 * tables, this does nothing. If one statement is not enough, the next call goes on.
 * @param moments two of them, as the database writes them; a month without a partition, or whose index is not made yet,
 *   has nothing to enter
 */
export async function indexNewEvents(
  { backgroundPool }: BackgroundCore,
  moments: { from: string; until: string },
): Promise<void> {
  try {
    await inTransaction(backgroundPool, async (tx) => {
      await tx.query({
        name: 'wait-for-events',
        text: `select set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)`,
        values: [String(lockTimeoutMillis), String(statementTimeoutMillis)],
      });
      await tx.query({
        name: 'index-new-events',
        text: `select brin_summarize_new_values(c.oid)
          from (select distinct to_regclass('events_' || to_char(at at time zone 'UTC', 'YYYY_MM') || '_at_idx') as index
            from unnest(array[$1, $2]::timestamptz[]) as at) as months
          join pg_class c on c.oid = months.index where pg_has_role(c.relowner, 'usage')`,
        values: [moments.from, moments.until],
      });
    });
  } catch (error) {
    if (!isTimeout(error)) throw error;
  }
}
