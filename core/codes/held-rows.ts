/** A million rows and a little more, or codes of 32 MB: what an upload may hold in memory. */
export const heldRowsMax = 1_048_576;
const bytesMax = 33_554_432;
/** What one piece of a body can bring beyond that: four characters and a separator a code at least. */
const pieceMaxBytes = 65_536;
const pieceMaxRows = pieceMaxBytes / 4;

/**
 * Rows of an upload in memory, packed: codes one after another in one buffer, so that a million of them are 20 MB and
 * three objects. The arrays are made in full, but the system gives memory only to what is written.
 */
export class HeldRows {
  /** The codes in ASCII; code `row` is at `starts[row]` up to `starts[row + 1]`. */
  readonly text = Buffer.from(new ArrayBuffer(bytesMax + pieceMaxBytes));
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

  /** Whether no further piece of at most 65,536 bytes of a body may be added. */
  get isFull(): boolean {
    return this.count >= this.#rowsMax || this.starts[this.count]! >= bytesMax;
  }

  add(line: number, code: string): void {
    const start = this.starts[this.count]!;
    this.lines[this.count] = line;
    this.count += 1;
    this.starts[this.count] = start + this.text.write(code, start, 'latin1');
  }

  code(row: number): string {
    return this.text.toString('latin1', this.starts[row], this.starts[row + 1]);
  }

  /** Whether two rows have the same code. From the end: rows that are neighbours in an order begin alike. */
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
