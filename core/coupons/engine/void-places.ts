import type { Queryable } from '../../db/pool.ts';
import { type Place, placeMapKey } from '../../decks/place.ts';

/**
 * Which of these places hold codes that were voided before anyone had them: those below their deck's next position
 * without a coupon. The deck and the coupons are looked at in one statement, and so at one moment: a code that is dealt
 * between an earlier look and this is not void.
 */
export async function findVoidPlaces(db: Queryable, tenantId: number, withoutCoupon: Place[]): Promise<Set<string>> {
  if (withoutCoupon.length === 0) return new Set();
  const { rows } = await db.query<Place>({
    name: 'find-void-places',
    text: `select place.deck_id as "deckKey", place.pos from unnest($2::int[], $3::bigint[]) as place (deck_id, pos)
      cross join lateral (select next_pos from decks where tenant_id = $1 and deck_id = place.deck_id limit 1) as d
      where place.pos < d.next_pos and not exists (select from coupons c
        where c.tenant_id = $1 and c.deck_id = place.deck_id and c.pos = place.pos offset 0)`,
    values: [tenantId, withoutCoupon.map((place) => place.deckKey), withoutCoupon.map((place) => place.pos)],
  });
  return new Set(rows.map(placeMapKey));
}
