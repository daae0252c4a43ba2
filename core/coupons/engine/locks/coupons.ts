import { plainArray } from '../../../db/array-text.ts';
import type { Queryable } from '../../../db/pool.ts';
import type { Transaction } from '../../../db/transaction.ts';
import type { Location } from '../../../decks/locate-codes.ts';
import { type Place, placeMapKey } from '../../../decks/place.ts';
import type { CouponState } from '../../rules/coupon-state.ts';
import { hasPlainTokenSql } from '../../rules/lock-expiry.ts';

/**
 * Each place is looked up by the coupons' key, in the order of `places`. A plain join would let PostgreSQL choose the
 * order, and without statistics of a new table it reads all of the tenant's coupons for every batch.
 */
const select = (locking: string) => `select c.*,
        (select h.user_id from holders h where h.holder_id = c."holderId" and h.tenant_id = $1) as "userId"
      from (select * from unnest($2::int[], $3::bigint[]) as p (deck_id, pos) order by deck_id, pos) as place
      cross join lateral (
        select deck_id as "deckKey", pos, code, holder_id as "holderId", assigned_at as "assignedAt",
          max_redemptions as "maxRedemptions", valid_until as "validUntil", rev, redemptions, reversals, fence, lock_expires_at as "lockExpiresAt",
          ${hasPlainTokenSql('lock_expires_at')} as "hasPlainToken", voided
        from coupons where tenant_id = $1 and deck_id = place.deck_id and pos = place.pos ${locking}) as c`;

const lockCouponsSql = select('for no key update');
const readCouponsSql = select('limit 1');

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
  return read(tx, tenantId, locations, 'lock-coupons', lockCouponsSql);
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
  return read(db, tenantId, locations, 'read-coupons', readCouponsSql);
}

/**
 * Finds the places whose coupon's row another transaction has locked, with that transaction's id if the row tells it.
 * It does not wait.
 */
export async function findHeldCoupons(
  tx: Transaction,
  tenantId: number,
  locations: Location[],
): Promise<(Place & { lockedBy: string })[]> {
  if (locations.length === 0) return [];
  const { rows } = await tx.query<Place & { lockedBy: string }>({
    name: 'find-held-coupons',
    text: `select p.deck_id as "deckKey", p.pos, c.xmax::text as "lockedBy"
      from unnest($2::int[], $3::bigint[]) as p (deck_id, pos)
      cross join lateral (
        select xmax from coupons where tenant_id = $1 and deck_id = p.deck_id and pos = p.pos limit 1) as c
      where not exists (
          select from coupons where tenant_id = $1 and deck_id = p.deck_id and pos = p.pos
          for no key update skip locked)`,
    values: [
      tenantId,
      plainArray(locations.map(({ deckKey }) => deckKey)),
      plainArray(locations.map(({ pos }) => pos)),
    ],
  });
  return rows;
}

type Row = Omit<CouponState, 'bookKey'>;

async function read(
  db: Queryable,
  tenantId: number,
  locations: Location[],
  name: string,
  text: string,
): Promise<Map<string, CouponState>> {
  if (locations.length === 0) return new Map();
  const places = new Map(locations.map((location) => [placeMapKey(location), location]));
  const wanted = [...places.values()];
  const { rows } = await db.query<Row>({
    name,
    text,
    values: [tenantId, plainArray(wanted.map((place) => place.deckKey)), plainArray(wanted.map((place) => place.pos))],
  });
  return new Map(
    rows.map((row) => {
      const key = placeMapKey(row);
      return [key, { ...row, bookKey: places.get(key)!.bookKey }];
    }),
  );
}
