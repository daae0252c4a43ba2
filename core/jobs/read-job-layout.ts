import { invalidInput } from '../errors.ts';
import { noLineBreaks } from '../uploads/formats/glued-lines.ts';
import { type CsvLayout, readLayout, readOnlyColumn, splitAtEach } from '../uploads/formats/read-csv-layout.ts';
import type { HeaderRule } from '../uploads/formats/row-sink.ts';

/** How the file of a job is laid out: where the user or the code stands, and what a file may say beside it. */
export interface JobLayout extends CsvLayout {
  /** Of `count` in a file of users, of `reason` in a file of codes; null where the file has no such column. */
  readonly besideColumn: number | null;
}

/**
 * Reads from a file's first record where the users' ids and the counts stand. A user's id may be any text, so the
 * record names the column, unless the sender says what it is.
 * @throws CouponError `invalid-input` naming `userId`; the message quotes nothing of the file
 */
export function readUserLayout(
  text: string,
  delimiters: string,
  header: HeaderRule | null,
  isOnlyLine: boolean,
): JobLayout {
  const splits = splitAtEach(text, delimiters);
  if (header === 'none') {
    const only = readOnlyColumn(splits, false);
    if (only !== null) return { ...only, besideColumn: null };
  }
  for (const { delimiter, cells } of header === 'none' ? [] : splits) {
    const names = cells.map(plain);
    const keyColumn = names.indexOf('userid');
    if (keyColumn < 0) continue;
    if (names.indexOf('userid', keyColumn + 1) >= 0) throw invalidInput('userId', 'two columns are called so');
    return {
      delimiter,
      columns: cells.length,
      keyColumn,
      cells,
      isHeading: true,
      besideColumn: columnOf(names, 'count'),
    };
  }
  const only = header === 'present' ? readOnlyColumn(splits, true) : null;
  if (only !== null) return { ...only, besideColumn: null };
  const what =
    header === 'none'
      ? 'without a heading a file has one user a line and no other column; name the columns in the first line and one of them "userId"'
      : 'the first line names no such column; call one column "userId", or send ?header=none where the file has one user a line and no heading';
  throw invalidInput('userId', isOnlyLine ? `${what}. ${noLineBreaks}` : what);
}

/**
 * Reads from a file's first record where the codes and the reasons stand: the codes by the rules of uploads.
 * @throws CouponError `invalid-input` naming `code` or `header`
 */
export function readCodeLayout(
  text: string,
  delimiters: string,
  header: HeaderRule | null,
  isOnlyLine: boolean,
): JobLayout {
  const layout = readLayout(text, delimiters, header, isOnlyLine);
  return { ...layout, besideColumn: layout.isHeading ? columnOf(layout.cells.map(plain), 'reason') : null };
}

/** A column's name without what people spell differently: `User ID`, `user_id` and `userId` are one. */
function plain(cell: string): string {
  return cell.toLowerCase().replace(/[\s_-]+/g, '');
}

function columnOf(names: readonly string[], name: string): number | null {
  const at = names.indexOf(name);
  return at < 0 ? null : at;
}
