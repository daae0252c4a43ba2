import type { Location } from '../codes/locate-codes.ts';
import type { Queryable } from '../db/pool.ts';
import type { Transaction } from '../db/transaction.ts';
import type { CouponState } from './coupon-state.ts';

/** Where a coupon stands: its code's place in a deck. */
export interface Place {
  deckId: number;
  pos: number;
}

/** A place as a Map's key. */
export function placeName(place: Place): string {
  return `${place.deckId} ${place.pos}`;
}

type Row = Omit<CouponState, 'bookId'>;

const columns = `c.deck_id as "deckId", c.pos, c.code, c.holder_id as "holderId",
        (select h.user_id from holders h where h.tenant_id = $1 and h.holder_id = c.holder_id) as "userId",
        c.assigned_at as "assignedAt", c.max_redemptions as "maxRedemptions", c.rev, c.redemptions, c.fence,
        c.lock_expires_at as "lockExpiresAt", c.voided
      from unnest($2::int[], $3::bigint[]) as place (deck_id, pos)
      join coupons c on c.tenant_id = $1 and c.deck_id = place.deck_id and c.pos = place.pos`;

/**
 * Locks the coupons at these places until COMMIT and reads them as they are under the lock; a place without a coupon
 * is not in the map. They are locked in the order of their places, like everywhere: two transactions that want the
 * same coupons then never wait for each other in a circle (a plain UPDATE over the list did, six times in four
 * seconds). NO KEY UPDATE, because nothing refers to a coupon's key that a weaker lock would hold up.
 */
export function lockCoupons(
  tx: Transaction,
  tenantId: number,
  locations: Location[],
): Promise<Map<string, CouponState>> {
  return read(tx, tenantId, locations, 'lock-coupons', 'order by c.deck_id, c.pos for no key update of c');
}

/**
 * Reads the coupons at these places without a lock: for a look, or where another lock keeps them still (a coupon is
 * made only under its book's dealer row).
 */
export function readCouponStates(
  db: Queryable,
  tenantId: number,
  locations: Location[],
): Promise<Map<string, CouponState>> {
  return read(db, tenantId, locations, 'read-coupons', '');
}

async function read(
  db: Queryable,
  tenantId: number,
  locations: Location[],
  name: string,
  ending: string,
): Promise<Map<string, CouponState>> {
  if (locations.length === 0) return new Map();
  const places = new Map(locations.map((location) => [placeName(location), location]));
  const wanted = [...places.values()];
  const { rows } = await db.query<Row>({
    name,
    text: `select ${columns} ${ending}`,
    values: [tenantId, wanted.map((place) => place.deckId), wanted.map((place) => place.pos)],
  });
  return new Map(
    rows.map((row) => {
      const name = placeName(row);
      return [name, { ...row, bookId: places.get(name)!.bookId }];
    }),
  );
}
