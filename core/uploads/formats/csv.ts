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
  let delimiters = usualDelimiters;
  let layout: CsvLayout | null = null;
  let open: OpenRecord | null = null;
  let lastLine = 0;
  /**
   * A line that is too long and has not ended yet, and how many quotes it has had, with that of a cell it continues.
   */
  let long: { readonly number: number; readonly beginning: string; quotes: number } | null = null;

  const row = (number: number, text: string, cells: readonly string[], laid: CsvLayout) => {
    const { columns, keyColumn } = laid;
    if (cells.length === columns && cells[keyColumn]!.trim() !== '') sink.record(number, cells, laid);
    else if (cells.every(isBlank)) return;
    else if (cells.length >= columns && cells.slice(columns).every(isBlank)) sink.record(number, cells, laid);
    else sink.broken(number, text, 'wrong-column-count');
  };

  const finish = ({ number, text, record }: OpenRecord) => {
    if (record.isTooLong) sink.broken(number, text, 'line-too-long');
    else if (record.isBroken) sink.broken(number, text, 'broken-line');
    else if (layout !== null) row(number, text, record.cells, layout);
    else if (!record.cells.every(isBlank)) {
      layout = readLayoutOf(text, delimiters, !lines.hasBreaks);
      if (!layout.isHeading) row(number, text, layout.cells, layout);
    }
  };

  const addToOpen = (text: string) => {
    const current = open!;
    current.record.add(text);
    if (layout === null && !current.record.isTooLong) current.text += `\n${text}`;
    if (current.record.isOpen) return;
    open = null;
    finish(current);
  };

  /**
   * Rejects the record of a line that is too long. The number of its quotes tells whether a cell is open at its end.
   */
  const finishLong = (hint?: string) => {
    if (long === null) return;
    const { number, beginning, quotes } = long;
    long = null;
    const isOpen = quotes % 2 === 1;
    const current = open ?? {
      number,
      text: beginning.slice(0, limits.codeLengthMaxChars),
      record: new CsvRecord(layout?.delimiter ?? delimiters),
    };
    current.record.addTooLong(isOpen);
    open = isOpen ? current : null;
    if (!isOpen) sink.broken(current.number, current.text, 'line-too-long', hint);
  };

  const read = (number: number, text: string) => {
    lastLine = number;
    finishLong();
    if (open !== null) {
      addToOpen(text);
    } else if (layout !== null && !text.includes('"')) {
      row(number, text, text.split(layout.delimiter), layout);
    } else if (!lines.hasBreaks && isGlued(text)) {
      sink.broken(number, text, 'broken-line', noLineBreaks);
    } else {
      const separator = number === 1 ? separatorLine.exec(text.trim()) : null;
      if (separator !== null) delimiters = separator[1]!;
      else readFirstLine(number, text);
    }
  };

  /** Reads a record from its first line on. */
  const readFirstLine = (number: number, text: string) => {
    const current = { number, text, record: new CsvRecord(layout?.delimiter ?? delimiters) };
    current.record.add(text);
    if (current.record.isOpen) open = current;
    else finish(current);
  };

  const lines = openLines({
    line: read,
    tooLong(number, beginning) {
      finishLong();
      lastLine = number;
      long = { number, beginning, quotes: countQuotes(beginning) + (open === null ? 0 : 1) };
    },
    skipped(text) {
      long!.quotes += countQuotes(text);
    },
  });
  return {
    push: lines.push,
    end() {
      lines.end();
      finishLong(lines.hasBreaks ? undefined : noLineBreaks);
      if (open !== null) sink.broken(open.number, open.text, 'broken-line', neverEnds(open.number, lastLine));
    },
  };
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
