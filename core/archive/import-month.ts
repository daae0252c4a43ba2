import type pg from 'pg';
import { eventKinds } from '../coupons/rules/coupon-state.ts';
import type { Queryable } from '../db/pool.ts';
import type { ArchiveStore } from './archive-store.ts';
import { readArchivedLines } from './archived-lines.ts';
import { attachMonth, detachMonth } from './change-partitions.ts';
import { checkTenants } from './check-tenants.ts';
import { type EventMonth, listEventMonths } from './event-months.ts';
import type { Manifest } from './manifest.ts';
import { compareWithDatabase, readCompleteManifest, verifyArchive } from './verify-month.ts';

/** Events written by one statement. */
const pieceRows = 10_000;

/**
 * Brings a month's events back. The whole export is read first, so a file that was changed is refused before anything
 * is written; then they are loaded into a table beside `events`, compared line for line, and become a part of it in an
 * instant. Broken off, it leaves `events` as it was, and begins anew the next time.
 * @returns how many events came back; 0 where the database has them already
 * @throws ArchiveError where the export is not whole, is of another database, or the database has other events of it
 */
export async function importMonth(pool: pg.Pool, store: ArchiveStore, month: EventMonth): Promise<number> {
  const manifest = await readCompleteManifest(store, month.month);
  await checkTenants(pool, store, manifest);
  await verifyArchive(store, manifest);
  const present = (await listEventMonths(pool)).some(({ table }) => table === month.table);
  if (present && !(await isEmpty(pool, month))) {
    await compareWithDatabase(pool, store, month, manifest);
    return 0;
  }
  if (present) await detachMonth(pool, month);
  await loadBeside(pool, store, month, manifest);
  await compareWithDatabase(pool, store, month, manifest);
  return manifest.rows;
}

async function isEmpty(db: Queryable, { table }: EventMonth): Promise<boolean> {
  const { rows } = await db.query<{ isEmpty: boolean }>(`select not exists (select from ${table}) as "isEmpty"`);
  return rows[0]!.isEmpty;
}

async function loadBeside(pool: pg.Pool, store: ArchiveStore, month: EventMonth, manifest: Manifest): Promise<void> {
  const { table, from, to } = month;
  // What an import, or a removal, that was broken off has left. The export was found whole a moment ago.
  await pool.query(`drop table if exists ${table}`);
  // The bounds as a constraint, so that becoming a part of `events` takes no look at the rows.
  await pool.query(
    `create table ${table} (like events including defaults including constraints,
      constraint ${table}_pkey primary key (tenant_id, deck_id, pos, rev, at),
      constraint of_month check (at >= '${from}' and at < '${to}'))`,
  );
  await load(pool, store, month, manifest);
  // As every month has it (events_at_idx): else it would be made while the month becomes a part of `events`.
  await pool.query(
    `create index ${table}_at_idx on ${table} using brin (at) with (pages_per_range = 32, autosummarize = on)`,
  );
  await attachMonth(pool, month);
}

async function load(pool: pg.Pool, store: ArchiveStore, { table }: EventMonth, manifest: Manifest): Promise<void> {
  let piece: string[] = [];
  const write = async () => {
    if (piece.length > 0) await insertLines(pool, table, piece);
    piece = [];
  };
  for (const file of manifest.files) {
    for await (const { line } of readArchivedLines(store, file)) {
      piece.push(line);
      if (piece.length === pieceRows) await write();
    }
  }
  await write();
}

async function insertLines(db: Queryable, table: string, lines: readonly string[]): Promise<void> {
  await db.query(
    `insert into ${table} (tenant_id, deck_id, pos, rev, at, kind, holder_id, redemptions, fence, lock_expires_at,
        expires_at, redemption_id, actor)
      select tenant, deck, pos, rev, at, array_position($2::text[], kind), holder, redemptions, fence, "lockExpiresAt",
        "expiresAt", redemption, actor
      from json_to_recordset($1::json) as line (tenant int, deck int, pos bigint, rev int, at timestamptz, kind text,
        holder bigint, redemptions int, fence int, "lockExpiresAt" timestamptz, "expiresAt" timestamptz,
        redemption uuid, actor text)`,
    [`[${lines.join(',')}]`, [...eventKinds]],
  );
}
