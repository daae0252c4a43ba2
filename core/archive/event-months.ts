import { setTimeout as pause } from 'node:timers/promises';
import type { Queryable } from '../db/pool.ts';
import { ArchiveError } from './archive-error.ts';

/** A month whose events are a table of their own. */
export interface EventMonth {
  /** Such as `2026-01`. */
  readonly month: string;
  /** Safe to put into SQL: made of digits. */
  readonly table: string;
  /** The first moment of the month and of the one after it, ISO 8601. */
  readonly from: string;
  readonly to: string;
}

/** How long to wait for transactions that began before, in milliseconds. */
const settleMaxMillis = 60_000;
const pollMillis = 100;

/**
 * The month of that name, such as `2026-01`.
 * @throws ArchiveError for any other text
 */
export function eventMonth(month: string): EventMonth {
  const [, year, number] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month) ?? [];
  if (year === undefined || number === undefined)
    throw new ArchiveError(`${month} is no month: say it as 2026-01, year and month`);
  const next =
    Number(number) === 12 ? `${Number(year) + 1}-01` : `${year}-${String(Number(number) + 1).padStart(2, '0')}`;
  return {
    month,
    table: `events_${year}_${number}`,
    from: `${month}-01T00:00:00.000Z`,
    to: `${next}-01T00:00:00.000Z`,
  };
}

/** The months whose events the database has in partitions, the oldest first. */
export async function listEventMonths(db: Queryable): Promise<EventMonth[]> {
  const { rows } = await db.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'events'::regclass and c.relname ~ '^events_[0-9]{4}_[0-9]{2}$' order by c.relname`,
  );
  return rows.map(({ name }) => eventMonth(name.slice('events_'.length).replace('_', '-')));
}

/**
 * Events outside of every month's partition, which no export reads and no removal takes: of a clock that was off, or of
 * a month whose partition was not there yet.
 */
export async function countStrayEvents(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ count: number }>('select count(*) from events_default');
  return rows[0]!.count;
}

/**
 * Returns a moment of the database's clock before which no event can come any more: each is committed, or never will
 * be. An operation has its transaction's number before it reads the clock for its event, so what is older than the
 * moment has ended once all transactions with numbers from before have. Milliseconds, as events have them.
 * @throws ArchiveError where such transactions are still running after a minute
 */
export async function settledMoment(db: Queryable, maxMillis = settleMaxMillis): Promise<string> {
  const { rows: clock } = await db.query<{ now: Date }>("select date_trunc('milliseconds', clock_timestamp()) as now");
  // A number of its own, after the clock was read: a snapshot's xmax is no bound, since the transaction of just that
  // number may be running.
  const { rows: xids } = await db.query<{ next: string }>('select pg_current_xact_id()::text as next');
  for (let waited = 0; ; waited += pollMillis) {
    const { rows } = await db.query<{ settled: boolean }>(
      'select pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8 as settled',
      [xids[0]!.next],
    );
    if (rows[0]!.settled) return clock[0]!.now.toISOString();
    if (waited >= maxMillis)
      throw new ArchiveError(
        'a transaction has been running for a minute, and may still write events: end it (pg_stat_activity shows it), or try again later',
      );
    await pause(pollMillis);
  }
}
