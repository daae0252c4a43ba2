import { ofTenant } from '../db/of-tenant.ts';
import type { Queryable } from '../db/pool.ts';
import type { BookKey } from '../keys.ts';
import { type DecisiveTerm, decisiveTerms, type StoredTerms, selectTerms } from './book-terms.ts';

/** What a decision about a coupon needs to know of its book. Null limits mean no limit; the window is half-open. */
export interface BookRules extends Pick<StoredTerms, DecisiveTerm> {
  bookKey: BookKey;
  /** The id that callers know: a UUID in lower case. */
  bookId: string;
}

const readBooksSql = `select b.book_id as "bookKey", b.id as "bookId", ${selectTerms('b', decisiveTerms)}
      from unnest($2::int[]) as asked (book)
      cross join lateral (
        select * from books where book_id = asked.book and ${ofTenant} offset 0) as b`;

/**
 * Reads the rules of these books, one row each by internal id; a book that the tenant does not have is not in the map.
 * Binding only inside the books' gates and in a statement after enterBookGate: then no rule changes until COMMIT.
 */
export async function readBooksForDecision(
  db: Queryable,
  tenantId: number,
  bookKeys: readonly BookKey[],
): Promise<Map<BookKey, BookRules>> {
  if (bookKeys.length === 0) return new Map();
  const answer = await db.query<BookRules>({
    name: 'read-books-for-decision',
    text: readBooksSql,
    values: [tenantId, bookKeys],
  });
  return new Map(answer.rows.map((book) => [book.bookKey, book]));
}
