import { type BookDocument, bookDocument, termsOf } from '../books/book-document.ts';
import { closeBookGate } from '../books/book-gate.ts';
import { applyChanges, checkTransition, isChanged, readBookChanges } from '../books/book-rules.ts';
import { type BookPatch, type BookTerms, termAssignments, termValues } from '../books/book-terms.ts';
import type { KnownBooks } from '../books/known-books.ts';
import { bookNotFound, readBookRow } from '../books/read-book.ts';
import { writeBookRevision } from '../books/write-book-revision.ts';
import type { Caller } from '../caller.ts';
import { type ColdCore, inColdTransaction } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { lockTenantCodes } from '../decks/tenant-codes-lock.ts';
import { refuse } from '../errors.ts';
import type { BookKey } from '../keys.ts';
import { changePublicCode, concernsCodes, type PublicCodeCore, refuseTakenCode } from './change-public-code.ts';

/** What a book is changed with. */
export interface ChangeBookCore extends ColdCore, PublicCodeCore {
  readonly knownBooks: KnownBooks;
}

/**
 * Changes a book. It waits for the transactions that are inside the book's gate and holds up later ones until it is
 * committed, so that whatever is decided after the answer is decided by the new rules: nothing is redeemed after the
 * answer to a pause. Limits may be lowered below what was granted, which stays; a new `maxRedemptions` counts what was
 * redeemed before. A request that changes nothing answers with the book as it is and leaves `rev` alone.
 * @param input the fields to change
 * @param expectedRev the revision that the caller has seen (`If-Match`), or null to change whatever is there
 * @throws CouponError `invalid-input`; `book-not-found`, for an id that is no UUID too; `revision-mismatch`; `conflict`
 *   where the book's status has no way to the new one, the book is closed, or its public code is no longer to be
 *   changed or is taken; `unavailable`
 */
export async function changeBook(
  core: ChangeBookCore,
  caller: Caller,
  bookId: string,
  input: BookPatch,
  expectedRev: number | null,
): Promise<BookDocument> {
  const changes = readBookChanges(input);
  const { tenantId, actor } = caller;
  const bookKey = await core.knownBooks.bookKeyOf(tenantId, bookId);
  if (bookKey === null) throw bookNotFound();
  const change = (hasCodesLock: boolean) =>
    inColdTransaction(core, tenantId, async (tx): Promise<BookDocument | null> => {
      if (hasCodesLock) await lockTenantCodes(tx, tenantId);
      await closeBookGate(tx, tenantId, bookKey);
      const row = await readBookRow(tx, tenantId, bookKey);
      if (expectedRev !== null && expectedRev !== row.rev) {
        throw refuse('revision-mismatch', `The book is at revision ${row.rev}, not ${expectedRev}. Read it again.`);
      }
      const before = termsOf(row);
      const after = applyChanges(before, changes);
      if (!isChanged(before, after)) return bookDocument(row);
      checkTransition(before, after);
      if (concernsCodes(before, after)) {
        if (!hasCodesLock) return null;
        await refuseTakenCode(core.knownPatterns, tx, tenantId, { before, after });
        await changePublicCode(core, tx, tenantId, bookKey, { before, after });
      }
      const from = await nextMillisecond(tx);
      await updateBook(tx, tenantId, bookKey, after, from);
      await writeBookRevision(tx, tenantId, bookKey, actor);
      await waitUntil(tx, from);
      return bookDocument(await readBookRow(tx, tenantId, bookKey));
    });
  // The tenant's lock comes before the gate, and an upload may hold it for seconds: it is taken only where it is
  // needed.
  return (await change(false)) ?? (await change(true))!;
}

/**
 * From when the new revision counts. Events keep whole milliseconds, cut off: the next full one is after all that were
 * decided by the old rules, and this transaction stays until it has come, so it is not after any of the new ones.
 */
async function nextMillisecond(tx: Transaction): Promise<Date> {
  const answer = await tx.query<{ next: Date }>({
    name: 'next-millisecond',
    text: `select date_trunc('milliseconds', clock_timestamp()) + interval '1 millisecond' as next`,
  });
  return answer.rows[0]!.next;
}

async function waitUntil(tx: Transaction, time: Date): Promise<void> {
  await tx.query({
    name: 'wait-until',
    text: 'select pg_sleep(extract(epoch from $1::timestamptz - clock_timestamp()))',
    values: [time],
  });
}

async function updateBook(
  tx: Transaction,
  tenantId: number,
  bookKey: BookKey,
  terms: BookTerms,
  from: Date,
): Promise<void> {
  await tx.query({
    name: 'update-book',
    text: `update books set rev = rev + 1, updated_at = $3, ${termAssignments(4)}
      where tenant_id = $1 and book_id = $2`,
    values: [tenantId, bookKey, from, ...termValues(terms)],
  });
}
