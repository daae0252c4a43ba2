import type pg from 'pg';
import { costOf, depthOf, type Failures } from './failure-rules.ts';
import type { FailureSide } from './failure-side.ts';
import { failureBudgets, throttleLimits } from './throttle-limits.ts';

/**
 * addFailures in SQL, for any number of keys. The insert stores what the task knew; the update joins it to the stored
 * row, which carries the last cost and the depth because ON CONFLICT sees only columns. Keys are inserted in order, so
 * that two tasks never deadlock.
 */
const recordStatement = {
  name: 'record-failed-lookups',
  text: `
    insert into failed_lookups as f (tenant_id, key_hash, empty_at_ms, last_at_ms, cost_ms, depth_ms)
    select m.tenant_id, m.key_hash,
           least(greatest(m.known_empty_at_ms, m.now_ms) + m.cost_ms, m.now_ms + m.depth_ms),
           greatest(m.known_last_at_ms, m.now_ms), m.cost_ms, m.depth_ms
    from (
      select $1::bigint as now_ms, u.*
      from unnest($2::int[], $3::uuid[], $4::bigint[], $5::bigint[], $6::int[], $7::int[])
        as u (tenant_id, key_hash, known_empty_at_ms, known_last_at_ms, cost_ms, depth_ms)) as m
    order by m.tenant_id, m.key_hash
    on conflict (tenant_id, key_hash) do update set
      empty_at_ms = greatest(
        excluded.empty_at_ms,
        least(greatest(f.empty_at_ms, $1::bigint) + excluded.cost_ms, $1::bigint + excluded.depth_ms)),
      last_at_ms = greatest(f.last_at_ms, excluded.last_at_ms),
      cost_ms = excluded.cost_ms,
      depth_ms = excluded.depth_ms
    returning tenant_id, key_hash, empty_at_ms, last_at_ms`,
};

/** Skips rows that another task is writing: this never waits for a lock. */
const cleanUpStatement = {
  name: 'clean-up-failed-lookups',
  text: `
    with empty as materialized (
      select tenant_id, key_hash from failed_lookups where empty_at_ms < $1::bigint limit $2 for update skip locked)
    delete from failed_lookups f using empty where f.tenant_id = empty.tenant_id and f.key_hash = empty.key_hash`,
};

interface FailureRow {
  tenant_id: number;
  key_hash: string;
  empty_at_ms: number;
  last_at_ms: number;
}

/**
 * Failures in PostgreSQL, in an unlogged table: it writes no WAL, and a crash empties it, after which the tasks restore
 * what they know. It takes one statement for any number of marks. At most once a minute it also removes empty rows, in
 * the background.
 */
export function postgresFailures(pool: pg.Pool): FailureSide {
  let cleanedAt = 0;
  return {
    name: 'postgres',
    async record(marks, now) {
      const budgets = marks.map((mark) => failureBudgets[mark.kind]);
      const { rows } = await pool.query<FailureRow>({
        ...recordStatement,
        values: [
          now,
          marks.map((mark) => mark.tenantId),
          marks.map((mark) => mark.keyHash),
          marks.map((mark) => mark.known?.emptyAt ?? 0),
          marks.map((mark) => mark.known?.lastAt ?? 0),
          marks.map((mark, index) => costOf(mark.count, budgets[index]!)),
          budgets.map(depthOf),
        ],
      });
      if (Math.abs(now - cleanedAt) >= throttleLimits.cleanUpEveryMillis) {
        cleanedAt = now;
        pool.query({ ...cleanUpStatement, values: [now, throttleLimits.cleanUpMaxRows] }).catch(() => {
          // The next minute's turn removes what this one could not.
        });
      }
      const found = new Map<string, Failures>();
      for (const row of rows) {
        found.set(`${row.tenant_id} ${row.key_hash}`, { emptyAt: row.empty_at_ms, lastAt: row.last_at_ms });
      }
      return marks.map((mark) => found.get(`${mark.tenantId} ${mark.keyHash}`)!);
    },
  };
}
