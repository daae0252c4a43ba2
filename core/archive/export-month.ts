import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Queryable } from '../db/pool.ts';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveStore } from './archive-store.ts';
import { beforeAll, type EventLine, readEventPages } from './event-lines.ts';
import type { EventMonth } from './event-months.ts';
import {
  type ArchivedFile,
  archiveFormat,
  type Manifest,
  manifestPath,
  readManifest,
  sha256,
  writeManifest,
} from './manifest.ts';
import { compareWithDatabase } from './verify-month.ts';

/** Rows of one file: some ten megabytes compressed, which are in memory at a time. */
const fileRows = 250_000;

/** What is to be exported, and where it goes. */
export interface MonthExport {
  month: EventMonth;
  /** `2026-01`, or `open/2026-11` for a month that is not over. */
  folder: string;
  /** Only events before this moment, after which none of them can come any more. ISO 8601. */
  until: string;
  /** Goes on where an export that was broken off stopped. False: begins anew, under other names. */
  resumes: boolean;
  /** Rows of a file; tests want few. */
  rowsOfFile?: number;
}

/**
 * Exports a month's events, reads the files back, and compares them with the database line for line. Only then the
 * export counts as complete, and is never written again. One that broke off goes on after its last file. Call it under
 * the lock of exportEvents: two at a time would write the same files.
 * @returns the manifest of the complete export
 * @throws ArchiveError where the folder has another month's events, or a file is not what was written; the export is
 *   not complete then
 */
export async function exportMonth(db: Queryable, store: ArchiveStore, wanted: MonthExport): Promise<Manifest> {
  const { month, folder, until, resumes, rowsOfFile = fileRows } = wanted;
  const before = await readManifest(store, folder);
  if (before !== null && before.month !== month.month)
    throw new ArchiveError(`${store.name}/${folder} has the events of ${before.month}: move them to their own folder`);
  if (resumes && before?.complete) return before;
  let manifest: Manifest =
    resumes && before !== null
      ? before
      : { format: archiveFormat, month: month.month, complete: false, until, rows: 0, tenants: {}, files: [] };
  const stamp = resumes ? '' : `${manifest.until.replaceAll(/\D/g, '')}-`;
  const after = manifest.files.at(-1)?.last ?? beforeAll;
  for await (const lines of inFiles(readEventPages(db, month.table, after, manifest.until), rowsOfFile)) {
    const path = `${folder}/${stamp}${String(manifest.files.length + 1).padStart(5, '0')}.ndjson.gz`;
    const file = await writeFile(store, path, lines);
    const tenants = { ...manifest.tenants, ...(await tenantsBetween(db, file)) };
    manifest = { ...manifest, rows: manifest.rows + file.rows, tenants, files: [...manifest.files, file] };
    if (resumes) await writeManifest(store, folder, manifest);
  }
  await compareWithDatabase(db, store, month, manifest);
  manifest = { ...manifest, complete: true };
  await writeManifest(store, folder, manifest);
  if (!resumes) await removeFormer(store, folder, manifest);
  return manifest;
}

/** Pages of a file at a time. A file is compressed while its pages are read. */
async function* inFiles(
  pages: AsyncGenerator<EventLine[]>,
  rowsOfFile: number,
): AsyncGenerator<AsyncGenerator<EventLine[]>> {
  let waiting: EventLine[] = [];
  let isOver = false;
  async function* file(): AsyncGenerator<EventLine[]> {
    for (let rows = 0; rows < rowsOfFile; ) {
      if (waiting.length === 0) {
        const next = await pages.next();
        if (next.done) {
          isOver = true;
          return;
        }
        waiting = next.value;
      }
      const part = waiting.slice(0, rowsOfFile - rows);
      waiting = waiting.slice(part.length);
      rows += part.length;
      yield part;
    }
  }
  while (!isOver) {
    const first = waiting.length > 0 ? null : await pages.next();
    if (first?.done) return;
    if (first) waiting = first.value;
    yield file();
  }
}

async function writeFile(store: ArchiveStore, path: string, pages: AsyncGenerator<EventLine[]>): Promise<ArchivedFile> {
  const gzip = createGzip();
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(gzip, 'end');
  let rows = 0;
  let first: EventLine | undefined;
  let last: EventLine | undefined;
  for await (const page of pages) {
    rows += page.length;
    first ??= page[0];
    last = page.at(-1);
    if (!gzip.write(`${page.map(({ line }) => line).join('\n')}\n`)) await once(gzip, 'drain');
  }
  gzip.end();
  await ended;
  const bytes = Buffer.concat(chunks);
  await store.put(path, bytes);
  return { path, rows, bytes: bytes.length, sha256: sha256(bytes), first: first!.key, last: last!.key };
}

/** The public ids of the tenants that a file may have events of. */
async function tenantsBetween(db: Queryable, { first, last }: ArchivedFile): Promise<Record<string, string>> {
  const { rows } = await db.query<{ tenantId: number; id: string }>(
    'select tenant_id as "tenantId", id from tenants where tenant_id between $1 and $2 order by tenant_id',
    [first[0], last[0]],
  );
  return Object.fromEntries(rows.map(({ tenantId, id }) => [String(tenantId), id]));
}

/** Files of earlier exports of an open month, which no manifest names any more. */
async function removeFormer(store: ArchiveStore, folder: string, { files }: Manifest): Promise<void> {
  const kept = new Set([manifestPath(folder), ...files.map(({ path }) => path)]);
  for (const path of await store.list()) {
    if (path.startsWith(`${folder}/`) && !kept.has(path)) await store.remove(path);
  }
}
