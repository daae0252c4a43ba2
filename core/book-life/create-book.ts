import { type BookDocument, bookDocument } from '../books/book-document.ts';
import { readNewBook } from '../books/book-rules.ts';
import { type BookInput, type BookTerms, termColumns, termParameters, termValues } from '../books/book-terms.ts';
import { bookCounterStripes } from '../books/counter-stripes.ts';
import { readBookRow } from '../books/read-book.ts';
import { writeBookRevision } from '../books/write-book-revision.ts';
import type { Caller, Outcome } from '../caller.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { lockTenantCodes } from '../decks/tenant-codes-lock.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import type { BookKey } from '../keys.ts';
import { newId } from '../random.ts';
import { changePublicCode, concernsCodes, noCode, type PublicCodeCore, refuseTakenCode } from './change-public-code.ts';

/**
 * Makes a book, with everything that the hot path expects to find of one: its dealer's row and its counter's stripes.
 * @throws CouponError `invalid-input`, `idempotency-key-reused`; `conflict` where its public code is a code of the
 *   tenant already; `unavailable`
 */
export async function createBook(
  core: ColdCore & PublicCodeCore,
  caller: Caller,
  input: BookInput,
  keyed: KeyedRequest | null,
): Promise<Outcome<BookDocument>> {
  const terms = readNewBook(input);
  const { tenantId } = caller;
  return runOnce(core, tenantId, keyed, 201, async (tx) => {
    const isPublic = concernsCodes(noCode, terms);
    const change = { before: noCode, after: terms };
    if (isPublic) {
      await lockTenantCodes(tx, tenantId);
      await refuseTakenCode(core.knownPatterns, tx, tenantId, change);
    }
    const bookKey = await insertBook(tx, tenantId, newId(core), terms);
    await insertCompanions(tx, tenantId, bookKey);
    if (isPublic) await changePublicCode(core, tx, tenantId, bookKey, change);
    await writeBookRevision(tx, tenantId, bookKey, caller.actor);
    return bookDocument(await readBookRow(tx, tenantId, bookKey));
  });
}

async function insertBook(tx: Transaction, tenantId: number, bookId: string, terms: BookTerms): Promise<BookKey> {
  const answer = await tx.query<{ bookKey: BookKey }>({
    name: 'insert-book',
    text: `insert into books (tenant_id, id, ${termColumns()}, rev, created_at, updated_at)
      select $1, $2, ${termParameters(3)}, 1, now.at, now.at
      from (select date_trunc('milliseconds', clock_timestamp()) as at) as now
      returning book_id as "bookKey"`,
    values: [tenantId, bookId, ...termValues(terms)],
  });
  return answer.rows[0]!.bookKey;
}

async function insertCompanions(tx: Transaction, tenantId: number, bookKey: BookKey): Promise<void> {
  await tx.query({
    name: 'insert-book-companions',
    text: `with dealer as (insert into dealers (tenant_id, book_id) values ($1, $2))
      insert into book_counters (tenant_id, book_id, stripe) select $1, $2, generate_series(0, $3::int - 1)`,
    values: [tenantId, bookKey, bookCounterStripes],
  });
}
