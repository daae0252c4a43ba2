import { plainArray } from '../../../db/array-text.ts';
import { ofTenant } from '../../../db/of-tenant.ts';
import type { Location } from '../../../decks/locate-codes.ts';

/**
 * SQL: an array of those of these books that are so. Each is read once, however often it is named.
 *
 * Statements find out by themselves what the books limit, so that a batch can send them without waiting for
 * the books' rules. They come after the books' gates, inside which the rules don't change.
 */
export const booksWhere = (condition: string, bookIds: string) =>
  `array(select asked.id from (select distinct id from unnest(${bookIds}) as each (id)) as asked
        where exists (select from books where book_id = asked.id and ${ofTenant} and (${condition}) offset 0))`;

/** Those of these books that limit redemptions. */
export const limitedBooks = (limit: 'max_redemptions' | 'max_redemptions_per_user', bookIds: string) =>
  booksWhere(`${limit} is not null`, bookIds);

/** Of the places in $2, $3 and $4, the coupons in books that limit redemptions a user. */
export const limitedCoupons = `select place.deck_id, place.pos, c.holder_id
      from unnest($2::int[], $3::bigint[], $4::int[]) as place (deck_id, pos, book_id)
      cross join lateral (
        select holder_id from coupons where tenant_id = $1 and deck_id = place.deck_id and pos = place.pos limit 1) as c
      where place.book_id = any(${limitedBooks('max_redemptions_per_user', '$4::int[]')})`;

/** The places that limitedCoupons takes as $2, $3 and $4. */
export function locationArrays(locations: Location[]): string[] {
  return [
    plainArray(locations.map(({ deckKey }) => deckKey)),
    plainArray(locations.map(({ pos }) => pos)),
    plainArray(locations.map(({ bookKey }) => bookKey)),
  ];
}
