import type { Queryable } from '../../db/pool.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { Location } from '../../decks/locate-codes.ts';
import { isUuid } from '../../uuid.ts';

/** A redemption, where its coupon stands, and in whose hands it was made. None of it ever changes. */
export interface KnownRedemption {
  id: string;
  location: Location;
  /** The holder who had the coupon then, for whom the redemption counts, wherever the coupon is now. */
  redeemerId: number;
}

/** Finds redemptions by id; ids in lower case; one that is not there, or is no UUID, is not in the map. */
export async function findRedemptions(
  db: Queryable,
  tenantId: number,
  ids: string[],
): Promise<Map<string, KnownRedemption>> {
  const wellFormed = ids.filter(isUuid);
  if (wellFormed.length === 0) return new Map();
  const { rows } = await db.query<Location & { id: string; redeemerId: number }>({
    name: 'find-redemptions',
    text: `select r.id, r.deck_id as "deckKey", r.pos, c.code, d.book_id as "bookKey", e.holder_id as "redeemerId"
      from unnest($2::uuid[]) as asked (id)
      cross join lateral (select id, deck_id, pos, at from redemptions where tenant_id = $1 and id = asked.id limit 1) as r
      cross join lateral (
        select code from coupons where tenant_id = $1 and deck_id = r.deck_id and pos = r.pos limit 1) as c
      cross join lateral (select book_id from decks where tenant_id = $1 and deck_id = r.deck_id limit 1) as d
      cross join lateral (
        select holder_id from redeemers
        where tenant_id = $1 and deck_id = r.deck_id and pos = r.pos and at = r.at and redemption_id = r.id limit 1) as e`,
    values: [tenantId, wellFormed],
  });
  return new Map(rows.map(({ id, redeemerId, ...location }) => [id, { id, redeemerId, location }]));
}

/** Which of these redemptions were given back; read under their coupons' locks, without which none is given back. */
export async function readReversed(tx: Transaction, tenantId: number, ids: string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { rows } = await tx.query<{ id: string }>({
    name: 'read-reversed',
    text: `select r.id from unnest($2::uuid[]) as asked (id)
      cross join lateral (select id, reversed_at from redemptions where tenant_id = $1 and id = asked.id limit 1) as r
      where r.reversed_at is not null`,
    values: [tenantId, ids],
  });
  return new Set(rows.map((row) => row.id));
}
