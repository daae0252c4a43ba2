import { limits } from '../../limits.ts';
import { CsvRecord } from './csv-record.ts';
import { isGlued, noLineBreaks } from './glued-lines.ts';
import { openLines } from './lines.ts';
import { type CsvLayout, readLayout, usualDelimiters } from './read-csv-layout.ts';
import type { HeaderRule, LineProblem, RowSink, TextReader } from './row-sink.ts';

/** The first line that some spreadsheets write to name the delimiter. */
const separatorLine = /^"?sep=(.)"?$/i;

/** A record whose quoted cell has not ended yet. */
interface OpenRecord {
  readonly number: number;
  /** Its lines so far, as long as the layout must be read from them; at least the first one. */
  text: string;
  readonly record: CsvRecord;
}

/** Takes the records of a CSV that are laid out as its first one says. */
export interface RecordSink {
  /** A record with a text in its key column; a heading is none. It has at least the layout's columns. */
  record(line: number, cells: readonly string[], layout: CsvLayout): void;
  broken(line: number, text: string, problem: LineProblem, hint?: string): void;
}

/** Reads the layout from a file's first record. Throws CouponError `invalid-input` where the record does not say it. */
export type ReadLayout = (text: string, delimiters: string, isOnlyLine: boolean) => CsvLayout;

/**
 * Reads the codes of a CSV with a header that names their column, or one code a line without a header.
 *
 * A first line that is certainly a heading is skipped. One that could be a heading or a code is refused, unless
 * `header` says which it is.
 *
 * @throws CouponError `invalid-input` from `push` and `end`, where the first line does not say which column has the
 *   codes
 */
export function openCsvRows(sink: RowSink, header: HeaderRule | null): TextReader {
  const codes: RecordSink = {
    record: (line, cells, { keyColumn }) => sink.row(line, cells[keyColumn]!),
    broken: (line, text, problem, hint) => sink.broken(line, text, problem, hint),
  };
  return openCsvRecords(codes, (text, delimiters, isOnlyLine) => readLayout(text, delimiters, header, isOnlyLine));
}

/**
 * Reads CSV (RFC 4180). Records that can't be read are reported one by one. Text in a quoted cell never becomes rows,
 * however long it is.
 * @throws what `readLayoutOf` throws, from `push` and `end`
 */
export function openCsvRecords(sink: RecordSink, readLayoutOf: ReadLayout): TextReader {
  return new CsvRecords(sink, readLayoutOf);
}

/** A line that is too long and has not ended yet. */
interface LongLine {
  readonly number: number;
  readonly beginning: string;
  /** Quotes that it has had, with that of a cell which it continues. */
  quotes: number;
}

class CsvRecords implements TextReader {
  readonly #sink: RecordSink;
  readonly #readLayout: ReadLayout;
  readonly #lines = openLines({
    line: (number, text) => this.#readLine(number, text),
    tooLong: (number, beginning) => this.#beginLong(number, beginning),
    skipped: (text) => {
      this.#long!.quotes += countQuotes(text);
    },
  });
  #delimiters = usualDelimiters;
  /** Null until the first record has been read. */
  #layout: CsvLayout | null = null;
  #open: OpenRecord | null = null;
  #long: LongLine | null = null;
  #lastLine = 0;

  constructor(sink: RecordSink, readLayout: ReadLayout) {
    this.#sink = sink;
    this.#readLayout = readLayout;
  }

  push(text: string): void {
    this.#lines.push(text);
  }

  end(): void {
    this.#lines.end();
    this.#finishLong(this.#lines.hasBreaks ? undefined : noLineBreaks);
    if (this.#open === null) return;
    const { number, text } = this.#open;
    this.#sink.broken(number, text, 'broken-line', neverEnds(number, this.#lastLine));
  }

  #readLine(number: number, text: string): void {
    this.#lastLine = number;
    this.#finishLong();
    const layout = this.#layout;
    if (this.#open !== null) {
      this.#continueRecord(this.#open, text);
    } else if (layout !== null && !text.includes('"')) {
      this.#takeRow(number, text, text.split(layout.delimiter), layout);
    } else if (!this.#lines.hasBreaks && isGlued(text)) {
      this.#sink.broken(number, text, 'broken-line', noLineBreaks);
    } else {
      const separator = number === 1 ? separatorLine.exec(text.trim()) : null;
      if (separator !== null) this.#delimiters = separator[1]!;
      else this.#beginRecord(number, text);
    }
  }

  #newRecord(number: number, text: string): OpenRecord {
    return { number, text, record: new CsvRecord(this.#layout?.delimiter ?? this.#delimiters) };
  }

  #beginRecord(number: number, text: string): void {
    const current = this.#newRecord(number, text);
    current.record.add(text);
    if (current.record.isOpen) this.#open = current;
    else this.#finishRecord(current);
  }

  #continueRecord(current: OpenRecord, text: string): void {
    current.record.add(text);
    if (this.#layout === null && !current.record.isTooLong) current.text += `\n${text}`;
    if (current.record.isOpen) return;
    this.#open = null;
    this.#finishRecord(current);
  }

  #finishRecord({ number, text, record }: OpenRecord): void {
    if (record.isTooLong) this.#sink.broken(number, text, 'line-too-long');
    else if (record.isBroken) this.#sink.broken(number, text, 'broken-line');
    else if (this.#layout !== null) this.#takeRow(number, text, record.cells, this.#layout);
    else if (!record.cells.every(isBlank)) {
      const layout = this.#readLayout(text, this.#delimiters, !this.#lines.hasBreaks);
      this.#layout = layout;
      if (!layout.isHeading) this.#takeRow(number, text, layout.cells, layout);
    }
  }

  #takeRow(number: number, text: string, cells: readonly string[], layout: CsvLayout): void {
    const { columns, keyColumn } = layout;
    if (cells.length === columns && cells[keyColumn]!.trim() !== '') this.#sink.record(number, cells, layout);
    else if (cells.every(isBlank)) return;
    else if (cells.length >= columns && cells.slice(columns).every(isBlank)) this.#sink.record(number, cells, layout);
    else this.#sink.broken(number, text, 'wrong-column-count');
  }

  #beginLong(number: number, beginning: string): void {
    this.#finishLong();
    this.#lastLine = number;
    this.#long = { number, beginning, quotes: countQuotes(beginning) + (this.#open === null ? 0 : 1) };
  }

  /**
   * Rejects the record of a line that is too long. The number of its quotes tells whether a cell is open at its end.
   */
  #finishLong(hint?: string): void {
    if (this.#long === null) return;
    const { number, beginning, quotes } = this.#long;
    this.#long = null;
    const isOpen = quotes % 2 === 1;
    const current = this.#open ?? this.#newRecord(number, beginning.slice(0, limits.codeLengthMaxChars));
    current.record.addTooLong(isOpen);
    this.#open = isOpen ? current : null;
    if (!isOpen) this.#sink.broken(current.number, current.text, 'line-too-long', hint);
  }
}

function isBlank(cell: string): boolean {
  return cell.trim() === '';
}

function neverEnds(first: number, last: number): string {
  const lines = first === last ? `line ${first} was` : `lines ${first} to ${last} were`;
  return `A quoted cell begins here and never ends, so ${lines} left out. Close the quote, or double it where it belongs to the text.`;
}

function countQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count += 1;
  return count;
}
