import { type Static, Type } from 'typebox';
import { findBook } from '../books/find-book.ts';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import type { Queryable } from '../db/pool.ts';
import { invalidInput } from '../errors.ts';
import { strictObject } from '../input/shapes.ts';
import type { DeckKey } from '../keys.ts';
import { limits } from '../limits.ts';
import { type ListParameters, type Page, type Position, pageLimit, pageParameters } from '../paging.ts';
import { CodeStatus, type CodeView } from './code-view.ts';
import type { Place } from './place.ts';
import { type WalkCore, walkCodes } from './walk-codes.ts';

/** Which codes to list: all of a book, or those of a status. */
export const CodeListRequest = strictObject({ status: Type.Optional(CodeStatus), ...pageParameters });
export type CodeListRequest = ListParameters<Static<typeof CodeListRequest>>;

/**
 * Lists a book's codes by deck and position, from the replica where there is one. A page looks at
 * limits.pageScanMaxRows coupons at most: with a filter that few of them pass it may be short, or even empty, and still
 * have a cursor.
 * @throws CouponError `invalid-input` naming `cursor`; `book-not-found`, for an id that is no UUID too
 */
export async function listCodes(
  core: WalkCore & Pick<Core, 'cursors' | 'knownBooks'>,
  caller: Caller,
  bookId: string,
  request: CodeListRequest,
): Promise<Page<CodeView>> {
  const { tenantId } = caller;
  const limit = pageLimit(request);
  const { status = null } = request;
  const list = { kind: 'codes/1', tenantId, filters: { bookId: bookId.toLowerCase(), status } };
  const position = request.cursor == null ? null : core.cursors.open(list, request.cursor);
  const bookKey = await findBook(core, tenantId, bookId);
  const from = position === null ? { deckKey: 0 as DeckKey, pos: 0 } : await placeOf(core.readPool, tenantId, position);
  const bounds = { items: limit, looks: limits.pageScanMaxRows, withLastRedeemed: false };
  const { codes, next } = await walkCodes(core, tenantId, bookKey, status, from, bounds);
  return {
    data: codes.map(({ code, status: shown, deckId, userId }) => ({ code, status: shown, deckId, userId })),
    nextCursor: next === null ? null : core.cursors.seal(list, [next.deckId, next.pos]),
  };
}

async function placeOf(db: Queryable, tenantId: number, [deckId, pos]: Position): Promise<Place> {
  const answer = await db.query<{ deckKey: DeckKey }>({
    name: 'deck-of-cursor',
    text: 'select deck_id as "deckKey" from decks where tenant_id = $1 and id = $2',
    values: [tenantId, deckId],
  });
  const deck = answer.rows[0];
  // A cursor outlives a restore to before its deck was made.
  if (deck === undefined)
    throw invalidInput('cursor', 'leads to a deck that is no longer there; start again without it');
  return { deckKey: deck.deckKey, pos: Number(pos) };
}
