import type { Core } from './core.ts';
import { loggable } from './db/sql-errors.ts';

/** Ten minutes: keys that ran out take little room, and partitions are made months ahead. */
const everyMillis = 600_000;
/** Rows removed at a time: a short statement holds nobody up. */
const purgeRows = 10_000;
const monthsAhead = 4;

/**
 * Keeps the database tidy while the process runs: removes idempotency keys that ran out, and makes the partitions of
 * events for the months ahead. Every task runs it; a key is removed once, whoever is first.
 * @returns stops it; a run under way ends by itself
 */
export function startMaintenance(core: Pick<Core, 'coldPool' | 'log'>): () => void {
  const run = () => {
    tidyUp(core).catch((error: unknown) =>
      core.log.warn({ error: loggable(error) }, 'maintenance failed and goes on later'),
    );
  };
  const timer = setInterval(run, everyMillis);
  timer.unref();
  run();
  return () => clearInterval(timer);
}

/** One round of maintenance. */
export async function tidyUp({ coldPool: pool }: Pick<Core, 'coldPool'>): Promise<void> {
  await pool.query('select create_event_partitions(clock_timestamp(), $1)', [monthsAhead]);
  for (;;) {
    const { rowCount } = await pool.query(
      `delete from idempotency where (tenant_id, key_hash) in (
        select tenant_id, key_hash from idempotency where kept_until < clock_timestamp() limit $1 for update skip locked)`,
      [purgeRows],
    );
    if ((rowCount ?? 0) < purgeRows) return;
  }
}
