import type { BackgroundTask } from './background/run-tasks.ts';
import type { Core } from './core.ts';

/** Ten minutes: keys that ran out take little room, and partitions are made months ahead. */
const everyMillis = 600_000;
/** Rows removed at a time: a short statement holds nobody up. */
const purgeRows = 10_000;
const monthsAhead = 4;

/**
 * Keeps the database tidy while the process runs: removes idempotency keys that ran out, and makes the partitions of
 * events for the months ahead. Every process runs it; a key is removed once, whoever is first.
 */
export function maintenance(core: Pick<Core, 'backgroundPool'>): BackgroundTask {
  return { name: 'maintenance', restMillis: everyMillis, run: () => tidyUp(core) };
}

/** Makes partitions, and removes some of the keys that ran out. */
async function tidyUp({ backgroundPool: pool }: Pick<Core, 'backgroundPool'>): Promise<'more' | 'rest'> {
  await pool.query('select create_event_partitions(clock_timestamp(), $1)', [monthsAhead]);
  const { rowCount } = await pool.query(
    `delete from idempotency where (tenant_id, key_hash) in (
      select tenant_id, key_hash from idempotency where kept_until < clock_timestamp() limit $1 for update skip locked)`,
    [purgeRows],
  );
  return (rowCount ?? 0) < purgeRows ? 'rest' : 'more';
}
