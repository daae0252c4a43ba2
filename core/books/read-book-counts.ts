import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import type { CountsView } from './book-counts.ts';
import { findBook } from './find-book.ts';
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
  const bookKey = await findBook(core, caller.tenantId, bookId);
  const counts = await core.countsBoard.read(caller.tenantId, bookKey);
  if (counts === null) throw bookNotFound();
  return counts;
}
