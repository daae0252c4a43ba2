import { ofTenant } from '../db/of-tenant.ts';
import type { Queryable } from '../db/pool.ts';
import type { Place } from '../decks/place.ts';
import type { RedemptionsWanted } from './redemptions-wanted.ts';

/** Coupons and redemptions of one user, or of one coupon, that are few enough to be looked up one by one. */
const fewMax = 5_000;

/** The coupons that hold all that is wanted, where that is known and they have few redemptions; null elsewhere. */
export async function findFewPlaces(
  db: Queryable,
  tenantId: number,
  wanted: RedemptionsWanted,
): Promise<Place[] | null> {
  const { place, userId } = wanted;
  if (place === null && userId === null) return null;
  const coupons = place === null ? await couponsOfUser(db, tenantId, wanted) : await couponAt(db, tenantId, place);
  const times = coupons.reduce((sum, coupon) => sum + coupon.times, 0);
  return coupons.length > fewMax || times > fewMax ? null : coupons.filter((coupon) => coupon.times > 0);
}

/** A coupon, with how often it was redeemed, given back or not. */
type RedeemedPlace = Place & { times: number };

async function couponAt(db: Queryable, tenantId: number, place: Place): Promise<RedeemedPlace[]> {
  const { rows } = await db.query<RedeemedPlace>({
    name: 'times-of-coupon',
    text: `select deck_id as "deckKey", pos, redemptions + reversals as times from coupons
      where tenant_id = $1 and deck_id = $2 and pos = $3`,
    values: [tenantId, place.deckKey, place.pos],
  });
  return rows;
}

/** Those in the user's hands and those given away. */
async function couponsOfUser(
  db: Queryable,
  tenantId: number,
  { userId, bookKey }: RedemptionsWanted,
): Promise<RedeemedPlace[]> {
  const { rows } = await db.query<RedeemedPlace>({
    name: 'times-of-user',
    text: `select c.deck_id as "deckKey", c.pos, c.redemptions + c.reversals as times
      from (
        select holder_id from holders
        where tenant_id = $1 and user_id = $2 and ($3::int is null or book_id = $3) offset 0) as h
      cross join lateral (
        (select deck_id, pos, redemptions, reversals from coupons where holder_id = h.holder_id and ${ofTenant} limit $4)
        union
        (select given.* from former_holders f cross join lateral (
           select deck_id, pos, redemptions, reversals from coupons
           where tenant_id = $1 and deck_id = f.deck_id and pos = f.pos limit 1) as given
         where f.holder_id = h.holder_id and f.${ofTenant} limit $4)) as c
      limit $4`,
    values: [tenantId, userId, bookKey, fewMax + 1],
  });
  return rows;
}
