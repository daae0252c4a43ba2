import { limits } from '../../limits.ts';
import { CsvRecord } from './csv-record.ts';
import { isGlued, noLineBreaks } from './glued-lines.ts';
import { openLines } from './lines.ts';
import { type CsvLayout, readLayout, usualDelimiters } from './read-csv-layout.ts';
import type { HeaderRule, RowSink, TextReader } from './row-sink.ts';

/** The first line that some spreadsheets write to name the delimiter. */
const separatorLine = /^"?sep=(.)"?$/i;

/** A record whose quoted cell has not ended yet. */
interface OpenRecord {
  readonly number: number;
  /** Its lines so far, as long as the layout must be read from them; at least the first one. */
  text: string;
  readonly record: CsvRecord;
}

/**
 * Reads CSV (RFC 4180) with a header that names the code's column, or one code a line without a header. Records that
 * can't be read are reported one by one. Text in a quoted cell never becomes rows, however long it is.
 *
 * A first line that is certainly a heading is skipped. One that could be a heading or a code is refused, unless
 * `header` says which it is.
 *
 * @throws CouponError `invalid-input` from `push` and `end`, where the first line does not say which column has the
 *   codes
 */
export function openCsvRows(sink: RowSink, header: HeaderRule | null): TextReader {
  let delimiters = usualDelimiters;
  let layout: CsvLayout | null = null;
  let open: OpenRecord | null = null;
  let lastLine = 0;
  /**
   * A line that is too long and has not ended yet, and how many quotes it has had, with that of a cell it continues.
   */
  let long: { readonly number: number; readonly beginning: string; quotes: number } | null = null;

  const row = (number: number, text: string, cells: readonly string[], { columns, codeColumn }: CsvLayout) => {
    if (cells.length === columns && cells[codeColumn]!.trim() !== '') sink.row(number, cells[codeColumn]!);
    else if (cells.every(isBlank)) return;
    else if (cells.length >= columns && cells.slice(columns).every(isBlank)) sink.row(number, cells[codeColumn]!);
    else sink.broken(number, text, 'wrong-column-count');
  };

  const finish = ({ number, text, record }: OpenRecord) => {
    if (record.isTooLong) sink.broken(number, text, 'line-too-long');
    else if (record.isBroken) sink.broken(number, text, 'broken-line');
    else if (layout !== null) row(number, text, record.cells, layout);
    else if (!record.cells.every(isBlank)) {
      layout = readLayout(text, delimiters, header, !lines.hasBreaks);
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
