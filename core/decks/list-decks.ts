import { findBook } from '../books/find-book.ts';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { ofTenant } from '../db/of-tenant.ts';
import { cutPage, type Page, type PageRequest, pageLimit } from '../paging.ts';
import { type DeckRow, type DeckView, deckSelection, viewDecks } from './deck-view.ts';

/**
 * Lists a book's decks in the order in which they were added, from the replica where there is one.
 * @throws CouponError `invalid-input` naming `cursor`; `book-not-found`, for an id that is no UUID too
 */
export async function listDecks(
  core: Pick<Core, 'readPool' | 'cursors' | 'knownBooks'>,
  caller: Caller,
  bookId: string,
  request: PageRequest,
): Promise<Page<DeckView>> {
  const { tenantId } = caller;
  const limit = pageLimit(request);
  const list = { kind: 'decks/1', tenantId, filters: { bookId: bookId.toLowerCase() } };
  const [after = null] = request.cursor == null ? [] : core.cursors.open(list, request.cursor);
  const bookKey = await findBook(core, tenantId, bookId);
  const answer = await core.readPool.query<DeckRow>({
    name: 'list-decks',
    text: `${deckSelection(`(select * from decks where book_id = $2 and ${ofTenant} offset 0)`)}
      where ($3::uuid is null or d.deck_id > (select deck_id from decks where tenant_id = $1 and id = $3))
      order by d.deck_id limit $4`,
    values: [tenantId, bookKey, after, limit + 1],
  });
  const page = cutPage(
    answer.rows,
    limit,
    (row) => row,
    ({ id }) => core.cursors.seal(list, [id]),
  );
  return { ...page, data: await viewDecks(core.readPool, tenantId, page.data) };
}
