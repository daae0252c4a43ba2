import type { Queryable } from '../db/pool.ts';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveStore } from './archive-store.ts';
import { checkTenants } from './check-tenants.ts';
import { eventMonth, listEventMonths } from './event-months.ts';
import { compareWithDatabase, readCompleteManifest, verifyArchive } from './verify-month.ts';

/** The folders of all exports, the oldest month first, `open/…` last. */
export async function listExports(store: ArchiveStore): Promise<string[]> {
  const folders = (await store.list()).flatMap(
    (path) => /^((?:open\/)?\d{4}-\d{2})\/manifest\.json$/.exec(path)?.[1] ?? [],
  );
  return folders.sort();
}

/**
 * Reads exports back: checksums, rows and order, and where the database has the month, each event against it.
 * @param month one alone; null: all that there are
 * @throws ArchiveError naming the first file that is not what was exported
 */
export async function verifyEvents(
  db: Queryable,
  store: ArchiveStore,
  month: string | null,
  say: (line: string) => void,
): Promise<void> {
  const folders = month === null ? await listExports(store) : [eventMonth(month).month];
  if (folders.length === 0) throw new ArchiveError(`nothing was exported to ${store.name}: is the place right?`);
  const present = new Map((await listEventMonths(db)).map((found) => [found.month, found]));
  for (const folder of folders) {
    const manifest = await readCompleteManifest(store, folder);
    await checkTenants(db, store, manifest);
    await verifyArchive(store, manifest);
    const inDatabase = present.get(manifest.month);
    if (inDatabase !== undefined) await compareWithDatabase(db, store, inDatabase, manifest);
    say(
      `${folder}: ${manifest.rows} events are as they were exported${inDatabase === undefined ? '; the database has them no more' : ', and as the database has them'}`,
    );
  }
}
