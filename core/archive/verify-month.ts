import type { Queryable } from '../db/pool.ts';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveStore } from './archive-store.ts';
import { readArchivedLines } from './archived-lines.ts';
import { beforeAll, compareKeys, readEventPages } from './event-lines.ts';
import type { EventMonth } from './event-months.ts';
import { type Manifest, readManifest } from './manifest.ts';

/**
 * Reads a complete export's manifest.
 * @throws ArchiveError where there is none, or it was broken off
 */
export async function readCompleteManifest(store: ArchiveStore, folder: string): Promise<Manifest> {
  const manifest = await readManifest(store, folder);
  if (manifest === null)
    throw new ArchiveError(
      `${store.name}/${folder} has no manifest: that month was not exported there; is the place right?`,
    );
  if (!manifest.complete)
    throw new ArchiveError(
      `the export of ${manifest.month} in ${store.name} was broken off: run export-events again, which goes on with it`,
    );
  return manifest;
}

/**
 * Reads a whole export back, and finds each checksum, row and order to be as its manifest says.
 * @throws ArchiveError naming the first file that is not, and what to do
 */
export async function verifyArchive(store: ArchiveStore, manifest: Manifest): Promise<void> {
  let rows = 0;
  let last = beforeAll;
  for (const file of manifest.files) {
    if (compareKeys(last, file.first) >= 0)
      throw new ArchiveError(
        `the manifest of ${manifest.month} in ${store.name} has its files in another order: export again`,
      );
    for await (const _ of readArchivedLines(store, file)) rows += 1;
    last = file.last;
  }
  if (rows !== manifest.rows)
    throw new ArchiveError(
      `the files of ${manifest.month} in ${store.name} have ${rows} events, and the manifest says ${manifest.rows}: export again`,
    );
}

/**
 * Reads a whole export back and holds each line against the database's own event: nothing is missing, and nothing is
 * different.
 * @throws ArchiveError naming the first difference
 */
export async function compareWithDatabase(
  db: Queryable,
  store: ArchiveStore,
  month: EventMonth,
  manifest: Manifest,
): Promise<void> {
  const pages = readEventPages(db, month.table, beforeAll, manifest.until);
  let page: readonly { line: string }[] = [];
  let at = 0;
  const nextLine = async (): Promise<string | null> => {
    if (at === page.length) {
      page = (await pages.next()).value ?? [];
      at = 0;
    }
    return page[at++]?.line ?? null;
  };
  for (const file of manifest.files) {
    for await (const { line } of readArchivedLines(store, file)) {
      if ((await nextLine()) !== line) throw differs(store, month);
    }
  }
  if ((await nextLine()) !== null) throw differs(store, month);
}

function differs(store: ArchiveStore, { month }: EventMonth): ArchiveError {
  return new ArchiveError(
    `${store.name}/${month} is not what the database has of ${month}: keep the folder aside and export the month again`,
  );
}
