import { type Static, Type } from 'typebox';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { strictObject } from '../input/shapes.ts';
import { type Asked, cutPage, type Page, pageLimit, pageParameters } from '../paging.ts';
import { type BookDocument, type BookRow, bookDocument, bookSelection } from './book-document.ts';
import { BookStatus } from './book-terms.ts';

/** Which books to list: all, or those of a status. */
export const BookListRequest = strictObject({ status: Type.Optional(BookStatus), ...pageParameters });
export type BookListRequest = Asked<Static<typeof BookListRequest>>;

/**
 * Lists the tenant's books with their counts, newest first, from the replica where there is one. Books made while the
 * caller pages come before the first page, and none is shown twice or left out.
 * @throws CouponError `invalid-input` naming `cursor`
 */
export async function listBooks(
  core: Pick<Core, 'readPool' | 'cursors'>,
  caller: Caller,
  request: BookListRequest,
): Promise<Page<BookDocument>> {
  const limit = pageLimit(request);
  const status = request.status ?? null;
  const list = { kind: 'books/1', tenantId: caller.tenantId, filters: { status } };
  // The id is a UUIDv7: it sorts by the time of creation, and callers know it already.
  const [after = null] = request.cursor == null ? [] : core.cursors.open(list, request.cursor);
  const answer = await core.readPool.query<BookRow>({
    name: 'list-books',
    text: `${bookSelection('books')} where b.tenant_id = $1 and ($2::text is null or b.status = $2)
      and ($3::uuid is null or b.id < $3) order by b.id desc limit $4`,
    values: [caller.tenantId, status, after, limit + 1],
  });
  return cutPage(answer.rows, limit, bookDocument, (last) => core.cursors.seal(list, [last.id]));
}
