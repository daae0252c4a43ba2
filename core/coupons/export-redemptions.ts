import type { Readable } from 'node:stream';
import type { Caller } from '../caller.ts';
import { csvStream } from '../csv-stream.ts';
import { findWanted, type RedemptionFilters, type RedemptionListCore, readRedemptionPage } from './list-redemptions.ts';
import { localRedemptionCsv, redemptionCsv } from './redemption-csv.ts';
import type { RedemptionView } from './redemption-view.ts';
import type { RedemptionsWanted } from './redemptions-wanted.ts';
import type { RedemptionWalkCore } from './walk-redemptions.ts';

/** Redemptions read at a time, with metadata of up to 4 KB each. */
const pageItems = 1_000;

/**
 * Writes all redemptions that the filters pass as CSV (RFC 4180) in UTF-8, newest first, with the header
 * `id,code,bookId,userId,seq,at,reference,metadata,reversedAt`; metadata as JSON. Memory stays flat, and the database
 * is asked only as fast as the stream is read. Each page is read at a moment of its own.
 *
 * What strangers wrote is written so that no spreadsheet runs it: see csv-cell.ts.
 * @param hasMark whether the file begins with a byte order mark
 * @param isLocal whether each line ends with its book's name, and its times on the clocks of that book
 * @throws CouponError `invalid-input` naming `from` or `to`, before the first byte
 */
export async function exportRedemptions(
  core: RedemptionListCore,
  caller: Caller,
  request: RedemptionFilters,
  hasMark: boolean,
  isLocal = false,
): Promise<Readable> {
  const found = await findWanted(core, caller.tenantId, request);
  return csvStream(csvPieces(core, caller.tenantId, found, isLocal), hasMark);
}

async function* csvPieces(
  core: RedemptionWalkCore,
  tenantId: number,
  found: { wanted: RedemptionsWanted; belowId: string } | null,
  isLocal: boolean,
): AsyncGenerator<string, void, undefined> {
  yield (isLocal ? localRedemptionCsv : redemptionCsv).header;
  let below = found?.belowId ?? null;
  while (found !== null && below !== null) {
    const page: { data: RedemptionView[]; last: string | null } = await readRedemptionPage(
      core,
      tenantId,
      found.wanted,
      below,
      pageItems,
    );
    if (page.data.length > 0 && isLocal) yield await localRedemptionCsv.lines(core.readPool, tenantId, page.data);
    else if (page.data.length > 0) yield page.data.map(redemptionCsv.line).join('');
    below = page.last;
  }
}
