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
  // What is remembered of the book will do: counts are read anew, and there are none of a deleted book.
  const bookKey = await core.knownBooks.bookKeyOf(caller.tenantId, bookId);
  const counts = bookKey === null ? null : await core.countsBoard.read(caller.tenantId, bookKey);
  if (counts === null) throw bookNotFound();
  return counts;
}
