import { actorNames } from '../../access/actor-names.ts';
import { eventKindNumber } from '../../coupons/rules/coupon-state.ts';
import { type ShownCoupon, viewCoupon } from '../../coupons/rules/coupon-view.ts';
import { plainArray, timeArray } from '../../db/array-text.ts';
import type { Queryable } from '../../db/pool.ts';
import type { BookEventData, CouponEventData, EventData, JobEventData } from '../event-data.ts';
import { eventTypeOf, subjects } from '../event-types.ts';
import type { Due } from './endpoint.ts';
import { stocks } from './stock-rules.ts';

/**
 * What is to be told in some deliveries, by delivery: built from what the database holds at this moment, so that a user
 * who was erased is in none of it. Events that have left the database are left out.
 */
export async function buildData(
  db: Queryable,
  tenantId: number,
  webhookId: string,
  due: readonly Due[],
): Promise<Map<number, EventData>> {
  const of = (subject: number) => due.filter((each) => each.subject === subject);
  const found = new Map<number, EventData>(of(subjects.test).map(({ deliveryKey }) => [deliveryKey, { webhookId }]));
  for (const [key, data] of await couponData(db, tenantId, of(subjects.coupon))) found.set(key, data);
  for (const [key, data] of await bookData(db, tenantId, of(subjects.book))) found.set(key, data);
  for (const [key, data] of await stockData(db, tenantId, of(subjects.stock))) found.set(key, data);
  for (const [key, data] of await jobData(db, tenantId, of(subjects.job))) found.set(key, data);
  return found;
}

/** The body of a message. */
export function bodyOf({ type, at }: Due, data: EventData): string {
  return JSON.stringify({ type: eventTypeOf(type), timestamp: at.toISOString(), data });
}

interface CouponRow extends Omit<ShownCoupon, 'voided'> {
  deliveryKey: number;
  kind: number;
  at: Date;
  expiresAt: Date | null;
  bookId: string;
  publicCode: string | null;
  actor: string;
  reason: string | null;
  redemptionId: string | null;
  seq: number | null;
  reference: string | null;
  metadata: object | null;
  giverId: string | null;
}

async function couponData(db: Queryable, tenantId: number, due: readonly Due[]): Promise<[number, CouponEventData][]> {
  if (due.length === 0) return [];
  const { rows } = await db.query<CouponRow>({
    name: 'read-told-coupon-events',
    text: `select asked.delivery_id as "deliveryKey", e.kind, e.at, e.deck_id as "deckKey", e.pos, d.book_id as "bookKey", e.rev,
        e.redemptions, e.lock_expires_at as "lockExpiresAt", e.expires_at as "expiresAt", e.actor, e.reason,
        e.holder_id as "holderId", c.code, c.assigned_at as "assignedAt", c.max_redemptions as "maxRedemptions",
        c.valid_until as "validUntil", b.id as "bookId", b.public_code as "publicCode", h.user_id as "userId", e.redemption_id as "redemptionId", r.seq,
        r.reference, r.metadata, giver.user_id as "giverId"
      from unnest($2::bigint[], $3::int[], $4::bigint[], $5::int[], $6::timestamptz[])
        as asked (delivery_id, deck_id, pos, rev, at)
      cross join lateral (
        select * from events where tenant_id = $1 and deck_id = asked.deck_id and pos = asked.pos and rev = asked.rev
          and at = asked.at limit 1) as e
      cross join lateral (
        select * from coupons where tenant_id = $1 and deck_id = e.deck_id and pos = e.pos limit 1) as c
      cross join lateral (select book_id from decks where tenant_id = $1 and deck_id = e.deck_id limit 1) as d
      cross join lateral (select id, public_code from books where book_id = d.book_id and tenant_id = $1 limit 1) as b
      left join lateral (
        select user_id from holders where holder_id = e.holder_id and tenant_id = $1 limit 1) as h on true
      left join lateral (
        select seq, reference, metadata from redemptions where tenant_id = $1 and id = e.redemption_id limit 1) as r on true
      left join lateral (
        select g.user_id from events before
        cross join lateral (
          select user_id from holders where holder_id = before.holder_id and tenant_id = $1 limit 1) as g
        where e.kind = ${eventKindNumber('transferred')} and before.tenant_id = $1 and before.deck_id = e.deck_id
          and before.pos = e.pos and before.rev = e.rev - 1 limit 1) as giver on true`,
    values: [
      tenantId,
      plainArray(due.map(({ deliveryKey }) => deliveryKey)),
      plainArray(due.map(({ part }) => part)),
      plainArray(due.map(({ pos }) => pos)),
      plainArray(due.map(({ rev }) => rev)),
      timeArray(due.map(({ at }) => at)),
    ],
  });
  const names = await actorNames(
    db,
    tenantId,
    rows.map(({ actor }) => actor),
  );
  return rows.map((row) => [row.deliveryKey, couponEvent(row, names.get(row.actor) ?? row.actor)]);
}

function couponEvent(row: CouponRow, actor: string): CouponEventData {
  const is = (...kinds: Parameters<typeof eventKindNumber>[0][]) =>
    kinds.some((kind) => eventKindNumber(kind) === row.kind);
  const { redemptionId, seq, reference, metadata, reason, giverId } = row;
  const coupon = { ...row, voided: is('voided') };
  const redemption = redemptionId === null || seq === null ? null : { id: redemptionId, seq, reference };
  return {
    ...viewCoupon(coupon, row, row.expiresAt, row.at),
    actor,
    ...(redemption === null
      ? {}
      : { redemption: { ...redemption, metadata: metadata as Record<string, unknown> | null } }),
    ...(is('reversed', 'voided', 'transferred', 'unlocked') ? { reason } : {}),
    ...(is('transferred') ? { fromUserId: giverId } : {}),
  };
}

async function bookData(db: Queryable, tenantId: number, due: readonly Due[]): Promise<[number, BookEventData][]> {
  if (due.length === 0) return [];
  const { rows } = await db.query<
    { deliveryKey: number } & Required<Pick<BookEventData, 'bookId' | 'name' | 'status' | 'rev'>>
  >({
    name: 'read-told-books',
    text: `select asked.delivery_id as "deliveryKey", b.id as "bookId", b.name, r.status, r.rev
      from unnest($2::bigint[], $3::int[], $4::int[]) as asked (delivery_id, book_id, rev)
      cross join lateral (
        select * from book_revisions where tenant_id = $1 and book_id = asked.book_id and rev = asked.rev limit 1) as r
      cross join lateral (select id, name from books where book_id = asked.book_id and tenant_id = $1 limit 1) as b`,
    values: referencesOf(tenantId, due),
  });
  return rows.map(({ deliveryKey, ...data }) => [deliveryKey, data]);
}

async function stockData(db: Queryable, tenantId: number, due: readonly Due[]): Promise<[number, BookEventData][]> {
  if (due.length === 0) return [];
  const { rows } = await db.query<{ deliveryKey: number } & BookEventData>({
    name: 'read-told-stock',
    text: `select asked.delivery_id as "deliveryKey", b.id as "bookId", b.name, s.codes,
        case when s.stock = ${stocks.none} then 0 else s.available end::bigint as available
      from unnest($2::bigint[], $3::int[], $4::int[]) as asked (delivery_id, book_id, seq)
      cross join lateral (
        select * from stock_changes where tenant_id = $1 and book_id = asked.book_id and seq = asked.seq limit 1) as s
      cross join lateral (select id, name from books where book_id = asked.book_id and tenant_id = $1 limit 1) as b`,
    values: referencesOf(tenantId, due),
  });
  return rows.map(({ deliveryKey, ...data }) => [deliveryKey, data]);
}

async function jobData(db: Queryable, tenantId: number, due: readonly Due[]): Promise<[number, JobEventData][]> {
  if (due.length === 0) return [];
  const { rows } = await db.query<{ deliveryKey: number } & JobEventData>({
    name: 'read-told-jobs',
    text: `select asked.delivery_id as "deliveryKey", j.id as "jobId", j.kind, j.status, j.total, j.done, j.refused
      from unnest($2::bigint[], $3::bigint[]) as asked (delivery_id, job_id)
      cross join lateral (
        select * from jobs where tenant_id = $1 and job_id = asked.job_id and finished_at is not null limit 1) as j`,
    values: [tenantId, plainArray(due.map(({ deliveryKey }) => deliveryKey)), plainArray(due.map(({ pos }) => pos))],
  });
  return rows.map(({ deliveryKey, ...data }) => [deliveryKey, data]);
}

function referencesOf(tenantId: number, due: readonly Due[]): unknown[] {
  return [
    tenantId,
    plainArray(due.map(({ deliveryKey }) => deliveryKey)),
    plainArray(due.map(({ part }) => part)),
    plainArray(due.map(({ rev }) => rev)),
  ];
}
