import { ofTenant } from '../db/of-tenant.ts';
import type { Transaction } from '../db/transaction.ts';
import type { BookKey } from '../keys.ts';

/** Locks the dealers of these books until COMMIT, ascending: whoever deals, takes or voids undealt codes holds one. */
export async function lockDealers(tx: Transaction, tenantId: number, bookKeys: BookKey[]): Promise<void> {
  await tx.query({
    name: 'lock-dealers',
    text: `select from dealers where tenant_id = $1 and book_id = any($2::int[]) order by book_id for no key update`,
    values: [tenantId, bookKeys],
  });
}

/**
 * Finds the books of which another transaction has locked the dealer's row or a deck's, with that transaction's id if
 * the row tells it. It does not wait.
 */
export async function findHeldDealers(
  tx: Transaction,
  tenantId: number,
  bookKeys: BookKey[],
): Promise<{ bookKey: BookKey; lockedBy: string }[]> {
  const { rows } = await tx.query<{ bookKey: BookKey; lockedBy: string }>({
    name: 'find-held-dealers',
    text: `select asked.id as "bookKey", held.xmax::text as "lockedBy" from unnest($2::int[]) as asked (id)
      cross join lateral (
        select d.xmax from dealers d where d.tenant_id = $1 and d.book_id = asked.id and not exists (
          select from dealers where tenant_id = $1 and book_id = asked.id for no key update skip locked)
        union all
        select d.xmax from (
          select deck_id, xmax from decks where book_id = asked.id and ${ofTenant} offset 0) as d
        where not exists (
          select from decks where tenant_id = $1 and deck_id = d.deck_id for no key update skip locked)
        limit 1) as held`,
    values: [tenantId, bookKeys],
  });
  return rows;
}
