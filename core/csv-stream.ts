import { Readable } from 'node:stream';

/** What a spreadsheet needs at the beginning of a file to read it as UTF-8. */
const byteOrderMark = '\u{feff}';

/**
 * A CSV file as a stream of bytes in UTF-8. The next piece is asked for only as fast as the stream is read.
 * @param hasMark whether it begins with a byte order mark, which some spreadsheets want and other readers take for text
 */
export function csvStream(pieces: AsyncIterable<string>, hasMark: boolean): Readable {
  return Readable.from(marked(pieces, hasMark), { objectMode: false });
}

async function* marked(pieces: AsyncIterable<string>, hasMark: boolean): AsyncGenerator<string, void, undefined> {
  if (hasMark) yield byteOrderMark;
  yield* pieces;
}
