import type pg from 'pg';
import { withConnection } from '../db/with-connection.ts';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveStore } from './archive-store.ts';
import { checkTenants } from './check-tenants.ts';
import { dropDetached, dropMonth } from './drop-month.ts';
import { countStrayEvents, type EventMonth, listEventMonths, settledMoment } from './event-months.ts';
import { exportMonth } from './export-month.ts';
import { type Manifest, readManifest } from './manifest.ts';

/** What a run of the export is to do. */
export interface EventsExport {
  /** Whole months that stay in the database; older ones are removed once they are exported. Null: all stay. */
  keepMonths: number | null;
  /** Whether the month that is not over is exported too, up to this moment, in place of its last such export. */
  includesOpenMonth: boolean;
  /** Rows of a file; tests want few. */
  rowsOfFile?: number;
  /** Told what has been done, a line a month. */
  say(line: string): void;
}

/** Chosen once, apart from all other locks of the product. */
const exportLock = 7_238_106_414_227_011;
const number = new Intl.NumberFormat('en');

/**
 * Exports every month that is over and not exported yet, and removes from the database the months that are older than
 * wanted. A repeat does only what is missing, and goes on where an earlier run broke off. A second run at the same time
 * is refused.
 * @throws ArchiveError what stands in the way, and what to do
 */
export async function exportEvents(pool: pg.Pool, store: ArchiveStore, wanted: EventsExport): Promise<void> {
  await alone(pool, async () => {
    const { say } = wanted;
    const stray = await countStrayEvents(pool);
    if (stray > 0)
      say(
        `${number.format(stray)} events lie outside of every month (events_default): a clock was off, or their month had no partition when they were written. They are neither exported nor removed`,
      );
    for (const table of await dropDetached(pool, store)) say(`${table}: the removal that was broken off is finished`);
    const now = await settledMoment(pool);
    for (const month of await listEventMonths(pool)) {
      if (month.to <= now) await exportFinished(pool, store, month, wanted);
      else if (month.from <= now && wanted.includesOpenMonth) await exportOpen(pool, store, month, now, wanted);
    }
    if (wanted.keepMonths === null) return;
    const keptFrom = monthsBefore(now, wanted.keepMonths);
    for (const month of await listEventMonths(pool)) {
      if (month.to > keptFrom) continue;
      await dropMonth(pool, store, month);
      say(`${month.month}: compared once more, and removed from the database`);
    }
  });
}

async function exportFinished(pool: pg.Pool, store: ArchiveStore, month: EventMonth, wanted: EventsExport) {
  const before = await readManifest(store, month.month);
  if (before?.complete) return await checkTenants(pool, store, before);
  if (before !== null) wanted.say(`${month.month}: goes on after ${number.format(before.rows)} events`);
  const { rowsOfFile } = wanted;
  const manifest = await exportMonth(pool, store, {
    month,
    folder: month.month,
    until: month.to,
    resumes: true,
    ...(rowsOfFile === undefined ? {} : { rowsOfFile }),
  });
  wanted.say(describe(manifest));
}

async function exportOpen(pool: pg.Pool, store: ArchiveStore, month: EventMonth, until: string, wanted: EventsExport) {
  const { rowsOfFile } = wanted;
  const manifest = await exportMonth(pool, store, {
    month,
    folder: `open/${month.month}`,
    until,
    resumes: false,
    ...(rowsOfFile === undefined ? {} : { rowsOfFile }),
  });
  wanted.say(`${describe(manifest)}; the month is not over: up to ${until}`);
}

function describe({ month, rows, files }: Manifest): string {
  const megabytes = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  return `${month}: ${number.format(rows)} events in ${files.length} files, ${megabytes.toFixed(1)} MB; read back and compared`;
}

/** The first moment of the month so many months before that of `now`. */
function monthsBefore(now: string, months: number): string {
  const at = Number(now.slice(0, 4)) * 12 + Number(now.slice(5, 7)) - 1 - months;
  return `${String(Math.floor(at / 12)).padStart(4, '0')}-${String((at % 12) + 1).padStart(2, '0')}-01T00:00:00.000Z`;
}

/** With the lock of the session: it ends with the process, however that ends. */
async function alone(pool: pg.Pool, work: () => Promise<void>): Promise<void> {
  await withConnection(pool, async ({ connection }) => {
    const { rows } = await connection.query<{ locked: boolean }>('select pg_try_advisory_lock($1::bigint) as locked', [
      String(exportLock),
    ]);
    if (!rows[0]!.locked)
      throw new ArchiveError('another export of events is running on this database: wait for its end');
    try {
      await work();
    } finally {
      await connection.query('select pg_advisory_unlock($1::bigint)', [String(exportLock)]).catch(() => {});
    }
  });
}
