import { readCode } from '../../codes/code-rules.ts';
import { invalidInput } from '../../errors.ts';
import { findCodeName, isCodeName, mayBeHeading } from './code-field-names.ts';
import { CsvRecord } from './csv-record.ts';
import { noLineBreaks } from './glued-lines.ts';
import type { HeaderRule } from './row-sink.ts';

/** How the records of a CSV are laid out. A file without a header has one column; others are empty. */
export interface CsvLayout {
  readonly delimiter: string;
  readonly columns: number;
  /** The column that makes a record a row: that of the code in an upload. */
  readonly keyColumn: number;
  /** The first record's. */
  readonly cells: readonly string[];
  /** Whether the first record names the columns, and is no row itself. */
  readonly isHeading: boolean;
}

/** A comma by RFC 4180; the others are what spreadsheets write where the comma is the decimal sign. */
export const usualDelimiters = ',;\t';

/**
 * Reads from a file's first record where the code stands.
 *
 * @param text the record, which is not blank, with its line breaks as LF
 * @param delimiters each character is one that the file may use
 * @param header what the sender says about it
 * @param isOnlyLine whether the file has no line break at all
 * @throws CouponError `invalid-input` where that is not certain. The message quotes no cell that could be a code.
 */
export function readLayout(
  text: string,
  delimiters: string,
  header: HeaderRule | null,
  isOnlyLine: boolean,
): CsvLayout {
  const splits = splitAtEach(text, delimiters);
  if (header !== 'none') {
    for (const { delimiter, cells } of splits) {
      const codeColumn = findCodeName(cells);
      if (codeColumn === 'several') throw severalColumns(cells);
      if (codeColumn !== 'none') {
        return { delimiter, columns: cells.length, keyColumn: codeColumn, cells, isHeading: true };
      }
    }
  }
  const only = readOnlyColumn(splits, header === 'present');
  if (only === null) throw noColumn(header, isOnlyLine);
  const cell = only.cells[only.keyColumn]!;
  if (header === null && mayBeHeading(cell) && readCode(cell).ok) throw heading();
  return only;
}

/** A record as each delimiter would split it. */
export interface Split {
  readonly delimiter: string;
  readonly cells: readonly string[];
}

/** The layout of a file with one column and no name for it; null where the record has text in several cells. */
export function readOnlyColumn(splits: readonly Split[], isHeading: boolean): CsvLayout | null {
  const { delimiter, cells } = splits.reduce((most, split) => (split.cells.length > most.cells.length ? split : most));
  const keyColumn = cells.findIndex((cell) => cell.trim() !== '');
  if (cells.slice(keyColumn + 1).some((cell) => cell.trim() !== '')) return null;
  return { delimiter, columns: cells.length, keyColumn, cells, isHeading };
}

/** Splits a record, whose line breaks are LF, at each of these delimiters. */
export function splitAtEach(text: string, delimiters: string): Split[] {
  return [...delimiters].map((delimiter) => ({ delimiter, cells: splitRecord(text, delimiter) }));
}

function splitRecord(text: string, delimiter: string): string[] {
  const record = new CsvRecord(delimiter);
  for (const line of text.split('\n')) record.add(line);
  return record.cells;
}

function severalColumns(cells: readonly string[]) {
  const names = cells.filter(isCodeName).map((cell) => JSON.stringify(cell.trim().slice(0, 64)));
  return invalidInput(
    'code',
    `several columns may have the codes: ${names.slice(0, 20).join(', ')}; call the one that has them "code", and none beside it`,
  );
}

function noColumn(header: HeaderRule | null, isOnlyLine: boolean) {
  const what =
    header === 'none'
      ? 'without a heading a file has one code a line and no other column; name the columns in the first line and one of them "code"'
      : 'the first line names no such column; call one column "code", or send one code a line';
  return invalidInput('code', isOnlyLine ? `${what}. ${noLineBreaks}` : what);
}

function heading() {
  return invalidInput(
    'header',
    'the first line may be a heading or a code; send it with ?header=none where it is a code, and with ?header=present, or "code" for its text, where it is a heading',
  );
}
