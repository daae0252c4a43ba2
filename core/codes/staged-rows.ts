import type { Random } from '../random.ts';

/**
 * Rows of the table `staged` (key uuid, line bigint, code text) as PostgreSQL's binary COPY wants them ("COPY", section
 * "Binary Format", of its manual): half the bytes of the text format and nothing to parse.
 */
export interface StagedRows {
  /** How many rows were added. */
  readonly count: number;
  /** Adds a row under a random key; `code` is ASCII, at most 255 characters. */
  add(line: number, code: string): void;
  /** The pieces that have become full since the last call. */
  takeFull(): Buffer[];
  /** The last pieces, with what ends a COPY. */
  finish(): Buffer[];
}

const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** Three fields; the lengths of a key, of a line and of a code, whose values and last byte are filled in. */
const template = Buffer.from([
  0,
  3,
  0,
  0,
  0,
  16,
  ...new Array(16).fill(0),
  0,
  0,
  0,
  8,
  ...new Array(8).fill(0),
  0,
  0,
  0,
  0,
]);
const keyAt = 6;
const keyBytes = 16;
const lineAt = 26;
const codeLengthAt = 37;
const rowMaxBytes = template.length + 255;
/** A few thousand rows: large enough for the socket, small enough to be nothing in memory. */
const pieceBytes = 131_072;
/** As many as Random gives at once, in whole keys. */
const randomBytes = 65_536;

/** Opens an empty list of rows. */
export function openStagedRows(random: Random): StagedRows {
  let full: Buffer[] = [];
  let piece = Buffer.allocUnsafe(pieceBytes);
  let view = viewOf(piece);
  let at = signature.copy(piece);
  let keys = random.bytes(randomBytes);
  let nextKey = 0;
  let count = 0;

  const turn = () => {
    full.push(piece.subarray(0, at));
    piece = Buffer.allocUnsafe(pieceBytes);
    view = viewOf(piece);
    at = 0;
  };

  return {
    get count() {
      return count;
    },
    add(line, code) {
      if (at + rowMaxBytes > pieceBytes) turn();
      if (nextKey === keys.length) {
        keys = random.bytes(randomBytes);
        nextKey = 0;
      }
      template.copy(piece, at);
      keys.copy(piece, at + keyAt, nextKey, nextKey + keyBytes);
      nextKey += keyBytes;
      view.setUint32(at + lineAt, Math.floor(line / 2 ** 32));
      view.setUint32(at + lineAt + 4, line % 2 ** 32);
      piece[at + codeLengthAt] = code.length;
      at += template.length;
      at += piece.write(code, at, 'latin1');
      count += 1;
    },
    takeFull() {
      const taken = full;
      full = [];
      return taken;
    },
    finish() {
      turn();
      return [...full, Buffer.from([0xff, 0xff])];
    },
  };
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
