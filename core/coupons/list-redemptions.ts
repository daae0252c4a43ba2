import { type Static, Type } from 'typebox';
import { zoneOfBook } from '../books/zone-of-book.ts';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { isPublic, type LocateCore, type Located, locateCodes, placeIn } from '../decks/locate-codes.ts';
import { invalidInput } from '../errors.ts';
import { Id, strictObject, UserId } from '../input/shapes.ts';
import { placeBound, readBound, timeBound } from '../input/time-bounds.ts';
import { limits } from '../limits.ts';
import { type ListParameters, type Page, pageLimit, pageParameters } from '../paging.ts';
import { type RedemptionView, readRedemptions } from './redemption-view.ts';
import type { RedemptionsWanted } from './redemptions-wanted.ts';
import { type RedemptionWalkCore, walkRedemptions } from './walk-redemptions.ts';

const zoneOfFilter = 'of the zone of the book that bookId names, without it of UTC';

const filters = {
  bookId: Type.Optional(Id),
  userId: Type.Optional(UserId),
  code: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.codeTypedMaxChars,
      description: 'A code, however it is typed. A public code stands for every coupon of its book.',
      examples: ['BF26-7K2M-Q9XD'],
    }),
  ),
  reference: Type.Optional(
    Type.String({ maxLength: limits.referenceMaxChars, description: 'The whole reference, as the redeem gave it.' }),
  ),
  from: Type.Optional(timeBound('The first moment that counts.', zoneOfFilter)),
  to: Type.Optional(timeBound('The first moment that does not count any more; a day counts as a whole.', zoneOfFilter)),
};

/** Which redemptions to list: all, or those that every filter passes. */
export const RedemptionListRequest = strictObject({ ...filters, ...pageParameters });
export type RedemptionListRequest = ListParameters<Static<typeof RedemptionListRequest>>;

/** What of a request says which redemptions, and not which page of them. */
export type RedemptionFilters = Pick<RedemptionListRequest, keyof typeof filters>;

/** What lists of redemptions are read with. */
export type RedemptionListCore = LocateCore & RedemptionWalkCore & Pick<Core, 'knownBooks'>;

/**
 * Lists the tenant's redemptions, newest first, those given back too; from the replica where there is one. What is
 * redeemed while the caller pages comes before the first page, and what commits late, between redemptions that were
 * shown already, is there for whoever begins anew. Pages by one filter are full, but for the last. Where filters meet
 * of which each passes many and all together pass few, or one user or coupon has thousands of redemptions, a page looks
 * at limits.pageScanMaxRows redemptions at most: it may be short, or even empty, and still have a cursor.
 * @throws CouponError `invalid-input` naming `cursor`, `from` or `to`. An unknown book, user or code has no
 *   redemptions: an empty list.
 */
export async function listRedemptions(
  core: RedemptionListCore & Pick<Core, 'cursors'>,
  caller: Caller,
  request: RedemptionListRequest,
): Promise<Page<RedemptionView>> {
  const { tenantId } = caller;
  const limit = pageLimit(request);
  const { bookId = null, userId = null, code = null, reference = null, from = null, to = null } = request;
  const list = { kind: 'redemptions/1', tenantId, filters: { bookId, userId, code, reference, from, to } };
  const [below = null] = request.cursor == null ? [] : core.cursors.open(list, request.cursor);
  const found = await findWanted(core, tenantId, request);
  if (found === null) return { data: [], nextCursor: null };
  const page = await readRedemptionPage(
    core,
    tenantId,
    found.wanted,
    below === null ? found.belowId : String(below),
    limit,
  );
  return { data: page.data, nextCursor: page.last === null ? null : core.cursors.seal(list, [page.last]) };
}

/** Reads one page of the redemptions below an id. `last` is where the next one begins; null: this is the last page. */
export async function readRedemptionPage(
  core: RedemptionWalkCore,
  tenantId: number,
  wanted: RedemptionsWanted,
  below: string,
  count: number,
): Promise<{ data: RedemptionView[]; last: string | null }> {
  const { ids, last } = await walkRedemptions(core, tenantId, wanted, below, count);
  return { data: await readRedemptions(core.readPool, tenantId, ids), last };
}

/**
 * What a request's filters stand for, and the id below which to begin; null where nothing can pass them.
 * @throws CouponError `invalid-input` naming `from` or `to`
 */
export async function findWanted(
  core: RedemptionListCore,
  tenantId: number,
  request: RedemptionFilters,
): Promise<{ wanted: RedemptionsWanted; belowId: string } | null> {
  const { bookId = null, userId = null, code = null, reference = null } = request;
  const given = { from: readBound('from', request.from), to: readBound('to', request.to) };
  const bookKey = bookId === null ? null : await core.knownBooks.bookKeyOf(tenantId, bookId);
  const isLocal = [given.from, given.to].some((time) => time !== null && !('instant' in time));
  const zone = isLocal && bookKey !== null ? ((await zoneOfBook(core.readPool, tenantId, bookKey)) ?? 'UTC') : 'UTC';
  const from = placeBound('from', given.from, zone, 'start');
  const to = placeBound('to', given.to, zone, 'end');
  // A day that ends where the span begins is a day before it.
  const isDayBefore = given.to !== null && 'day' in given.to && to === from;
  if (from !== null && to !== null && (to < from || isDayBefore)) throw invalidInput('to', 'must not be before from');
  const located = code === null ? null : await locate(core, tenantId, code);
  if ((bookId !== null && bookKey === null) || (code !== null && located === null)) return null;
  // A public code stands for every coupon of its book.
  const ofBook = isPublic(located) ? located.publicBook : bookKey;
  if (bookKey !== null && ofBook !== bookKey) return null;
  return {
    wanted: {
      bookKey: ofBook,
      userId,
      place: placeIn(located),
      reference,
      fromId: from === null ? lowestId : firstIdAt(from),
    },
    belowId: to === null ? highestId : firstIdAt(to),
  };
}

const lowestId = '00000000-0000-0000-0000-000000000000';
const highestId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * The lowest id of a redemption of that millisecond or a later one. Its id begins with the milliseconds of its time,
 * both by the database's clock (invariant "a redemption's id begins with its time").
 */
function firstIdAt(millis: number): string {
  const hex = millis.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

async function locate(core: LocateCore, tenantId: number, code: string): Promise<Located | null> {
  const [located = null] = await locateCodes(core, tenantId, [code], { always: false });
  return located;
}
