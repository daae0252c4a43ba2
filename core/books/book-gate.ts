import { ofTenant } from '../db/of-tenant.ts';
import type { Transaction } from '../db/transaction.ts';
import type { BookKey } from '../keys.ts';

/** Sets the gates apart from every other advisory lock of two numbers: "BOOK" in ASCII. */
const gateClass = 0x424f4f4b;

/**
 * A gate is taken beside its book's row, and so on the server where the tenant's rows are, whoever is asked. What is
 * not there, or is another tenant's, has no gate; a book that is deleted meanwhile is missing in what is read behind
 * it.
 */
const bookAsked = `(select book_id from books where book_id = asked.book_id and ${ofTenant} offset 0)`;

const enterBookGateSql = `select pg_advisory_xact_lock_shared($3, b.book_id) from unnest($2::int[]) as asked (book_id)
      cross join lateral ${bookAsked} as b`;

/**
 * Goes through the gates of these books, beside anyone else who does, and keeps them from closing until the transaction
 * ends. What a book's row says must be read in a statement after this one: a snapshot taken before could predate the
 * change that the gate was waiting for. Gates come first in the order of locks, ascending by book.
 *
 * A waiting closeBookGate goes before later arrivals, so that a pause is not starved by traffic (proved by "a change
 * waits for the transactions inside the gate and for none that come later" in books.test.ts).
 * @param bookKeys in any order, with or without repeats; none is no query
 * @throws what the database throws, 55P03 after the connection's lock_timeout included
 */
export async function enterBookGate(tx: Transaction, tenantId: number, bookKeys: readonly BookKey[]): Promise<void> {
  if (bookKeys.length === 0) return;
  const ascending = [...new Set(bookKeys)].sort((a, b) => a - b);
  await tx.query({
    name: 'enter-book-gate',
    // A set-returning function yields its rows in the array's order, and the locks are taken as the rows go by.
    text: enterBookGateSql,
    values: [tenantId, ascending, gateClass],
  });
}

/**
 * Closes one book's gate until the transaction ends: waits for everyone inside, and everyone who comes later waits.
 * For what changes a book's rules or publishes a deck; such a transaction takes one gate only, so that gates can't
 * deadlock, and is short.
 * @throws what the database throws, 55P03 after the connection's lock_timeout included
 */
export async function closeBookGate(tx: Transaction, tenantId: number, bookKey: BookKey): Promise<void> {
  await tx.query({
    name: 'close-book-gate',
    text: `select pg_advisory_xact_lock($3, asked.book_id) from (
        select book_id from books where book_id = $2 and ${ofTenant} offset 0) as asked`,
    values: [tenantId, bookKey, gateClass],
  });
}

/**
 * Of these books, those whose gate nobody can enter now: it is closed, or somebody waits to close it. It does not wait.
 */
export async function findClosedGates(
  tx: Transaction,
  tenantId: number,
  bookKeys: readonly BookKey[],
): Promise<BookKey[]> {
  if (bookKeys.length === 0) return [];
  const { rows } = await tx.query<{ bookKey: BookKey }>({
    name: 'find-closed-gates',
    text: `select b.book_id as "bookKey" from unnest($2::int[]) as asked (book_id)
      cross join lateral ${bookAsked} as b where not pg_try_advisory_xact_lock_shared($3, b.book_id)`,
    values: [tenantId, bookKeys, gateClass],
  });
  return rows.map(({ bookKey }) => bookKey);
}
