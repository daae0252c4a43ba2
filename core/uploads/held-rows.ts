import { limits } from '../limits.ts';
import { pieceMaxBytes } from './read-body.ts';

/** Rows that an upload may hold in memory: a million and a little more. */
export const heldRowsMax = 1_048_576;
/** Bytes of their codes: 32 MB. */
export const heldTextMaxBytes = 33_554_432;
/**
 * What one piece of a body can add beyond that: its own characters, and those that a reader has kept until it knows how
 * a line or record goes on. A code has at least limits.codeLengthMinChars and a separator.
 */
const pieceMaxChars = pieceMaxBytes + limits.uploadRecordMaxChars;
const pieceMaxRows = pieceMaxChars / limits.codeLengthMinChars;

/**
 * Rows of an upload in memory. The codes stand one after another in one buffer, so that a million of them take 20 MB
 * and three objects. The arrays have their full size, but the system gives memory only to what is written.
 */
export class HeldRows {
  /** The codes in ASCII; code `row` is at `starts[row]` up to `starts[row + 1]`. */
  readonly text = Buffer.from(new ArrayBuffer(heldTextMaxBytes + pieceMaxChars));
  readonly starts: Uint32Array;
  readonly lines: Uint32Array;
  count = 0;
  readonly #rowsMax: number;

  /** @param rowsMax from how many rows on it is full, 1 to heldRowsMax */
  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
    this.starts = new Uint32Array(rowsMax + pieceMaxRows + 1);
    this.lines = new Uint32Array(rowsMax + pieceMaxRows);
  }

  /** Whether it has no room for another piece of a body, which has pieceMaxBytes at most. */
  get isFull(): boolean {
    return this.count >= this.#rowsMax || this.starts[this.count]! >= heldTextMaxBytes;
  }

  /**
   * @param code ASCII
   * @throws RangeError where there is no room: a code is never cut
   */
  add(line: number, code: string): void {
    const start = this.starts[this.count]!;
    if (this.count >= this.lines.length || this.text.write(code, start, 'latin1') !== code.length) {
      throw new RangeError(`${this.count} rows of ${start} characters are held, and there is no room for more`);
    }
    this.lines[this.count] = line;
    this.count += 1;
    this.starts[this.count] = start + code.length;
  }

  code(row: number): string {
    return this.text.toString('latin1', this.starts[row], this.starts[row + 1]);
  }

  /** Whether two rows have the same code. Compares from the end, because neighbours in the order begin alike. */
  isSameCode(a: number, b: number): boolean {
    const { text, starts } = this;
    const startOfB = starts[b]!;
    let atA = starts[a + 1]! - 1;
    let atB = starts[b + 1]! - 1;
    if (atA - starts[a]! !== atB - startOfB) return false;
    while (atB >= startOfB && text[atA] === text[atB]) {
      atA -= 1;
      atB -= 1;
    }
    return atB < startOfB;
  }
}
