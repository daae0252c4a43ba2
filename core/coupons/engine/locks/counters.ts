import type { BookRules } from '../../../books/read-book-rules.ts';
import { plainArray } from '../../../db/array-text.ts';
import type { Transaction } from '../../../db/transaction.ts';
import type { Location } from '../../../decks/locate-codes.ts';
import type { BookKey } from '../../../keys.ts';
import { limitedBooks, locationArrays } from './limited-books.ts';

/** A row of a book's counter that somebody else has locked. */
export interface HeldCounter {
  readonly bookKey: BookKey;
  readonly stripe: number;
  /** Whether the book limits its redemptions, and so needs its stripe 0. */
  readonly isLimited: boolean;
  readonly lockedBy: string;
}

const lockWanted = `cross join lateral (
        select from book_counters where tenant_id = $1 and book_id = wanted.book_id and stripe = 0
        for no key update) as locked`;

const lockCountersSql = `select from (
        select distinct book_id from unnest($2::int[], $3::bigint[], $4::int[]) as place (deck_id, pos, book_id)
        where book_id = any(${limitedBooks('max_redemptions', '$4::int[]')})
          and exists (select from coupons c
            where c.tenant_id = $1 and c.deck_id = place.deck_id and c.pos = place.pos offset 0)
        order by book_id) as wanted
      ${lockWanted}`;

/**
 * Locks the counter of each book that limits its redemptions and has a coupon at one of these places: stripe 0, which
 * then holds every change of the book's count, so that the sum is exact. Locked last of all, ascending.
 * @param bookKeys books whose coupons are about to be dealt, and so stand at no place yet; a batch names either kind
 */
export async function lockCounters(
  tx: Transaction,
  tenantId: number,
  locations: Location[],
  bookKeys: BookKey[] = [],
): Promise<void> {
  if (bookKeys.length > 0) await lockCountersOfBooks(tx, tenantId, bookKeys);
  if (locations.length === 0) return;
  await tx.query({
    name: 'lock-counters',
    text: lockCountersSql,
    values: [tenantId, ...locationArrays(locations)],
  });
}

const lockCountersOfBooksSql = `select from (
        select book_id from unnest(${limitedBooks('max_redemptions', '$2::int[]')}) as limited (book_id)
        order by book_id) as wanted
      ${lockWanted}`;

async function lockCountersOfBooks(tx: Transaction, tenantId: number, bookKeys: BookKey[]): Promise<void> {
  await tx.query({
    name: 'lock-counters-of-books',
    text: lockCountersOfBooksSql,
    values: [tenantId, plainArray(bookKeys)],
  });
}

/**
 * The stripe of a book's counter that a transaction which drew `stripe` uses: any one, so that transactions in flight
 * seldom meet, unless the book limits its redemptions.
 */
export function stripeOf(book: BookRules, stripe: number): number {
  return book.maxRedemptions === null ? stripe : 0;
}

/** The rows of these books' counters that somebody else holds. */
export async function findHeldCounters(tx: Transaction, tenantId: number, bookKeys: BookKey[]): Promise<HeldCounter[]> {
  const { rows } = await tx.query<HeldCounter>({
    name: 'find-held-counters',
    text: `select asked.id as "bookKey", c.stripe, asked.id = any(${limitedBooks('max_redemptions', '$2::int[]')}) as "isLimited",
        c.xmax::text as "lockedBy"
      from unnest($2::int[]) as asked (id)
      cross join lateral (
        select stripe, xmax from book_counters where tenant_id = $1 and book_id = asked.id offset 0) as c
      where not exists (
        select from book_counters where tenant_id = $1 and book_id = asked.id and stripe = c.stripe
        for no key update skip locked)`,
    values: [tenantId, plainArray(bookKeys)],
  });
  return rows;
}
