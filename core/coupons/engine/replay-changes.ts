import { ofTenant } from '../../db/of-tenant.ts';
import type { Queryable } from '../../db/pool.ts';
import type { BookKey, DeckKey } from '../../keys.ts';
import { eventKinds } from '../rules/coupon-state.ts';
import { hasPlainTokenSql } from '../rules/lock-expiry.ts';
import type { RecordedChange } from '../rules/recorded-change.ts';
import type { EventName } from './read-clock-and-keys.ts';

interface Row {
  deckKey: DeckKey;
  pos: number;
  rev: number;
  at: Date;
  kind: number;
  holderId: number | null;
  userId: string | null;
  redemptions: number;
  reversals: number;
  fence: number;
  hasPlainToken: boolean;
  lockExpiresAt: Date | null;
  expiresAt: Date | null;
  bookKey: BookKey;
  bookId: string;
  publicCode: string | null;
  code: string;
  assignedAt: Date | null;
  maxRedemptions: number | null;
  validUntil: Date | null;
  redemptionId: string | null;
  seq: number | null;
  reference: string | null;
}

const replayChangesSql = `select e.deck_id as "deckKey", e.pos, e.rev, e.at, e.kind, e.holder_id as "holderId", h.user_id as "userId",
        e.redemptions, c.reversals, e.fence, e.lock_expires_at as "lockExpiresAt",
        ${hasPlainTokenSql('e.lock_expires_at')} as "hasPlainToken", e.expires_at as "expiresAt",
        b.book_id as "bookKey", b.id as "bookId", b.public_code as "publicCode", c.code, c.assigned_at as "assignedAt",
        c.max_redemptions as "maxRedemptions", c.valid_until as "validUntil", e.redemption_id as "redemptionId", r.seq, r.reference
      from unnest($2::int[], $3::bigint[], $4::int[]) as place (deck_id, pos, rev)
      cross join lateral (
        select * from events
        where tenant_id = $1 and deck_id = place.deck_id and pos = place.pos and rev = place.rev limit 1) as e
      cross join lateral (
        select * from coupons where tenant_id = $1 and deck_id = e.deck_id and pos = e.pos limit 1) as c
      cross join lateral (select book_id from decks where tenant_id = $1 and deck_id = e.deck_id limit 1) as d
      cross join lateral (select book_id, id, public_code from books where book_id = d.book_id and ${ofTenant} offset 0) as b
      left join lateral (
        select user_id from holders where tenant_id = $1 and holder_id = e.holder_id limit 1) as h on true
      left join lateral (
        select seq, reference from redemptions where tenant_id = $1 and id = e.redemption_id limit 1) as r on true`;

/**
 * Reads changes back from their events, in the order asked; null where there is no such event. A user who was erased
 * since is null in what comes back.
 */
export async function replayChanges(
  db: Queryable,
  tenantId: number,
  events: EventName[],
): Promise<(RecordedChange | null)[]> {
  if (events.length === 0) return [];
  const { rows } = await db.query<Row>({
    name: 'replay-changes',
    text: replayChangesSql,
    values: [
      tenantId,
      events.map((event) => event.deckKey),
      events.map(({ pos }) => pos),
      events.map(({ rev }) => rev),
    ],
  });
  const byEvent = new Map(rows.map((row) => [eventMapKey(row), recordedFrom(row)]));
  return events.map((event) => byEvent.get(eventMapKey(event)) ?? null);
}

function eventMapKey({ deckKey, pos, rev }: EventName): string {
  return `${deckKey} ${pos} ${rev}`;
}

function recordedFrom(row: Row): RecordedChange {
  const { deckKey, pos, bookKey, code, holderId, userId, assignedAt, maxRedemptions, validUntil } = row;
  const { rev, redemptions, reversals, fence, hasPlainToken, lockExpiresAt, redemptionId, seq, reference } = row;
  const kind = eventKinds[row.kind - 1]!;
  const voided = kind === 'voided';
  const identity = { deckKey, pos, bookKey, code, holderId, userId, assignedAt, maxRedemptions, validUntil };
  return {
    kind,
    coupon: { ...identity, rev, redemptions, reversals, fence, hasPlainToken, lockExpiresAt, voided },
    at: row.at,
    book: { bookId: row.bookId, publicCode: row.publicCode },
    expiresAt: row.expiresAt,
    redemption: redemptionId === null ? null : { id: redemptionId, seq: seq!, reference },
  };
}
