import { type Static, Type } from 'typebox';
import { actorNames } from '../access/actor-names.ts';
import type { Caller } from '../caller.ts';
import type { Queryable } from '../db/pool.ts';
import { isPublic, type LocateCore, type Location, locateCodes } from '../decks/locate-codes.ts';
import { CouponError } from '../errors.ts';
import { Actor, nullable, oneOf, Rev, Time } from '../input/shapes.ts';
import { type Cursors, cutPage, type Page, type PageRequest, pageLimit } from '../paging.ts';
import { findVoidPlaces } from './engine/void-places.ts';
import { type EventKind, eventKindNumber, eventKinds } from './rules/coupon-state.ts';
import { missingCoupon, publicCodeRefusal } from './rules/missing-coupon.ts';

/** One change of a coupon, as callers see it. */
export const CouponEvent = Type.Object({
  rev: Rev,
  at: Time,
  kind: oneOf(eventKinds),
  userId: nullable(Type.String({ description: 'Who had the coupon after it. Null once that user was erased.' })),
  actor: Actor,
  data: Type.Unsafe<Record<string, string | number | object | null>>({
    type: 'object',
    additionalProperties: true,
    description:
      'By kind: `locked`, `lock-renewed`: `fence` (which grant of a lock it was) and `lockedUntil`; `unlocked`: the `reason` that an operator gave who ended the lock by force; `redeemed`: `redemptionId`, `seq`, `reference` and `metadata`; `reversed`: `redemptionId` and `reason`; `voided`: `reason`; `transferred`: `fromUserId`, `toUserId` (null once that user was erased) and `reason`.',
  }),
});
export type CouponEvent = Static<typeof CouponEvent>;

interface Row {
  rev: number;
  at: Date;
  kind: number;
  userId: string | null;
  actor: string;
  fence: number;
  lockExpiresAt: Date | null;
  redemptionId: string | null;
  seq: number | null;
  reference: string | null;
  metadata: object | null;
  reason: string | null;
  /** Who had the coupon before a transfer; null once that user was erased. */
  giverId: string | null;
}

const listEventsSql = `select e.rev, e.at, e.kind, h.user_id as "userId", e.actor, e.fence, e.lock_expires_at as "lockExpiresAt",
        e.redemption_id as "redemptionId", r.seq, r.reference, r.metadata, e.reason, giver.user_id as "giverId"
      from events e
      left join holders h on h.tenant_id = $1 and h.holder_id = e.holder_id
      left join redemptions r on r.tenant_id = $1 and r.id = e.redemption_id
      left join lateral (
        select g.user_id from events before join holders g on g.tenant_id = $1 and g.holder_id = before.holder_id
        where before.tenant_id = $1 and before.deck_id = $2 and before.pos = $3 and before.rev = e.rev - 1
          and e.kind = ${eventKindNumber('transferred')} limit 1) as giver on true
      where e.tenant_id = $1 and e.deck_id = $2 and e.pos = $3 and e.rev > $4
      order by e.rev limit $5`;

/**
 * What happened to a coupon, in the order of its revisions, as far back as its events are in the database, read from
 * the replica where there is one.
 * @throws CouponError `coupon-not-found`; `coupon-void` for a code that was voided before anyone had it;
 *   `conflict` for a public code; `invalid-input` (cursor)
 */
export async function listCouponEvents(
  core: LocateCore & { readPool: Queryable; cursors: Cursors },
  caller: Caller,
  code: string,
  page: PageRequest = {},
): Promise<Page<CouponEvent>> {
  const limit = pageLimit(page);
  const { tenantId } = caller;
  const [located = null] = await locateCodes(core, tenantId, [code], { always: false });
  if (isPublic(located)) throw new CouponError(publicCodeRefusal(located.code));
  const location = located;
  if (location === null) throw new CouponError(missingCoupon(caller, undefined, false)!);
  const list = { kind: 'coupon-events/1', tenantId, filters: { code: location.code } };
  const after = page.cursor == null ? 0 : Number(core.cursors.open(list, page.cursor)[0]);
  const { rows } = await core.readPool.query<Row>({
    name: 'list-coupon-events',
    text: listEventsSql,
    values: [tenantId, location.deckKey, location.pos, after, limit + 1],
  });
  if (rows.length === 0 && after === 0) {
    // A code that went void with its deck has no event of its own, and whoever asks for it is not guessing.
    const voidPlaces = await findVoidPlaces(core.readPool, tenantId, [location]);
    if (await isCoupon(core.readPool, tenantId, location)) return { data: [], nextCursor: null };
    throw new CouponError(missingCoupon(caller, undefined, voidPlaces.size > 0)!);
  }
  const names = await actorNames(
    core.readPool,
    tenantId,
    rows.map((row) => row.actor),
  );
  const show = (row: Row) => eventFrom(row, names.get(row.actor) ?? row.actor);
  return cutPage(rows, limit, show, (last) => core.cursors.seal(list, [last.rev]));
}

/** All of a coupon's events may have been exported and removed. */
async function isCoupon(db: Queryable, tenantId: number, { deckKey, pos }: Location): Promise<boolean> {
  const { rows } = await db.query({
    name: 'is-coupon',
    text: 'select from coupons where tenant_id = $1 and deck_id = $2 and pos = $3',
    values: [tenantId, deckKey, pos],
  });
  return rows.length > 0;
}

function eventFrom(row: Row, actor: string): CouponEvent {
  const kind = eventKinds[row.kind - 1]!;
  return { rev: row.rev, at: row.at.toISOString(), kind, userId: row.userId, actor, data: dataOf(kind, row) };
}

function dataOf(kind: EventKind, row: Row): CouponEvent['data'] {
  switch (kind) {
    case 'locked':
    case 'lock-renewed':
      // Which grant it was, and not the token that it gave: that is the holder's alone.
      return { fence: row.fence, lockedUntil: row.lockExpiresAt?.toISOString() ?? null };
    case 'redeemed':
      return { redemptionId: row.redemptionId, seq: row.seq, reference: row.reference, metadata: row.metadata };
    case 'unlocked':
      return row.reason === null ? {} : { reason: row.reason };
    case 'reversed':
      return { redemptionId: row.redemptionId, reason: row.reason };
    case 'voided':
      return { reason: row.reason };
    case 'transferred':
      return { fromUserId: row.giverId, toUserId: row.userId, reason: row.reason };
    default:
      return {};
  }
}
