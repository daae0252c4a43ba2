import type { Core } from '../core.ts';
import type { Queryable } from '../db/pool.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import type { BookKey } from '../keys.ts';
import { closeBookGate } from './book-gate.ts';
import { bookNotFound } from './read-book.ts';

/**
 * The internal id of the tenant's book, looked up anew: the book may have been deleted by another process.
 * @throws CouponError `book-not-found`, for a text that is no UUID too
 */
export async function findBook(core: Pick<Core, 'knownBooks'>, tenantId: number, bookId: string): Promise<BookKey> {
  const bookKey = await core.knownBooks.presentBookKeyOf(tenantId, bookId);
  if (bookKey === null) throw bookNotFound();
  return bookKey;
}

/**
 * Closes the book's gate until the transaction ends, for the publication of a deck: it waits for running batches of the
 * book and holds up later ones, so it comes last, just before COMMIT.
 * @throws CouponError `book-not-active` where the book is closed, `book-not-found` where it was deleted meanwhile
 */
export async function closeGateOfOpenBook(tx: Transaction, tenantId: number, bookKey: BookKey): Promise<void> {
  await closeBookGate(tx, tenantId, bookKey);
  await refuseClosedBook(tx, tenantId, bookKey);
}

/**
 * The result is certain only behind the book's gate. Before it, this check saves the work for a book that is closed
 * already.
 * @throws CouponError `book-not-active` where the book is closed, `book-not-found` where it was deleted meanwhile
 */
export async function refuseClosedBook(queryable: Queryable, tenantId: number, bookKey: BookKey): Promise<void> {
  const answer = await queryable.query<{ closed: boolean }>({
    name: 'is-book-closed',
    text: `select status = 'closed' as closed from books where tenant_id = $1 and book_id = $2`,
    values: [tenantId, bookKey],
  });
  const book = answer.rows[0];
  if (book === undefined) throw bookNotFound();
  if (book.closed) throw refuse('book-not-active', 'The book is closed, which is final: it takes no more codes.');
}
