import { limits } from '../../limits.ts';

/**
 * One record of a CSV. It has several lines if a quoted cell has. Lines are added one by one, each is read once, and
 * what is kept of quoted cells is bounded.
 *
 * A quoted cell ends at a quote that is followed by a delimiter or the end of the line, ignoring spaces. Any other
 * single quote makes the record broken but does not end the cell: text inside a cell must never become rows.
 */
export class CsvRecord {
  readonly cells: string[] = [];
  /** Whether its quoted cell goes on in the next line. */
  isOpen = false;
  isBroken = false;
  isTooLong = false;
  readonly #delimiters: string;
  #quoted = '';
  #chars = 0;

  /** @param delimiters each character of it ends a cell */
  constructor(delimiters: string) {
    this.#delimiters = delimiters;
  }

  /** Adds a line without its line break: the record's first one, or the next one of an open record. */
  add(line: string): void {
    let at = this.isOpen ? this.#readQuoted(line, 0) : this.#readCell(line, 0);
    while (at < line.length) at = this.#readCell(line, at + 1);
  }

  /** Adds a line that is too long to be kept. `isOpen` says whether a quoted cell is open at its end. */
  addTooLong(isOpen: boolean): void {
    this.isTooLong = true;
    this.isOpen = isOpen;
  }

  /** Reads a cell and returns where it ended: at a delimiter, or at the line's end. */
  #readCell(line: string, start: number): number {
    const first = this.#skipSpaces(line, start);
    if (line[first] === '"') {
      this.#quoted = '';
      return this.#readQuoted(line, first + 1);
    }
    const end = this.#endOfPlainCell(line, start);
    this.cells.push(line.slice(start, end));
    return end;
  }

  #endOfPlainCell(line: string, start: number): number {
    if (this.#delimiters.length === 1) {
      const end = line.indexOf(this.#delimiters, start);
      return end < 0 ? line.length : end;
    }
    let end = start;
    while (end < line.length && !this.#delimiters.includes(line[end]!)) end += 1;
    return end;
  }

  #readQuoted(line: string, start: number): number {
    this.isOpen = true;
    for (let quote = line.indexOf('"', start); quote >= 0; quote = line.indexOf('"', quote + 1)) {
      if (line[quote + 1] === '"') {
        quote += 1;
        continue;
      }
      const after = this.#skipSpaces(line, quote + 1);
      if (after < line.length && !this.#delimiters.includes(line[after]!)) {
        this.isBroken = true;
        continue;
      }
      this.#keep(line.slice(start, quote));
      this.cells.push(this.#quoted.replaceAll('""', '"'));
      this.isOpen = false;
      return after;
    }
    this.#keep(`${line.slice(start)}\n`);
    return line.length;
  }

  #keep(text: string): void {
    this.#chars += text.length;
    if (this.#chars > limits.uploadRecordMaxChars) this.isTooLong = true;
    else this.#quoted += text;
  }

  #skipSpaces(line: string, start: number): number {
    let at = start;
    while (line[at] === ' ') at += 1;
    return at;
  }
}
