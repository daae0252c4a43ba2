import { plainArray, textArray } from '../../db/array-text.ts';
import { ofTenant } from '../../db/of-tenant.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { BookKey } from '../../keys.ts';
import { booksWhere } from './locks/limited-books.ts';
import { ownCoupon } from './own-coupon-sql.ts';

/** A user in a book, as a batch that hands out codes sees it. */
export interface Holder {
  readonly bookKey: BookKey;
  readonly userId: string;
  /** Reserved from the sequence if the user has had no code of the book yet. */
  readonly holderId: number;
  /** There is no row yet. */
  readonly isNew: boolean;
  /** Redemptions that count for the user beside those of coupons in hand. */
  readonly carried: number;
  /**
   * In a book with a public code, where it was asked for: the user's own coupon, as findOwnCoupons says, if there is
   * one.
   */
  readonly own: { readonly rev: number; readonly voided: boolean } | null;
  /** Coupons in hand, voided ones excluded; kept only where the book limits them. */
  codes: number;
}

/** A holder as the key of a Map. */
export function holderMapKey(bookKey: BookKey, userId: string): string {
  return `${bookKey}\n${userId}`;
}

const limitedBooks = booksWhere('max_codes_per_user is not null or public_code is not null', '$2::int[]');
const publicBooks = booksWhere('public_code is not null', '$2::int[]');

/** The statement of readHolders. To look for each user's own coupon takes a third of its time. */
function holdersSql(own: { columns: string; join: string }): string {
  return `select w.book_id as "bookKey", w.user_id as "userId",
        coalesce(h.holder_id, nextval('holders_holder_id_seq')) as "holderId", h.holder_id is null as "isNew",
        coalesce(h.carried_redemptions, 0) as carried, ${own.columns},
        case when h.holder_id is not null and w.book_id = any(${limitedBooks})
          then (
            select count(*) from (
              select voided from coupons where holder_id = h.holder_id and ${ofTenant} offset 0) as c
            where not c.voided)
          else 0 end as codes
      from unnest($2::int[], $3::text[]) as w (book_id, user_id)
      left join lateral (
        select holder_id, carried_redemptions from holders
        where tenant_id = $1 and user_id = w.user_id and book_id = w.book_id limit 1) as h on true
      ${own.join}`;
}

const readHoldersSql = holdersSql({ columns: 'null as "ownRev"', join: '' });
const readHoldersAndOwnSql = holdersSql({
  columns: 'own.rev as "ownRev", own.voided as "ownVoided"',
  join: `left join lateral (${ownCoupon(`case when w.book_id = any(${publicBooks}) then h.holder_id end`)}) as own on true`,
});

/**
 * Reads the holders that these users are already, with their coupons counted where the book limits them, and reserves
 * ids for the new ones.
 *
 * Exact in a statement after the books' dealer locks: every new holder and every new coupon of a book is made under its
 * dealer's lock. (Counting rows that an upsert changed is not: its INSERT arm is not guarded by its WHERE, and a new
 * user passes any limit.)
 * @param isOwnWanted whether the own coupons are read too
 */
export async function readHolders(
  tx: Transaction,
  tenantId: number,
  wanted: { bookKey: BookKey; userId: string }[],
  isOwnWanted = false,
): Promise<Map<string, Holder>> {
  const asked = [...new Map(wanted.map((one) => [holderMapKey(one.bookKey, one.userId), one])).values()];
  if (asked.length === 0) return new Map();
  const { rows } = await tx.query<Omit<Holder, 'own'> & { ownRev: number | null; ownVoided: boolean }>({
    ...(isOwnWanted
      ? { name: 'read-holders-and-own', text: readHoldersAndOwnSql }
      : { name: 'read-holders', text: readHoldersSql }),
    values: [tenantId, plainArray(asked.map(({ bookKey }) => bookKey)), textArray(asked.map(({ userId }) => userId))],
  });
  return new Map(
    rows.map(({ ownRev, ownVoided, ...row }) => {
      const own = ownRev === null ? null : { rev: ownRev, voided: ownVoided };
      return [holderMapKey(row.bookKey, row.userId), { ...row, own }];
    }),
  );
}

/** Makes the rows of holders that have none yet. Under the dealers' locks nobody else makes them. */
export function insertHolders(tx: Transaction, tenantId: number, holders: Holder[]): void {
  if (holders.length === 0) return;
  tx.send({
    name: 'insert-holders',
    text: `insert into holders (tenant_id, holder_id, book_id, user_id) overriding system value
      select $1::int, * from unnest($2::bigint[], $3::int[], $4::text[])`,
    values: [
      tenantId,
      plainArray(holders.map(({ holderId }) => holderId)),
      plainArray(holders.map(({ bookKey }) => bookKey)),
      textArray(holders.map(({ userId }) => userId)),
    ],
  });
}
