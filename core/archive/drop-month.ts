import type pg from 'pg';
import { eventKindNumber } from '../coupons/rules/coupon-state.ts';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveStore } from './archive-store.ts';
import { detachMonth } from './change-partitions.ts';
import { beforeAll } from './event-lines.ts';
import type { EventMonth } from './event-months.ts';
import type { EventKey } from './manifest.ts';
import { compareWithDatabase, readCompleteManifest } from './verify-month.ts';

/** Redemptions written down by one statement. */
const pieceRows = 10_000;

/**
 * Removes a month's events from the database, once the export that was read back a moment ago is what the database has,
 * line for line. Who made each redemption stays, in `archived_redemptions`. If it breaks off, the month is as before,
 * or the next run removes the rest.
 * @throws ArchiveError where the export is not whole, or the database is too busy; nothing is removed then
 */
export async function dropMonth(pool: pg.Pool, store: ArchiveStore, month: EventMonth): Promise<void> {
  const manifest = await readCompleteManifest(store, month.month);
  if (manifest.until < month.to)
    throw new ArchiveError(`the export of ${month.month} in ${store.name} ends before the month does: export it again`);
  await refuseUncounted(pool, month);
  await refuseUntold(pool, month);
  await compareWithDatabase(pool, store, month, manifest);
  await keepRedeemers(pool, month);
  await detachMonth(pool, month);
  await pool.query(`drop table ${month.table}`);
}

/**
 * Removes the months that an earlier run has taken out of `events` and could not remove any more.
 * @returns the names of their tables
 * @throws ArchiveError where the export of one of them is not whole; it is not removed then
 */
export async function dropDetached(pool: pg.Pool, store: ArchiveStore): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
      and not relispartition and relname ~ '^events_[0-9]{4}_[0-9]{2}$'`,
  );
  for (const { name } of rows) {
    await readCompleteManifest(store, name.slice('events_'.length).replace('_', '-'));
    await pool.query(`drop table ${name}`);
  }
  return rows.map(({ name }) => name);
}

/** Reports count the rows of events: an event that is removed before that would be missing in them. */
async function refuseUncounted(pool: pg.Pool, { month, table }: EventMonth): Promise<void> {
  const { rows } = await pool.query<{ isLeft: boolean }>(
    `select exists (select from ${table} where at >= (select counted_until from counted_events)) as "isLeft"`,
  );
  if (rows[0]!.isLeft)
    throw new ArchiveError(`reports have not counted all events of ${month} yet: let the API run, and try again later`);
}

/** Webhooks are handed events by their rows too. If no webhook is enabled, all events count as handed on. */
async function refuseUntold(pool: pg.Pool, { month, table }: EventMonth): Promise<void> {
  const { rows } = await pool.query<{ isLeft: boolean }>(
    `select exists (select from webhooks where status = 'enabled')
      and exists (select from ${table} where at >= (select read_until from webhook_events)) as "isLeft"`,
  );
  if (rows[0]!.isLeft)
    throw new ArchiveError(`webhooks were not handed all events of ${month} yet: let the API run, and try again later`);
}

/** In pieces, so that no transaction is long; a repeat adds what is missing. */
async function keepRedeemers(pool: pg.Pool, { table }: EventMonth): Promise<void> {
  for (let last: EventKey | null = beforeAll; last !== null; ) {
    const { rows }: { rows: { key: EventKey | null }[] } = await pool.query(
      `with piece as (
          select tenant_id, deck_id, pos, rev, at, kind, holder_id, redemption_id from ${table}
          where (tenant_id, deck_id, pos, rev) > ($1, $2, $3, $4) order by tenant_id, deck_id, pos, rev limit ${pieceRows}),
        kept as (
          insert into archived_redemptions (tenant_id, deck_id, pos, redemption_id, rev, at, holder_id)
          select tenant_id, deck_id, pos, redemption_id, rev, at, holder_id from piece
          where kind = ${eventKindNumber('redeemed')} on conflict do nothing)
        select (select json_build_array(tenant_id, deck_id, pos, rev) from piece
          order by tenant_id desc, deck_id desc, pos desc, rev desc limit 1) as key`,
      last,
    );
    last = rows[0]!.key;
  }
}
