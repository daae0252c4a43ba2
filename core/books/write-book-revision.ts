import type { Transaction } from '../db/transaction.ts';
import type { BookKey } from '../keys.ts';
import { auditedTerms, termColumns } from './book-terms.ts';

const audited = termColumns(auditedTerms);

/**
 * Writes down what the book's row now allows and since when, by whom: the audit of its rules, against which events can
 * be held. To be called after the row has been written, in the same transaction.
 */
export async function writeBookRevision(
  tx: Transaction,
  tenantId: number,
  bookKey: BookKey,
  actor: string,
): Promise<void> {
  await tx.query({
    name: 'write-book-revision',
    text: `insert into book_revisions (tenant_id, book_id, rev, at, actor, ${audited})
      select tenant_id, book_id, rev, updated_at, $3, ${audited}
      from books where tenant_id = $1 and book_id = $2`,
    values: [tenantId, bookKey, actor],
  });
}
