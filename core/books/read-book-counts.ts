import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import type { CountsView } from './book-counts.ts';
import { bookNotFound } from './read-book.ts';

/**
 * Reads a book's counts, cheaply enough for many screens that ask every second: see CountsBoard.
 * @throws CouponError `book-not-found`, for an id that is no UUID too
 */
export async function readBookCounts(
  core: Pick<Core, 'knownBooks' | 'countsBoard'>,
  caller: Caller,
  bookId: string,
): Promise<CountsView> {
  // The remembered id of the book is enough: the counts are always read, and a deleted book has none.
  const bookKey = await core.knownBooks.bookKeyOf(caller.tenantId, bookId);
  const counts = bookKey === null ? null : await core.countsBoard.read(caller.tenantId, bookKey);
  if (counts === null) throw bookNotFound();
  return counts;
}
