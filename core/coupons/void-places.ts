import type { Location } from '../codes/locate-codes.ts';
import type { Queryable } from '../db/pool.ts';
import type { CouponState } from './coupon-state.ts';
import { placeName } from './read-coupon-states.ts';

/**
 * Which of these places hold codes that were voided before anyone had them: those below their deck's next position
 * without a coupon. Asks nothing when every place has its coupon.
 */
export async function findVoidPlaces(
  db: Queryable,
  tenantId: number,
  locations: Location[],
  coupons: Map<string, CouponState>,
): Promise<Set<string>> {
  const bare = locations.filter((location) => !coupons.has(placeName(location)));
  if (bare.length === 0) return new Set();
  const { rows } = await db.query<{ deckId: number; nextPos: number }>({
    name: 'read-next-positions',
    text: `select deck_id as "deckId", next_pos as "nextPos" from decks where tenant_id = $1 and deck_id = any($2::int[])`,
    values: [tenantId, [...new Set(bare.map((location) => location.deckId))]],
  });
  const nextPositions = new Map(rows.map((row) => [row.deckId, row.nextPos]));
  return new Set(bare.filter(({ deckId, pos }) => pos < (nextPositions.get(deckId) ?? 0)).map(placeName));
}
