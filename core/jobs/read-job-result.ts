import type { Readable } from 'node:stream';
import type { Caller } from '../caller.ts';
import { csvCell } from '../codes/csv-cell.ts';
import type { Core } from '../core.ts';
import { localRedemptionCsv, redemptionCsv } from '../coupons/redemption-csv.ts';
import type { RedemptionView } from '../coupons/redemption-view.ts';
import { csvStream } from '../csv-stream.ts';
import type { Queryable } from '../db/pool.ts';
import { codeCsv, type ExportedCode } from '../decks/export-codes.ts';
import { refuse } from '../errors.ts';
import type { ExportRow } from './carry-out-export.ts';
import type { JobKind, JobName } from './job-document.ts';
import type { JobRow } from './job-rows.ts';
import { findJob, jobNotFound } from './read-job.ts';

/** Pieces read at a time: a few hundred KB. */
const piecesAtOnce = 8;

/** How the rows of a kind of job become lines, one by one or a piece of them at once. */
type ResultFormat = { readonly header: string } & (
  | { line(row: never): string }
  | { lines(db: Queryable, tenantId: number, rows: readonly never[]): Promise<string> }
);

const formats: Record<JobKind, ResultFormat> = {
  assign: { header: 'line,userId,outcome,code\r\n', line: assignLine },
  void: { header: 'line,code,outcome\r\n', line: voidLine },
  'export-codes': { header: codeCsv.header, line: (row: ExportedCode) => codeCsv.line(row) },
  'export-redemptions': { header: redemptionCsv.header, line: (row: RedemptionView) => redemptionCsv.line(row) },
};

/**
 * The result of a job that has ended, as CSV (RFC 4180) in UTF-8: each row of its file with its outcome, in the order
 * of the file; or what was exported. Rows that were not carried out have an empty outcome. Memory stays flat, and the
 * database is asked only as fast as the stream is read. What strangers wrote is written so that no spreadsheet runs it:
 * see csv-cell.ts. A job whose time ends while its result is read breaks the stream off: what is short says so.
 * @param hasMark whether the file begins with a byte order mark
 * @param isLocal whether exported redemptions have their book's name, and their times on its clocks, as they are now
 * @throws CouponError `not-found`, for an id that is no UUID too; `conflict` while it has not ended; both before the
 *   first byte
 */
export async function readJobResult(
  { coldPool }: Pick<Core, 'coldPool'>,
  caller: Caller,
  id: string,
  hasMark: boolean,
  isLocal = false,
): Promise<Readable> {
  const { tenantId } = caller;
  const { jobKey, kind, status } = await findJob(coldPool, tenantId, id);
  if (status === 'queued' || status === 'running') {
    throw refuse('conflict', 'The job has not ended, and has no result before. Ask again later.', {
      reason: 'job-unfinished',
    });
  }
  const format: ResultFormat = isLocal && kind === 'export-redemptions' ? localRedemptionCsv : formats[kind];
  return csvStream(csvPieces(coldPool, { tenantId, jobKey }, format), hasMark);
}

async function* csvPieces(
  db: Queryable,
  { tenantId, jobKey }: JobName,
  format: ResultFormat,
): AsyncGenerator<string, void, undefined> {
  yield format.header;
  for (let next = 0; ; next += piecesAtOnce) {
    const { rows } = await db.query<{ left: number; rows: readonly (JobRow | ExportRow)[] | null }>({
      name: 'read-job-pieces',
      text: `select j.pieces - $3::int as left, p.rows from jobs j left join job_pieces p
          on p.tenant_id = j.tenant_id and p.job_id = j.job_id and p.piece >= $3 and p.piece < $4
        where j.tenant_id = $1 and j.job_id = $2 order by p.piece`,
      values: [tenantId, jobKey, next, next + piecesAtOnce],
    });
    const pieces = rows.flatMap((piece) => (piece.rows === null ? [] : [piece.rows]));
    const left = rows[0]?.left;
    if (left === undefined || pieces.length < Math.min(left, piecesAtOnce)) throw jobNotFound();
    for (const piece of pieces) {
      if ('line' in format) yield piece.map((row) => format.line(row as never)).join('');
      else yield await format.lines(db, tenantId, piece as readonly never[]);
    }
    if (left <= piecesAtOnce) return;
  }
}

function assignLine({ line, userId, outcome, code = '' }: JobRow): string {
  return `${line},${csvCell(userId ?? '')},${outcome ?? ''},${code}\r\n`;
}

/** A code that was voided is left as it is; what stands there otherwise may be anything. */
function voidLine({ line, code = '', outcome }: JobRow): string {
  return `${line},${outcome === 'voided' ? code : csvCell(code)},${outcome ?? ''}\r\n`;
}
