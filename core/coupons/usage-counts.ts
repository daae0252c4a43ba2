import type { BookRules } from '../books/read-book-rules.ts';
import { plainArray } from '../db/array-text.ts';
import type { Queryable } from '../db/pool.ts';
import type { Transaction } from '../db/transaction.ts';
import type { Standing } from './coupon-rules.ts';
import type { CouponState } from './coupon-state.ts';

/** How often books and holders have used what their limits count, kept up to date while a batch decides. */
export interface Usage {
  /** Redemptions of a book; only books with maxRedemptions are in it. */
  byBook: Map<number, number>;
  /** Redemptions of a holder; only holders in books with maxRedemptionsPerUser are in it. */
  byHolder: Map<number, number>;
}

/**
 * Locks the holders of these coupons whose books limit redemptions a user. A holder's redemptions are not stored but
 * summed over its coupons: this lock is what makes the sum exact, since every redeem in such a book takes it first.
 * The holder of a coupon never changes, so it may be read before the coupon is locked.
 */
export async function lockHolders(
  tx: Transaction,
  tenantId: number,
  coupons: Iterable<CouponState>,
  books: Map<number, BookRules>,
): Promise<void> {
  const holderIds = limitedHolders(coupons, books);
  if (holderIds.length === 0) return;
  await tx.query({
    name: 'lock-holders',
    text: `select from holders where tenant_id = $1 and holder_id = any($2::bigint[])
      order by holder_id for no key update`,
    values: [tenantId, plainArray(holderIds)],
  });
}

/**
 * Locks one counter row a book: where the book limits its redemptions, stripe 0, which then holds every change and
 * makes the sum exact; else the given stripe, so that transactions in flight seldom meet. Locked last of all, ascending.
 */
export async function lockCounters(
  tx: Transaction,
  tenantId: number,
  books: BookRules[],
  stripe: number,
): Promise<void> {
  if (books.length === 0) return;
  await tx.query({
    name: 'lock-counters',
    text: `select from (select * from unnest($2::int[], $3::smallint[]) as w (book_id, stripe) order by 1, 2) as wanted
      cross join lateral (
        select from book_counters where tenant_id = $1 and book_id = wanted.book_id and stripe = wanted.stripe
        for no key update) as locked`,
    values: [
      tenantId,
      plainArray(books.map((book) => book.bookId)),
      plainArray(books.map((book) => stripeOf(book, stripe))),
    ],
  });
}

/** The stripe of a book's counter that a transaction which drew `stripe` uses. */
export function stripeOf(book: BookRules, stripe: number): number {
  return book.maxRedemptions === null ? stripe : 0;
}

/** Reads what the limits count, in statements after the last lock; nothing is asked where nothing is limited. */
export async function readUsage(
  db: Queryable,
  tenantId: number,
  coupons: Iterable<CouponState>,
  books: Map<number, BookRules>,
): Promise<Usage> {
  const limitedBooks = [...books.values()].filter((book) => book.maxRedemptions !== null).map((book) => book.bookId);
  const holderIds = limitedHolders(coupons, books);
  return {
    byBook: await sumByBook(db, tenantId, limitedBooks),
    byHolder: await sumByHolder(db, tenantId, holderIds),
  };
}

function limitedHolders(coupons: Iterable<CouponState>, books: Map<number, BookRules>): number[] {
  const holderIds = new Set<number>();
  for (const coupon of coupons) {
    const limited = books.get(coupon.bookId)?.maxRedemptionsPerUser ?? null;
    if (limited !== null && coupon.holderId !== null) holderIds.add(coupon.holderId);
  }
  return [...holderIds];
}

async function sumByBook(db: Queryable, tenantId: number, bookIds: number[]): Promise<Map<number, number>> {
  if (bookIds.length === 0) return new Map();
  const { rows } = await db.query<{ bookId: number; redemptions: number }>({
    name: 'sum-redemptions-by-book',
    text: `select book_id as "bookId", sum(redemptions)::bigint as redemptions from book_counters
      where tenant_id = $1 and book_id = any($2::int[]) group by book_id`,
    values: [tenantId, plainArray(bookIds)],
  });
  return new Map(rows.map((row) => [row.bookId, row.redemptions]));
}

async function sumByHolder(db: Queryable, tenantId: number, holderIds: number[]): Promise<Map<number, number>> {
  if (holderIds.length === 0) return new Map();
  const { rows } = await db.query<{ holderId: number; redemptions: number }>({
    name: 'sum-redemptions-by-holder',
    text: `select holder_id as "holderId", sum(redemptions)::bigint as redemptions from coupons
      where tenant_id = $1 and holder_id = any($2::bigint[]) group by holder_id`,
    values: [tenantId, plainArray(holderIds)],
  });
  return new Map(rows.map((row) => [row.holderId, row.redemptions]));
}

/** What a decision about this coupon looks at beside it. */
export function standingOf(
  coupon: CouponState,
  known: { books: Map<number, BookRules>; usage: Usage; now: Date },
): Standing {
  return {
    book: known.books.get(coupon.bookId)!,
    now: known.now,
    holderRedemptions: known.usage.byHolder.get(coupon.holderId ?? 0) ?? 0,
    bookRedemptions: known.usage.byBook.get(coupon.bookId) ?? 0,
  };
}
