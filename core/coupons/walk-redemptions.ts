import type { Core } from '../core.ts';
import { ofTenant } from '../db/of-tenant.ts';
import type { Queryable } from '../db/pool.ts';
import type { Place } from '../decks/place.ts';
import type { BookKey } from '../keys.ts';
import { limits } from '../limits.ts';

/** What a walk through redemptions reads with. */
export type RedemptionWalkCore = Pick<Core, 'readPool' | 'coldTurns'>;

/** Which redemptions are wanted; what is null wants all. */
export interface RedemptionsWanted {
  readonly bookKey: BookKey | null;
  readonly userId: string | null;
  readonly place: Place | null;
  readonly reference: string | null;
  /** The lowest id, as text: ids begin with the milliseconds of their redemption. */
  readonly fromId: string;
}

/** One stretch of the way through a tenant's redemptions. */
export interface RedemptionStretch {
  /** Newest first. */
  readonly ids: string[];
  /** The last id looked at, to go on below it; null: there are no more. */
  readonly last: string | null;
}

/** Rows that one statement looks at, at most. */
const pieceMaxRows = 2_000;
/** Coupons and redemptions of one user, or of one coupon, that are few enough to be looked up one by one. */
const fewMax = 5_000;

/**
 * Whether a redemption `r` is wanted. The look-ups are by whole keys; `offset 0` keeps PostgreSQL from making one list
 * of a whole table out of one of them.
 */
const isWanted = `($2::int is null or exists (
      select from decks where tenant_id = $1 and deck_id = r.deck_id and book_id = $2 offset 0))
    and ($3::text is null or exists (
      select from redeemers e cross join lateral (
        select user_id from holders where holder_id = e.holder_id and tenant_id = $1 limit 1) as h
      where e.tenant_id = $1 and e.deck_id = r.deck_id and e.pos = r.pos and e.at = r.at and e.redemption_id = r.id
        and h.user_id = $3 offset 0))
    and ($4::text is null or r.reference = $4)
    and ($5::int is null or (r.deck_id = $5 and r.pos = $6::bigint))`;

/**
 * Finds redemptions below the id `below`, newest first, `count` of them at most. Redemptions have one index, by their
 * ids, which are in the order of time; one more would slow each redeem. So a user's or a coupon's are found by their
 * events, where they are few. All others are looked at by their ids, limits.pageScanMaxRows at most: then a stretch may
 * have found few, or none, and still have more to go through.
 *
 * Walks of a tenant take turns.
 * @throws CouponError `unavailable`, not begun, where too many of the tenant's walks wait
 */
export async function walkRedemptions(
  core: RedemptionWalkCore,
  tenantId: number,
  wanted: RedemptionsWanted,
  below: string,
  count: number,
): Promise<RedemptionStretch> {
  const giveBack = await core.coldTurns.take(tenantId, 'walk');
  try {
    const places = await findFewPlaces(core.readPool, tenantId, wanted);
    return places === null
      ? await walk(core.readPool, tenantId, wanted, below, count)
      : await lookUp(core.readPool, tenantId, wanted, places, below, count);
  } finally {
    giveBack();
  }
}

async function walk(
  db: Queryable,
  tenantId: number,
  wanted: RedemptionsWanted,
  below: string,
  count: number,
): Promise<RedemptionStretch> {
  const ids: string[] = [];
  let last = below;
  // Small at first: most pages are full of what comes first, whatever they are filtered by.
  let rows = Math.min(pieceMaxRows, count + 1);
  for (let looked = 0; looked < limits.pageScanMaxRows; ) {
    const piece = await readPiece(db, tenantId, wanted, last, rows);
    for (const { id, isFound } of piece.rows) {
      if (ids.length === count) return { ids, last };
      last = id;
      if (isFound) ids.push(id);
    }
    if (piece.looked < rows) return { ids, last: null };
    looked += rows;
    rows = Math.min(pieceMaxRows, 2 * rows);
  }
  return { ids, last };
}

/** Of the next rows by id, those that are wanted and the last one. */
async function readPiece(
  db: Queryable,
  tenantId: number,
  wanted: RedemptionsWanted,
  below: string,
  rows: number,
): Promise<{ rows: { id: string; isFound: boolean }[]; looked: number }> {
  const answer = await db.query<{ id: string; isFound: boolean; looked: number }>({
    name: 'walk-redemptions',
    text: `select id, "isFound", looked from (
        select r.id, r.looked, r.n, ${isWanted} as "isFound"
        from (select *, row_number() over (order by id desc) as n, count(*) over () as looked from (
            select id, deck_id, pos, at, reference from redemptions
            where tenant_id = $1 and id < $7::uuid and id >= $8::uuid order by id desc limit $9) as piece) as r
        offset 0) as r
      where "isFound" or n = looked order by id desc`,
    values: [...valuesOf(tenantId, wanted), below, wanted.fromId, rows],
  });
  return { rows: answer.rows, looked: answer.rows.at(-1)?.looked ?? 0 };
}

async function lookUp(
  db: Queryable,
  tenantId: number,
  wanted: RedemptionsWanted,
  places: readonly Place[],
  below: string,
  count: number,
): Promise<RedemptionStretch> {
  const { rows } = await db.query<{ id: string }>({
    name: 'redemptions-of-coupons',
    text: `select r.id from unnest($9::int[], $10::bigint[]) as place (deck_id, pos)
      cross join lateral (
        select distinct redemption_id from redeemers
        where tenant_id = $1 and deck_id = place.deck_id and pos = place.pos offset 0) as e
      cross join lateral (
        select id, deck_id, pos, at, reference from redemptions where tenant_id = $1 and id = e.redemption_id limit 1) as r
      where r.id < $7::uuid and r.id >= $8::uuid and ${isWanted} order by r.id desc limit $11`,
    values: [
      ...valuesOf(tenantId, wanted),
      below,
      wanted.fromId,
      places.map(({ deckKey }) => deckKey),
      places.map(({ pos }) => pos),
      count + 1,
    ],
  });
  const ids = rows.slice(0, count).map(({ id }) => id);
  return { ids, last: rows.length > count ? ids.at(-1)! : null };
}

function valuesOf(tenantId: number, { bookKey, userId, place, reference }: RedemptionsWanted) {
  return [tenantId, bookKey, userId, reference, place?.deckKey ?? null, place?.pos ?? null];
}

/** The coupons that hold all that is wanted, where that is known and they have few redemptions; null elsewhere. */
async function findFewPlaces(db: Queryable, tenantId: number, wanted: RedemptionsWanted): Promise<Place[] | null> {
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
