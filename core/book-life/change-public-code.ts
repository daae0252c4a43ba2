import type { BookTerms } from '../books/book-terms.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuseTakenPublicCode, releasePublicCode, reservePublicCode } from '../decks/public-codes.ts';
import { type StockCore, stockPublicBook } from '../decks/stock-public-book.ts';
import type { BookKey } from '../keys.ts';
import type { KnownPatterns } from '../patterns/known-patterns.ts';

/** What the public code of a book is changed with. */
export interface PublicCodeCore extends StockCore {
  readonly knownPatterns: KnownPatterns;
}

/** The terms of a book that say which codes come into its tenant by them. */
export type CodeTerms = Pick<BookTerms, 'publicCode' | 'status'>;

/** Those of a book that is not there yet. */
export const noCode: CodeTerms = { publicCode: null, status: 'draft' };

/** Whether a change of a book brings a code into its tenant, or gives one up, and so needs the tenant's lock. */
export function concernsCodes(before: CodeTerms, after: CodeTerms): boolean {
  return before.publicCode !== after.publicCode || (after.publicCode !== null && opens(before, after));
}

function opens(before: CodeTerms, after: CodeTerms): boolean {
  return before.status === 'draft' && after.status === 'active';
}

/**
 * Refuses a new public code that is a code of the tenant already, or could come to be one. To be called under the
 * tenant's lock, and before the book's row is written.
 * @throws CouponError `conflict`
 */
export async function refuseTakenCode(
  knownPatterns: KnownPatterns,
  tx: Transaction,
  tenantId: number,
  { before, after }: { before: CodeTerms; after: CodeTerms },
): Promise<void> {
  if (after.publicCode === null || after.publicCode === before.publicCode) return;
  await refuseTakenPublicCode(knownPatterns, tx, tenantId, after.publicCode);
}

/**
 * Does what a change of a book's terms says of its public code, and gives a deck to a book that opens with one and has
 * no codes. To be called where it concerns codes and after refuseTakenCode, under the tenant's lock (lockTenantCodes)
 * and while nobody is inside the book's gate.
 * @throws CouponError `conflict` where no pattern is free for the deck; `unavailable`
 */
export async function changePublicCode(
  core: StockCore,
  tx: Transaction,
  tenantId: number,
  bookKey: BookKey,
  { before, after }: { before: CodeTerms; after: CodeTerms },
): Promise<void> {
  if (before.publicCode !== after.publicCode) {
    if (before.publicCode !== null) await releasePublicCode(tx, tenantId, bookKey, before.publicCode);
    if (after.publicCode !== null) await reservePublicCode(tx, tenantId, bookKey, after.publicCode);
  }
  if (after.publicCode === null || !opens(before, after)) return;
  if (!(await hasCodes(tx, tenantId, bookKey))) await stockPublicBook(core, tx, tenantId, bookKey, after.publicCode);
}

async function hasCodes(tx: Transaction, tenantId: number, bookKey: BookKey): Promise<boolean> {
  const { rows } = await tx.query({
    name: 'has-codes',
    text: 'select from decks where book_id = $2 and tenant_id = $1 and size > 0 limit 1',
    values: [tenantId, bookKey],
  });
  return rows.length > 0;
}
