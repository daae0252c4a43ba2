import { invalidInput } from '../errors.ts';
import { openLines } from './upload-lines.ts';
import type { RowSink, TextReader } from './upload-rows.ts';

/** Where the code stands in a line; a file without a header has one column and no delimiter of its own. */
interface Layout {
  readonly delimiter: string;
  readonly columns: number;
  readonly codeColumn: number;
}

/** A comma by RFC 4180; the others are what spreadsheets write where the comma is the decimal sign. */
const delimiters = [',', ';', '\t'];
const oneColumn: Layout = { delimiter: ',', columns: 1, codeColumn: 0 };
/** A quoted field may run over so many lines; what has not ended by then was never meant to be one. */
const recordMaxLines = 50;
/** Looking for the end costs this much at most for each line, however the file was made. */
const recordMaxChars = 8_192;

/**
 * Reads CSV (RFC 4180) with a header that names a column `code`, or one code a line without a header. Lines that can't
 * be read are reported one by one. A quote that is never closed would swallow everything up to the next one, so a
 * field that goes on over the end of its line is believed only when it ends properly within recordMaxLines, the record
 * has as many columns as the header, and the code itself is on one line; otherwise its first line alone is broken.
 *
 * @throws CouponError `invalid-input` from `push` where the first line has several columns and none is called `code`
 */
export function openCsvRows(sink: RowSink): TextReader {
  let layout: Layout | null = null;
  /** Lines of a record whose quoted field has not ended yet, with the number of the first one. */
  let open: { number: number; lines: string[] } | null = null;

  const reject = (number: number, text: string) => sink.broken(number, text, 'broken-line');

  const take = (number: number, text: string, cells: readonly string[], { columns, codeColumn }: Layout) => {
    if (cells.length === columns) sink.row(number, cells[codeColumn]!);
    else sink.broken(number, text, 'wrong-column-count');
  };

  const single = (number: number, text: string) => {
    if (text.trim() === '') return;
    if (layout === null) {
      layout = readHeader(text);
      if (layout !== null) return;
      layout = oneColumn;
    }
    const cells = splitCells(text, layout.delimiter);
    if (Array.isArray(cells)) take(number, text, cells, layout);
    else if (cells === 'unclosed' && layout.columns > 1) open = { number, lines: [text] };
    else reject(number, text);
  };

  /** Gives the open record up: its first line is broken, and the lines after it are read on their own. */
  const giveUp = () => {
    const { number, lines } = open!;
    open = null;
    reject(number, lines[0]!);
    for (const [at, text] of lines.slice(1).entries()) read(number + 1 + at, text);
  };

  const read = (number: number, text: string) => {
    if (open === null) {
      single(number, text);
      return;
    }
    open.lines.push(text);
    const record = open.lines.join('\n');
    const cells = splitCells(record, layout!.delimiter);
    if (Array.isArray(cells) && isWhole(cells, layout!)) {
      const { number: first } = open;
      open = null;
      take(first, record, cells, layout!);
    } else if (cells !== 'unclosed' || open.lines.length === recordMaxLines || record.length > recordMaxChars) {
      giveUp();
    }
  };

  const lines = openLines({
    line: read,
    tooLong(number, beginning) {
      while (open !== null) giveUp();
      if (layout === null) layout = oneColumn;
      sink.broken(number, beginning, 'line-too-long');
    },
  });
  return {
    push: lines.push,
    end() {
      lines.end();
      while (open !== null) giveUp();
    },
  };
}

function isWhole(cells: readonly string[], { columns, codeColumn }: Layout): boolean {
  return cells.length === columns && !cells[codeColumn]!.includes('\n');
}

/** What people call the column, beside `code`: taken for codes, these words would be dealt to somebody. */
const headerNames = new Set([
  'code',
  'codes',
  'coupon',
  'coupons',
  'coupon code',
  'coupon_code',
  'coupon-code',
  'couponcode',
]);

/** The layout that a header tells, or null where the first line is a code. */
function readHeader(text: string): Layout | null {
  let mostColumns = 1;
  for (const delimiter of delimiters) {
    const cells = splitCells(text, delimiter);
    if (!Array.isArray(cells)) continue;
    const codeColumn = cells.findIndex((cell) => headerNames.has(cell.trim().toLowerCase()));
    if (codeColumn >= 0) return { delimiter, columns: cells.length, codeColumn };
    mostColumns = Math.max(mostColumns, cells.length);
  }
  if (mostColumns === 1) return null;
  throw invalidInput('code', 'the first line names no such column: call one column "code", or send one code a line');
}

/**
 * The cells of a record. `unclosed`: a quoted cell has no end; `malformed`: text follows a quoted cell's end. A quote
 * inside a cell that did not begin with one is a character like any other.
 */
function splitCells(text: string, delimiter: string): string[] | 'unclosed' | 'malformed' {
  if (!text.includes('"')) return text.split(delimiter);
  const cells: string[] = [];
  for (let start = 0; ; ) {
    let end: number;
    if (text[start] === '"') {
      const close = closingQuote(text, start + 1);
      if (close < 0) return 'unclosed';
      end = close + 1;
      if (end < text.length && text[end] !== delimiter) return 'malformed';
      cells.push(text.slice(start + 1, close).replaceAll('""', '"'));
    } else {
      const next = text.indexOf(delimiter, start);
      end = next < 0 ? text.length : next;
      cells.push(text.slice(start, end));
    }
    if (end === text.length) return cells;
    start = end + 1;
  }
}

/** Where the quote is that is not one of a pair, or -1. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return -1;
}
