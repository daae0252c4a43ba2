import type { BookRules } from '../../books/read-book-rules.ts';
import { plainArray } from '../../db/array-text.ts';
import { ofTenant } from '../../db/of-tenant.ts';
import type { Queryable } from '../../db/pool.ts';
import { together } from '../../db/together.ts';
import type { Location } from '../../decks/locate-codes.ts';
import type { BookKey } from '../../keys.ts';
import type { DecisionContext } from '../rules/coupon-rules.ts';
import type { CouponState } from '../rules/coupon-state.ts';
import { limitedBooks, limitedCoupons, locationArrays } from './locks/limited-books.ts';

/** How often books and holders have used what their limits count, kept up to date while a batch decides. */
export interface Usage {
  /** Redemptions of a book; only books with maxRedemptions are in it. */
  byBook: Map<BookKey, number>;
  /** Redemptions of a holder; only holders in books with maxRedemptionsPerUser are in it. */
  byHolder: Map<number, number>;
}

/**
 * Reads the redemptions that limits count: those of the books and holders at these places, and of the books in `more`.
 * To be called after the last lock.
 */
export async function readUsage(
  db: Queryable,
  tenantId: number,
  locations: Location[],
  more: BookKey[] = [],
): Promise<Usage> {
  const [byBook, byHolder] = await together([
    sumByBook(db, tenantId, [...new Set([...locations.map(({ bookKey }) => bookKey), ...more])]),
    sumByHolder(db, tenantId, locations),
  ]);
  return { byBook, byHolder };
}

const sumByBookSql = `select limited.id as "bookKey", c.redemptions
      from unnest(${limitedBooks('max_redemptions', '$2::int[]')}) as limited (id)
      cross join lateral (
        select sum(redemptions)::bigint as redemptions from book_counters
        where tenant_id = $1 and book_id = limited.id) as c`;

/** The redemptions of those of these books that limit them. To be called after the last lock. */
export async function sumByBook(db: Queryable, tenantId: number, bookKeys: BookKey[]): Promise<Map<BookKey, number>> {
  if (bookKeys.length === 0) return new Map();
  const { rows } = await db.query<{ bookKey: BookKey; redemptions: number }>({
    name: 'sum-redemptions-by-book',
    text: sumByBookSql,
    values: [tenantId, plainArray(bookKeys)],
  });
  return new Map(rows.map((row) => [row.bookKey, row.redemptions]));
}

const sumByHolderSql = `select wanted.holder_id as "holderId", (sum(c.redemptions) + (
          select carried_redemptions from holders where tenant_id = $1 and holder_id = wanted.holder_id))::bigint as redemptions
      from (select distinct holder_id from (${limitedCoupons}) as limited) as wanted
      cross join lateral (
        select redemptions from coupons where holder_id = wanted.holder_id and ${ofTenant} offset 0) as c
      group by wanted.holder_id`;

async function sumByHolder(db: Queryable, tenantId: number, locations: Location[]): Promise<Map<number, number>> {
  if (locations.length === 0) return new Map();
  const { rows } = await db.query<{ holderId: number; redemptions: number }>({
    name: 'sum-redemptions-by-holder',
    text: sumByHolderSql,
    values: [tenantId, ...locationArrays(locations)],
  });
  return new Map(rows.map((row) => [row.holderId, row.redemptions]));
}

/** Counts what a change has used, or given back where it is negative. */
export function addToUsage({ byBook, byHolder }: Usage, bookKey: BookKey, holderId: number, used: number): void {
  addTo(byBook, bookKey, used);
  addTo(byHolder, holderId, used);
}

/** Adds to a sum that is kept; what no limit counts is not kept. */
function addTo<Key>(sums: Map<Key, number>, key: Key, amount: number): void {
  const sum = sums.get(key);
  if (sum !== undefined) sums.set(key, sum + amount);
}

/** What a decision about this coupon needs to know besides the coupon. */
export function contextOf(
  coupon: CouponState,
  known: { books: Map<BookKey, BookRules>; usage: Usage; now: Date },
  isLockToken: DecisionContext['isLockToken'],
): DecisionContext {
  return {
    isLockToken,
    book: known.books.get(coupon.bookKey)!,
    now: known.now,
    holderRedemptions: known.usage.byHolder.get(coupon.holderId ?? 0) ?? 0,
    bookRedemptions: known.usage.byBook.get(coupon.bookKey) ?? 0,
  };
}
