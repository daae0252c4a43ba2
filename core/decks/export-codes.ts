import type { Readable } from 'node:stream';
import { findBook } from '../books/find-book.ts';
import type { Caller } from '../caller.ts';
import { csvCell } from '../codes/csv-cell.ts';
import type { Core } from '../core.ts';
import { csvStream } from '../csv-stream.ts';
import type { BookKey, DeckKey } from '../keys.ts';
import { limits } from '../limits.ts';
import type { CodeStatus } from './code-view.ts';
import type { CodeListRequest } from './list-codes.ts';
import type { Place } from './place.ts';
import { type CodeStretch, type WalkCore, type WalkedCode, walkCodes } from './walk-codes.ts';

/** Codes read at a time: enough to keep the connection busy, and few enough to need little memory. */
const stretchItems = 5_000;

/**
 * Writes all of a book's codes, or those of a status, as CSV (RFC 4180) in UTF-8 and in the order of listCodes, with
 * the header `code,status,deckId,userId,assignedAt,redemptions,lastRedeemedAt`. What was given back counts for neither
 * of the last two. Memory stays flat, and the database is asked only as fast as the stream is read.
 * Each stretch of 5,000 is a snapshot of its own, so what changes meanwhile may be seen before or after the change;
 * one snapshot for an export of hours would keep PostgreSQL from cleaning up behind everyone else.
 *
 * A user's id is written so that no spreadsheet runs it: see csv-cell.ts.
 * Codes are left as they are: without brackets, quotes and equals signs they can't call anything, and they must stay
 * what they are when the file is read back.
 *
 * @param hasMark whether the file begins with a byte order mark
 * @throws CouponError `book-not-found`, for an id that is no UUID too, before the first byte
 */
export async function exportCodes(
  core: WalkCore & Pick<Core, 'knownBooks'>,
  caller: Caller,
  bookId: string,
  filter: Pick<CodeListRequest, 'status'>,
  hasMark = false,
): Promise<Readable> {
  const bookKey = await findBook(core, caller.tenantId, bookId);
  return csvStream(csvPieces(core, caller.tenantId, bookKey, filter.status ?? null), hasMark);
}

async function* csvPieces(
  core: WalkCore,
  tenantId: number,
  bookKey: BookKey,
  status: CodeStatus | null,
): AsyncGenerator<string, void, undefined> {
  yield codeCsv.header;
  let from: Place | null = { deckKey: 0 as DeckKey, pos: 0 };
  const bounds = { items: stretchItems, looks: limits.pageScanMaxRows, withLastRedeemed: true };
  while (from !== null) {
    const stretch: CodeStretch = await walkCodes(core, tenantId, bookKey, status, from, bounds);
    if (stretch.codes.length > 0) yield stretch.codes.map((code) => codeCsv.line(exportedCode(code))).join('');
    from = stretch.next;
  }
}

/** A code as exports show it. */
export type ExportedCode = Pick<WalkedCode, 'code' | 'status' | 'deckId' | 'userId' | 'redemptions'> &
  Record<'assignedAt' | 'lastRedeemedAt', string | null>;

/** The code as exports show it. */
export function exportedCode({ assignedAt, lastRedeemedAt, ...same }: WalkedCode): ExportedCode {
  const { code, status, deckId, userId, redemptions } = same;
  const times = {
    assignedAt: assignedAt?.toISOString() ?? null,
    lastRedeemedAt: lastRedeemedAt?.toISOString() ?? null,
  };
  return { code, status, deckId, userId, redemptions, ...times };
}

/** The lines of an export. */
export const codeCsv = {
  header: 'code,status,deckId,userId,assignedAt,redemptions,lastRedeemedAt\r\n',
  line({ code, status, deckId, userId, assignedAt, redemptions, lastRedeemedAt }: ExportedCode): string {
    const user = userId === null ? '' : csvCell(userId);
    return `${code},${status},${deckId},${user},${assignedAt ?? ''},${redemptions},${lastRedeemedAt ?? ''}\r\n`;
  },
};
