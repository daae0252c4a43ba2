import type { BackgroundTask } from './background/run-tasks.ts';
import type { BackgroundCore } from './db/open-pools.ts';
import type { Queryable } from './db/pool.ts';

/** Ten minutes: keys that ran out take little room, and partitions are made months ahead. */
const everyMillis = 600_000;
/** Rows removed at a time: a short statement holds nobody up. */
const purgeRows = 10_000;
const monthsAhead = 4;

/**
 * Keeps the database tidy while the process runs: removes idempotency keys that ran out, and makes the partitions of
 * events for the months ahead. Every process runs it; a key is removed once, whoever is first.
 */
export function maintenance(core: BackgroundCore): BackgroundTask {
  return { name: 'maintenance', restMillis: everyMillis, run: () => tidyUp(core) };
}

/** Makes partitions, and removes some of the keys that ran out. */
async function tidyUp({ backgroundPool: pool }: BackgroundCore): Promise<'more' | 'rest'> {
  await pool.query('select create_event_partitions(clock_timestamp(), $1)', [monthsAhead]);
  const found = await pool.query<{ tenantId: number; keys: string[] }>(
    `select tenant_id as "tenantId", array_agg(key_hash::text) as keys from (
      select tenant_id, key_hash from idempotency where kept_until < clock_timestamp() limit $1) as expired
    group by tenant_id`,
    [purgeRows],
  );
  let removed = 0;
  for (const { tenantId, keys } of found.rows) removed += await removeKeys(pool, tenantId, keys);
  return removed < purgeRows ? 'rest' : 'more';
}

/** Removes those of these keys that are still expired and that no other transaction has locked. */
async function removeKeys(pool: Queryable, tenantId: number, keys: readonly string[]): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from idempotency where tenant_id = $1 and key_hash = any(array(
      select key_hash from idempotency
      where tenant_id = $1 and key_hash = any($2::uuid[]) and kept_until < clock_timestamp() for update skip locked))`,
    [tenantId, keys],
  );
  return rowCount ?? 0;
}
