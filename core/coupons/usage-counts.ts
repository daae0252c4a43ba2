import type { BookRules } from '../books/read-book-rules.ts';
import { plainArray } from '../db/array-text.ts';
import type { Queryable } from '../db/pool.ts';
import { together } from '../db/together.ts';
import type { Transaction } from '../db/transaction.ts';
import type { Location } from '../decks/locate-codes.ts';
import type { BookKey, DeckKey } from '../keys.ts';
import type { Standing } from './coupon-rules.ts';
import type { CouponState } from './coupon-state.ts';
import { placeName } from './read-coupon-states.ts';

/** How often books and holders have used what their limits count, kept up to date while a batch decides. */
export interface Usage {
  /** Redemptions of a book; only books with maxRedemptions are in it. */
  byBook: Map<number, number>;
  /** Redemptions of a holder; only holders in books with maxRedemptionsPerUser are in it. */
  byHolder: Map<number, number>;
}

/**
 * The statements here find out by themselves what the books limit, so that a batch can send them without waiting for
 * the books' rules. They come after the books' gates, inside which the rules don't change.
 */
const limitedBooks = (limit: 'max_redemptions' | 'max_redemptions_per_user', bookIds: string) =>
  `array(select asked.id from unnest(${bookIds}) as asked (id)
        where exists (select from books where book_id = asked.id and tenant_id = $1 and ${limit} is not null offset 0))`;

/** Of the places in $2, $3 and $4, the coupons in books that limit redemptions a user. */
const limitedCoupons = `select place.deck_id, place.pos, c.holder_id
      from unnest($2::int[], $3::bigint[], $4::int[]) as place (deck_id, pos, book_id)
      cross join lateral (
        select holder_id from coupons where tenant_id = $1 and deck_id = place.deck_id and pos = place.pos limit 1) as c
      where place.book_id = any(${limitedBooks('max_redemptions_per_user', '$4::int[]')})`;

/**
 * Locks the holders of the coupons at these places whose books limit redemptions a user, ascending, and returns the
 * places of those coupons. A holder's redemptions are not stored but summed over its coupons: this lock is what makes
 * the sum exact, since every redeem in such a book takes it first. The holder of a coupon never changes, so it may be
 * read before the coupon is locked. (What is locked is counted because PostgreSQL does not run a part of a statement
 * that nothing reads.)
 */
export async function lockHolders(tx: Transaction, tenantId: number, locations: Location[]): Promise<Set<string>> {
  if (locations.length === 0) return new Set();
  const { rows } = await tx.query<{ deckKey: DeckKey; pos: number }>({
    name: 'lock-holders',
    text: `with seen as materialized (${limitedCoupons}),
      locked as materialized (
        select from (select distinct holder_id from seen order by holder_id) as wanted
        cross join lateral (
          select from holders where tenant_id = $1 and holder_id = wanted.holder_id for no key update) as h)
      select deck_id as "deckKey", pos from seen where (select count(*) from locked) >= 0`,
    values: [tenantId, ...placeArrays(locations)],
  });
  return new Set(rows.map(placeName));
}

/**
 * Locks the counter of each book that limits its redemptions and has a coupon at one of these places: stripe 0, which
 * then holds every change of the book's count, so that the sum is exact. Locked last of all, ascending.
 */
export async function lockCounters(tx: Transaction, tenantId: number, locations: Location[]): Promise<void> {
  if (locations.length === 0) return;
  await tx.query({
    name: 'lock-counters',
    text: `select from (
        select distinct book_id from unnest($2::int[], $3::bigint[], $4::int[]) as place (deck_id, pos, book_id)
        where book_id = any(${limitedBooks('max_redemptions', '$4::int[]')})
          and exists (select from coupons c
            where c.tenant_id = $1 and c.deck_id = place.deck_id and c.pos = place.pos offset 0)
        order by book_id) as wanted
      cross join lateral (
        select from book_counters where tenant_id = $1 and book_id = wanted.book_id and stripe = 0
        for no key update) as locked`,
    values: [tenantId, ...placeArrays(locations)],
  });
}

/** Of the coupons at these places whose holder lockHolders would lock, those whose holder somebody else holds, and who that is. */
export async function findHeldHolders(
  tx: Transaction,
  tenantId: number,
  locations: Location[],
): Promise<{ deckKey: DeckKey; pos: number; bookKey: BookKey; userId: string | null; lockedBy: string }[]> {
  if (locations.length === 0) return [];
  const { rows } = await tx.query<{
    deckKey: DeckKey;
    pos: number;
    bookKey: BookKey;
    userId: string | null;
    lockedBy: string;
  }>({
    name: 'find-held-holders',
    text: `select seen.deck_id as "deckKey", seen.pos, h.book_id as "bookKey", h.user_id as "userId", h.xmax::text as "lockedBy"
      from (${limitedCoupons}) as seen
      cross join lateral (
        select book_id, user_id, xmax from holders where tenant_id = $1 and holder_id = seen.holder_id limit 1) as h
      where not exists (
        select from holders where tenant_id = $1 and holder_id = seen.holder_id for no key update skip locked)`,
    values: [tenantId, ...placeArrays(locations)],
  });
  return rows;
}

/** The rows of these books' counters that somebody else holds, and whether the book needs its stripe 0. */
export async function findHeldCounters(
  tx: Transaction,
  tenantId: number,
  bookKeys: BookKey[],
): Promise<{ bookKey: BookKey; stripe: number; isLimited: boolean; lockedBy: string }[]> {
  const { rows } = await tx.query<{ bookKey: BookKey; stripe: number; isLimited: boolean; lockedBy: string }>({
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

/**
 * The stripe of a book's counter that a transaction which drew `stripe` uses: any one, so that transactions in flight
 * seldom meet, unless the book limits its redemptions.
 */
export function stripeOf(book: BookRules, stripe: number): number {
  return book.maxRedemptions === null ? stripe : 0;
}

/** Reads what the limits count of the books and holders at these places, in statements after the last lock. */
export async function readUsage(db: Queryable, tenantId: number, locations: Location[]): Promise<Usage> {
  if (locations.length === 0) return { byBook: new Map(), byHolder: new Map() };
  const [byBook, byHolder] = await together([
    sumByBook(db, tenantId, [...new Set(locations.map(({ bookKey }) => bookKey))]),
    sumByHolder(db, tenantId, locations),
  ]);
  return { byBook, byHolder };
}

async function sumByBook(db: Queryable, tenantId: number, bookKeys: BookKey[]): Promise<Map<number, number>> {
  const { rows } = await db.query<{ bookKey: BookKey; redemptions: number }>({
    name: 'sum-redemptions-by-book',
    text: `select limited.id as "bookKey", c.redemptions
      from unnest(${limitedBooks('max_redemptions', '$2::int[]')}) as limited (id)
      cross join lateral (
        select sum(redemptions)::bigint as redemptions from book_counters
        where tenant_id = $1 and book_id = limited.id) as c`,
    values: [tenantId, plainArray(bookKeys)],
  });
  return new Map(rows.map((row) => [row.bookKey, row.redemptions]));
}

async function sumByHolder(db: Queryable, tenantId: number, locations: Location[]): Promise<Map<number, number>> {
  const { rows } = await db.query<{ holderId: number; redemptions: number }>({
    name: 'sum-redemptions-by-holder',
    // The look-up names the holder alone: asked for the tenant too, PostgreSQL may read all of the tenant's coupons.
    text: `select wanted.holder_id as "holderId", sum(c.redemptions)::bigint as redemptions
      from (select distinct holder_id from (${limitedCoupons}) as limited) as wanted
      cross join lateral (
        select tenant_id, redemptions from coupons where holder_id = wanted.holder_id offset 0) as c
      where c.tenant_id = $1 group by wanted.holder_id`,
    values: [tenantId, ...placeArrays(locations)],
  });
  return new Map(rows.map((row) => [row.holderId, row.redemptions]));
}

function placeArrays(locations: Location[]): string[] {
  return [
    plainArray(locations.map(({ deckKey }) => deckKey)),
    plainArray(locations.map(({ pos }) => pos)),
    plainArray(locations.map(({ bookKey }) => bookKey)),
  ];
}

/** What a decision about this coupon looks at beside it. */
export function standingOf(
  coupon: CouponState,
  known: { books: Map<BookKey, BookRules>; usage: Usage; now: Date },
  isLockToken: Standing['isLockToken'],
): Standing {
  return {
    isLockToken,
    book: known.books.get(coupon.bookKey)!,
    now: known.now,
    holderRedemptions: known.usage.byHolder.get(coupon.holderId ?? 0) ?? 0,
    bookRedemptions: known.usage.byBook.get(coupon.bookKey) ?? 0,
  };
}
