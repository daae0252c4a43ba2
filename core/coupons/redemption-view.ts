import { type Static, Type } from 'typebox';
import type { Queryable } from '../db/pool.ts';
import { Code, Id, Metadata, nullable, Time } from '../input/shapes.ts';

/** A redemption as lists and exports show it. */
export const RedemptionView = Type.Object({
  id: { ...Id, description: 'A UUIDv7, in the order of time. It gives the redemption back.' },
  code: Code,
  bookId: Id,
  userId: nullable(Type.String({ description: 'Null once the user is erased.', examples: ['u-1'] })),
  seq: Type.Integer({
    minimum: 1,
    description: 'Which redemption of the coupon it is, in the coupon’s whole life.',
    examples: [1],
  }),
  at: Time,
  reference: nullable(Type.String({ examples: ['order-1001'] })),
  metadata: nullable(Metadata),
  reversedAt: nullable({ ...Time, description: 'When it was given back. Null: it was not.' }),
});
export type RedemptionView = Static<typeof RedemptionView>;

interface Row extends Omit<RedemptionView, 'at' | 'reversedAt'> {
  at: Date;
  reversedAt: Date | null;
}

/** Reads redemptions by their ids, newest first: each with a few look-ups by whole keys. */
export async function readRedemptions(
  db: Queryable,
  tenantId: number,
  ids: readonly string[],
): Promise<RedemptionView[]> {
  if (ids.length === 0) return [];
  const { rows } = await db.query<Row>({
    name: 'read-redemptions',
    text: `select r.id, c.code, b.id as "bookId", h.user_id as "userId", r.seq, r.at, r.reference, r.metadata,
        r.reversed_at as "reversedAt"
      from unnest($2::uuid[]) as asked (id)
      cross join lateral (select * from redemptions where tenant_id = $1 and id = asked.id limit 1) as r
      cross join lateral (
        select code, holder_id from coupons where tenant_id = $1 and deck_id = r.deck_id and pos = r.pos limit 1) as c
      cross join lateral (select book_id from decks where tenant_id = $1 and deck_id = r.deck_id limit 1) as d
      cross join lateral (select id from books where book_id = d.book_id and tenant_id = $1 limit 1) as b
      -- Whoever redeemed it: the coupon may have gone to another user since.
      left join lateral (
        select holder_id from redeemers
        where tenant_id = $1 and deck_id = r.deck_id and pos = r.pos and at = r.at and redemption_id = r.id limit 1
      ) as e on true
      left join lateral (
        select user_id from holders where holder_id = coalesce(e.holder_id, c.holder_id) and tenant_id = $1 limit 1
      ) as h on true
      order by r.id desc`,
    values: [tenantId, ids],
  });
  return rows.map((row) => ({
    ...row,
    at: row.at.toISOString(),
    reversedAt: row.reversedAt?.toISOString() ?? null,
  }));
}
