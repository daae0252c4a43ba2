import type { Queryable } from '../db/pool.ts';

/** The part of a span of time whose month has no events of a tenant in the database, and most likely had some. */
export interface RemovedMonth {
  /** Such as `2026-01`. */
  month: string;
  from: Date;
  until: Date;
}

/**
 * Finds the months within `[from, until)` that have no partition and none of the tenant's events elsewhere, the latest
 * first. Mostly each month since the tenant was made has had a partition, and one that is missing has been removed; a
 * table that is no part of `events` any more is missing too. That a month was removed is written down nowhere: one in
 * which no process ran, so that it never had a partition, or in which the tenant had no events, looks the same. So what
 * callers are told must be true of those too. In a transaction that has read events before, no month leaves between
 * that and its end.
 * @param from a moment as PostgreSQL reads it, as `until`
 */
export async function findRemovedMonths(
  db: Queryable,
  tenantId: number,
  from: string,
  until: string,
): Promise<RemovedMonth[]> {
  const { rows } = await db.query<RemovedMonth>({
    name: 'find-removed-months',
    text: `select to_char(month, 'YYYY-MM') as month, greatest(month at time zone 'UTC', span_from) as "from",
        least((month + interval '1 month') at time zone 'UTC', $3::text::timestamptz) as until
      from tenants t cross join lateral (select greatest($2::text::timestamptz, t.created_at) as span_from) as span
      cross join generate_series(date_trunc('month', span_from at time zone 'UTC'),
        ($3::text::timestamptz at time zone 'UTC') - interval '1 microsecond', interval '1 month') as month
      where t.tenant_id = $1 and span_from < $3::text::timestamptz
        and not exists (
          select from pg_class where relispartition and oid = to_regclass('events_' || to_char(month, 'YYYY_MM')))
        and not exists (
          select from events_default where tenant_id = $1 and at >= month at time zone 'UTC'
            and at < (month + interval '1 month') at time zone 'UTC')
      order by 1 desc`,
    values: [tenantId, from, until],
  });
  return rows;
}
