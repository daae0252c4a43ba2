import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import type { ArchiveStore } from '../../core/archive/archive-store.ts';
import { type EventMonth, listEventMonths } from '../../core/archive/event-months.ts';
import { exportMonth } from '../../core/archive/export-month.ts';
import { openFolderArchive } from '../../operations/events/folder-archive.ts';

/** A folder of a test's own with an archive in it. */
export function makeArchive(): { folder: string; store: ArchiveStore; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'qurable-events-'));
  return { folder, store: openFolderArchive(folder), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * Makes events of a month that is over, of one tenant and as many coupons as half of them, which are in no other table.
 * @param monthsAgo 1 and up
 * @returns the month
 */
export async function makePastEvents(pool: pg.Pool, monthsAgo: number, count: number): Promise<EventMonth> {
  const { rows } = await pool.query<{ first: Date }>(
    `select (date_trunc('month', clock_timestamp() at time zone 'UTC') - make_interval(months => $1)) at time zone 'UTC' as first`,
    [monthsAgo],
  );
  const first = rows[0]!.first.toISOString();
  await pool.query('select create_event_partitions($1::timestamptz, 1)', [first]);
  await pool.query(
    `insert into events (tenant_id, deck_id, pos, rev, at, kind, holder_id, redemptions, fence, actor, lock_expires_at,
        redemption_id, reason)
      select 1, 1, n / 2, n % 2 + 1, $1::timestamptz + n * interval '1 second', n % 2 * 4 + 1, n / 2 + 1, n % 2, 0, 'root',
        case when n % 10 = 0 then $1::timestamptz + interval '1 hour 0.000001 second' end,
        case when n % 2 = 1 then ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid end, 'a reason'
      from generate_series(0, $2::int - 1) as n`,
    [first, count],
  );
  return (await listEventMonths(pool)).find(({ from }) => from === first)!;
}

/** Exports every month that has events as if it were over, the present one too: for tests in which nobody writes. */
export async function exportAll(pool: pg.Pool, store: ArchiveStore, rowsOfFile = 7): Promise<EventMonth[]> {
  const months: EventMonth[] = [];
  for (const month of await listEventMonths(pool)) {
    const { rows } = await pool.query<{ count: number }>(`select count(*)::int as count from ${month.table}`);
    if (rows[0]!.count === 0) continue;
    await exportMonth(pool, store, { month, folder: month.month, until: month.to, resumes: true, rowsOfFile });
    months.push(month);
  }
  return months;
}
