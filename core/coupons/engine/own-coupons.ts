import { plainArray, textArray } from '../../db/array-text.ts';
import type { Queryable } from '../../db/pool.ts';
import type { Location } from '../../decks/locate-codes.ts';
import type { BookKey } from '../../keys.ts';
import { holderMapKey } from './holders.ts';
import { ownCoupon } from './own-coupon-sql.ts';

/** A user, and the book whose coupon is meant. */
export interface BookUser {
  readonly bookKey: BookKey;
  readonly userId: string;
}

/** A user of a book with a public code. */
export interface OwnCoupon {
  /** Where the user's coupon stands, as far as there is one. */
  readonly location: Location | null;
  /** Redemptions that count for the user beside those of its coupons (carried_redemptions). */
  readonly carried: number;
}

const findOwnCouponsSql = `select w.book_id as "bookKey", w.user_id as "userId", h.carried_redemptions as carried,
        c.deck_id as "deckKey", c.pos, c.code
      from unnest($2::int[], $3::text[]) as w (book_id, user_id)
      cross join lateral (
        select holder_id, carried_redemptions from holders
        where tenant_id = $1 and user_id = w.user_id and book_id = w.book_id limit 1) as h
      left join lateral (${ownCoupon('h.holder_id')}) as c on true`;

/**
 * The coupon that each of these users has of a book, by holderMapKey: a book with a public code gives one to a user.
 * One that was voided is still the user's own, unless there is another. A user who never had one is not in the map.
 *
 * It takes no lock, so it may be out of date once it is answered.
 */
export async function findOwnCoupons(
  db: Queryable,
  tenantId: number,
  users: BookUser[],
): Promise<Map<string, OwnCoupon>> {
  const wanted = [...new Map(users.map((one) => [holderMapKey(one.bookKey, one.userId), one])).values()];
  if (wanted.length === 0) return new Map();
  const { rows } = await db.query<
    BookUser & Omit<Location, 'bookKey' | 'deckKey'> & { deckKey: Location['deckKey'] | null; carried: number }
  >({
    name: 'find-own-coupons',
    text: findOwnCouponsSql,
    values: [tenantId, plainArray(wanted.map(({ bookKey }) => bookKey)), textArray(wanted.map(({ userId }) => userId))],
  });
  return new Map(
    rows.map(({ bookKey, userId, carried, deckKey, pos, code }) => {
      const location = deckKey === null ? null : { bookKey, deckKey, pos, code };
      return [holderMapKey(bookKey, userId), { location, carried }];
    }),
  );
}
