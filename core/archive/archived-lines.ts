import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveStore } from './archive-store.ts';
import { type ArchivedEvent, compareKeys, eventKeyOf, parseEventLine } from './event-lines.ts';
import { type ArchivedFile, sha256 } from './manifest.ts';

/** A line of the archive, and the event that it is. */
export interface ArchivedLine {
  line: string;
  event: ArchivedEvent;
}

/**
 * Reads a file of the archive line by line. The checksum is checked before the first line, the number of rows and their
 * order while they are read.
 * @throws ArchiveError naming the file and what is wrong with it
 */
export async function* readArchivedLines(store: ArchiveStore, file: ArchivedFile): AsyncGenerator<ArchivedLine> {
  const where = `${store.name}/${file.path}`;
  const bytes = await store.get(file.path);
  if (bytes === null) throw new ArchiveError(`${where} is missing: put it back from a copy`);
  if (bytes.length !== file.bytes || sha256(bytes) !== file.sha256)
    throw new ArchiveError(
      `${where} is not what was exported: its checksum does not fit the manifest. Put it back from a copy, or remove the folder and export again while the database has the month`,
    );
  const lines = createInterface({ input: Readable.from([bytes]).pipe(createGunzip()), crlfDelay: Infinity });
  let rows = 0;
  let last: ArchivedEvent | null = null;
  for await (const line of lines) {
    const event = parseEventLine(line, where);
    if (
      rows === 0
        ? compareKeys(eventKeyOf(event), file.first) !== 0
        : compareKeys(eventKeyOf(last!), eventKeyOf(event)) >= 0
    )
      throw new ArchiveError(`${where} has its events in another order than its manifest says: export again`);
    rows += 1;
    last = event;
    yield { line, event };
  }
  if (rows !== file.rows || last === null || compareKeys(eventKeyOf(last), file.last) !== 0)
    throw new ArchiveError(`${where} has ${rows} events, and its manifest says ${file.rows}: export again`);
}
