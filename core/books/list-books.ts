import { type Static, Type } from 'typebox';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { strictObject } from '../input/shapes.ts';
import { limits } from '../limits.ts';
import { cutPage, type ListParameters, type Page, pageLimit, pageParameters } from '../paging.ts';
import { type BookDocument, type BookRow, bookDocument, bookSelection } from './book-document.ts';
import { BookStatus } from './book-terms.ts';
import { findBooksByName } from './find-books-by-name.ts';

/** Which books to list: all, or those of a status or with a text in their names. */
export const BookListRequest = strictObject({
  status: Type.Optional(BookStatus),
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.bookNameMaxChars,
      description: 'A part of the name, in upper or lower case. Every character stands for itself, `%` and `_` too.',
      examples: ['verano'],
    }),
  ),
  ...pageParameters,
});
export type BookListRequest = ListParameters<Static<typeof BookListRequest>>;

/**
 * Lists the tenant's books with their counts, newest first, from the replica where there is one. Books made while the
 * caller pages come before the first page, and none is shown twice or left out. With a part of the name a page looks at
 * limits.pageScanMaxRows names at most: it may be short, or even empty, and still have a cursor.
 * @throws CouponError `invalid-input` naming `cursor`
 */
export async function listBooks(
  core: Pick<Core, 'readPool' | 'cursors'>,
  caller: Caller,
  request: BookListRequest,
): Promise<Page<BookDocument>> {
  const { tenantId } = caller;
  const limit = pageLimit(request);
  const { status = null, q: part = null } = request;
  const list = { kind: 'books/1', tenantId, filters: part === null ? { status } : { status, q: part } };
  // The id is a UUIDv7: it sorts by the time of creation, and callers know it already.
  const [position = null] = request.cursor == null ? [] : core.cursors.open(list, request.cursor);
  const after = position === null ? null : String(position);
  const seal = (id: string) => core.cursors.seal(list, [id]);
  if (part !== null) {
    const { ids, last } = await findBooksByName(core.readPool, tenantId, { part, status, after, limit });
    const data = ids.length === 0 ? [] : await readBooks(core.readPool, tenantId, ids);
    return { data, nextCursor: last === null ? null : seal(last) };
  }
  const answer = await core.readPool.query<BookRow>({
    name: 'list-books',
    text: `${bookSelection('books')} where b.tenant_id = $1 and ($2::text is null or b.status = $2)
      and ($3::uuid is null or b.id < $3) order by b.id desc limit $4`,
    values: [tenantId, status, after, limit + 1],
  });
  return cutPage(answer.rows, limit, bookDocument, ({ id }) => seal(id));
}

async function readBooks(
  readPool: Core['readPool'],
  tenantId: number,
  ids: readonly string[],
): Promise<BookDocument[]> {
  const asked = `(select found.* from unnest($2::uuid[]) as asked (id) cross join lateral (
      select * from books where tenant_id = $1 and id = asked.id limit 1) as found)`;
  const { rows } = await readPool.query<BookRow>({
    name: 'list-named-books',
    text: `${bookSelection(asked)} order by b.id desc`,
    values: [tenantId, ids],
  });
  return rows.map(bookDocument);
}
