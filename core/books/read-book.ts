import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import type { Queryable } from '../db/pool.ts';
import { type CouponError, refuse } from '../errors.ts';
import type { BookKey } from '../keys.ts';
import { type BookDocument, type BookRow, bookDocument, bookSelection, theBook } from './book-document.ts';

/**
 * Reads a book with its counts, from the primary, so that whoever has just changed it sees the change.
 * @throws CouponError `book-not-found`, for an id that is no UUID too
 */
export async function readBook(
  core: Pick<Core, 'pool' | 'knownBooks'>,
  caller: Caller,
  bookId: string,
): Promise<BookDocument> {
  const bookKey = await core.knownBooks.bookKeyOf(caller.tenantId, bookId);
  if (bookKey === null) throw bookNotFound();
  return bookDocument(await readBookRow(core.pool, caller.tenantId, bookKey));
}

/**
 * Reads the row of a book, with its counts; inside the closed gate it can't change until COMMIT.
 * @throws CouponError `book-not-found` where the book was deleted
 */
export async function readBookRow(db: Queryable, tenantId: number, bookKey: BookKey): Promise<BookRow> {
  const answer = await db.query<BookRow>({
    name: 'read-book',
    text: bookSelection(theBook),
    values: [tenantId, bookKey],
  });
  const row = answer.rows[0];
  if (row === undefined) throw bookNotFound();
  return row;
}

/** The refusal for a book that the tenant does not have. */
export function bookNotFound(): CouponError {
  return refuse('book-not-found', 'There is no book with this id.');
}
