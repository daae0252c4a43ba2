import { normaliseCode } from '../codes/code-rules.ts';
import { unsafeValueProblem } from '../input/field-rules.ts';
import { limits } from '../limits.ts';
import { openCsvRecords, type RecordSink } from '../uploads/formats/csv.ts';
import type { HeaderRule, UploadReader } from '../uploads/formats/row-sink.ts';
import { openUtf8 } from '../uploads/formats/rows.ts';
import type { FileJobKind } from './job-document.ts';
import type { JobRow, RowOutcome } from './job-rows.ts';
import { type JobLayout, readCodeLayout, readUserLayout } from './read-job-layout.ts';
import { SeenKeys } from './seen-keys.ts';

/** Takes the rows of a file; `times` is how many codes a row of an `assign` wants, 1 and up, each of which is a row. */
export type TakeRow = (row: JobRow, times: number) => void;

/**
 * Reads the file of a job: a CSV with a heading that names the columns. A line that can't be carried out comes with its
 * outcome, among the others. Memory grows by 16 to 32 bytes a row, for the duplicates.
 * @throws CouponError `invalid-input` from `push` and `end`, where the first line does not say which column is which
 */
export function openJobRows(kind: FileJobKind, header: HeaderRule | null, take: TakeRow): UploadReader {
  const broken: RecordSink['broken'] = (line, _text, problem) => take({ line, outcome: problem }, 1);
  const seen = new SeenKeys();
  const readRow = kind === 'assign' ? readUserRow : readCodeRow;
  const readLayout = kind === 'assign' ? readUserLayout : readCodeLayout;
  let layout: JobLayout | null = null;
  const reader = openCsvRecords(
    {
      record(line, cells) {
        const { row, times, key } = readRow(line, cells, layout!);
        if (row.outcome !== undefined || seen.add(key)) take(row, times);
        else take({ ...row, outcome: 'duplicate-in-file' }, 1);
      },
      broken,
    },
    (text, delimiters, isOnlyLine) => {
      layout = readLayout(text, delimiters, header, isOnlyLine);
      return layout;
    },
  );
  return openUtf8(reader);
}

interface ReadRow {
  row: JobRow;
  times: number;
  /** What two rows may not share. */
  key: string;
}

function readUserRow(line: number, cells: readonly string[], { keyColumn, besideColumn }: JobLayout): ReadRow {
  const userId = cells[keyColumn]!.trim();
  const count = besideColumn === null ? '' : cells[besideColumn]!.trim();
  const refuse = (row: JobRow): ReadRow => ({ row, times: 1, key: '' });
  if (userId === '' || isUnfit(userId, limits.userIdMaxChars)) {
    return refuse({ line, outcome: 'invalid-user-id' });
  }
  const times = count === '' ? 1 : /^[0-9]{1,9}$/.test(count) ? Number(count) : 0;
  if (times < 1 || times > limits.jobRowMaxCodes) return refuse({ line, userId, outcome: 'invalid-count' });
  return { row: { line, userId }, times, key: userId };
}

function readCodeRow(line: number, cells: readonly string[], { keyColumn, besideColumn }: JobLayout): ReadRow {
  const code = cells[keyColumn]!.trim();
  const reason = besideColumn === null ? '' : cells[besideColumn]!.trim();
  const refuse = (outcome: RowOutcome): ReadRow => ({ row: { line, outcome }, times: 1, key: '' });
  // A text that can't be a code is answered as an unknown code, just as in a request.
  if (code === '' || code.length > codeTextMaxChars || unsafeValueProblem(code) !== null)
    return refuse('coupon-not-found');
  if (isUnfit(reason, limits.reasonMaxChars)) return refuse('invalid-reason');
  return { row: { line, code, ...(reason !== '' && { reason }) }, times: 1, key: normaliseCode(code) };
}

/**
 * Whether a request's field would refuse the text; characters are counted in the same way. A text with the character
 * that replaces bytes which are not UTF-8 is refused too: else a file in another encoding would assign codes to users
 * who do not exist.
 */
function isUnfit(text: string, maxChars: number): boolean {
  if (text.length > maxChars && [...text].length > maxChars) return true;
  return text.includes('\u{fffd}') || unsafeValueProblem(text) !== null;
}

/** A code, and all that may be around it without being a part of it. */
const codeTextMaxChars = 256;
