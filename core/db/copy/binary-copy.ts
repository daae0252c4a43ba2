const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const end = Buffer.from([0xff, 0xff]);
/** The size of a piece: some thousands of rows, enough for the socket and little memory. */
const pieceBytes = 131_072;

/**
 * Writes rows in the binary format of PostgreSQL's COPY ("COPY", section "Binary Format", of its manual): about as many
 * bytes as the text format, and nothing to parse or to escape. A row is `row(fields, …)`, then its fields in order.
 */
export class BinaryCopy {
  #full: Buffer[] = [];
  #piece = Buffer.allocUnsafe(pieceBytes);
  #view = viewOf(this.#piece);
  #at = signature.copy(this.#piece);

  /** Begins a row of so many fields, which together have at most `maxBytes` bytes. */
  row(fields: number, maxBytes: number): void {
    if (this.#at + 2 + 4 * fields + maxBytes > this.#piece.length) this.#turn(2 + 4 * fields + maxBytes);
    this.#view.setInt16(this.#at, fields);
    this.#at += 2;
  }

  int4(value: number): void {
    this.#view.setInt32(this.#at, 4);
    this.#view.setInt32(this.#at + 4, value);
    this.#at += 8;
  }

  /** A whole number of at most 2^53. */
  int8(value: number): void {
    this.#view.setInt32(this.#at, 8);
    this.#view.setUint32(this.#at + 4, Math.floor(value / 2 ** 32));
    this.#view.setUint32(this.#at + 8, value % 2 ** 32);
    this.#at += 12;
  }

  /** A text in ASCII, or the bytes of any other value. */
  bytes(source: Buffer, start: number, stop: number): void {
    this.#view.setInt32(this.#at, stop - start);
    this.#at += 4;
    this.#at += source.copy(this.#piece, this.#at, start, stop);
  }

  /** Writes a text made of parts of `source`, from `starts[part]` to `starts[part + 1]`, with one character between. */
  joined(source: Buffer, starts: Uint32Array, parts: Uint32Array, separator: string): void {
    const lengthAt = this.#at;
    this.#at += 4;
    for (const part of parts) {
      this.#at += source.copy(this.#piece, this.#at, starts[part]!, starts[part + 1]!);
      this.#piece[this.#at] = separator.charCodeAt(0);
      this.#at += 1;
    }
    this.#at -= 1;
    this.#view.setInt32(lengthAt, this.#at - lengthAt - 4);
  }

  /** A text in ASCII. */
  text(value: string): void {
    this.#view.setInt32(this.#at, value.length);
    this.#at += 4;
    this.#at += this.#piece.write(value, this.#at, 'latin1');
  }

  /** The pieces that have become full since the last call. */
  takeFull(): Buffer[] {
    const taken = this.#full;
    this.#full = [];
    return taken;
  }

  /** The last pieces, with what ends a COPY. */
  finish(): Buffer[] {
    this.#turn(0);
    return [...this.takeFull(), end];
  }

  #turn(leastBytes: number): void {
    this.#full.push(this.#piece.subarray(0, this.#at));
    this.#piece = Buffer.allocUnsafe(Math.max(pieceBytes, leastBytes));
    this.#view = viewOf(this.#piece);
    this.#at = 0;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
