import type { Core } from '../core.ts';
import type { Queryable } from '../db/pool.ts';
import type { Place } from '../decks/place.ts';
import { limits } from '../limits.ts';
import { findFewPlaces } from './few-places.ts';
import { choosePath, type RedemptionPath } from './redemption-paths.ts';
import { isWanted, type RedemptionsWanted, wantedValues } from './redemptions-wanted.ts';

/** What a walk through redemptions reads with. */
export type RedemptionWalkCore = Pick<Core, 'readPool' | 'coldTurns'>;

/** One stretch of the way through a tenant's redemptions. */
export interface RedemptionStretch {
  /** Newest first. */
  readonly ids: string[];
  /** The last id looked at, to go on below it; null: there are no more. */
  readonly last: string | null;
}

/** Redemptions that one statement looks at, about. */
const pieceMaxRows = 2_000;

/**
 * Finds redemptions below the id `below`, newest first, `count` of them at most. A user's or a coupon's are found by
 * their coupons, where those are few; others by an index in the order of time: that of a reference, of the decks of a
 * book, or of all. So each one looked at is one found, unless there are other filters beside, or one user or coupon has
 * more than 5,000 redemptions. Then limits.pageScanMaxRows are looked at, at most, and a stretch may have found few, or
 * none, and still have more to go through.
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
      ? await walk(await choosePath(core.readPool, tenantId, wanted), below, count)
      : await lookUp(core.readPool, tenantId, wanted, places, below, count);
  } finally {
    giveBack();
  }
}

async function walk(path: RedemptionPath, below: string, count: number): Promise<RedemptionStretch> {
  const ids: string[] = [];
  let last = below;
  // Small at first: most pages are full of what comes first, whatever they are filtered by.
  let rows = Math.min(pieceMaxRows, count + 1);
  for (let looked = 0; looked < limits.pageScanMaxRows; ) {
    const piece = await path.read(last, rows);
    for (const { id, isFound } of piece.rows) {
      if (ids.length === count) return { ids, last };
      last = id;
      if (isFound) ids.push(id);
    }
    if (piece.isEnd) return { ids, last: null };
    looked += piece.looked;
    rows = Math.min(pieceMaxRows, 2 * rows);
  }
  return { ids, last };
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
      ...wantedValues(tenantId, wanted),
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
