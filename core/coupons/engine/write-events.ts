import { plainArray, textArray, timeArray, uuidArray } from '../../db/array-text.ts';
import type { Transaction } from '../../db/transaction.ts';
import { limits } from '../../limits.ts';
import { type EventKind, eventKindNumber } from '../rules/coupon-state.ts';
import { lockExpiryArray } from '../rules/lock-expiry.ts';
import type { PendingChange } from '../rules/recorded-change.ts';

/**
 * Appends one event a change, all at the same moment, and remembers the changes' idempotency keys, each pointing to its
 * event. Keys go in in order, so that two batches that bring the same ones wait for each other in a row and not in a
 * circle; when another transaction has used one in the meantime, `idempotency_pk` refuses the whole batch, which
 * retryTransaction then runs again.
 */
export function writeEvents(tx: Transaction, tenantId: number, at: Date, pending: PendingChange[]): void {
  if (pending.length === 0) return;
  const changes = pending.map(({ change }) => change);
  tx.send({
    name: 'write-events',
    text: `with made as (
        select * from unnest($3::int[], $4::bigint[], $5::int[], $6::smallint[], $7::bigint[], $8::int[], $9::int[],
          $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::text[], $14::text[], $15::uuid[], $16::bigint[],
          $17::boolean[])
        as m (deck_id, pos, rev, kind, holder_id, redemptions, fence, lock_expires_at, expires_at, redemption_id, actor,
          reason, key_hash, fingerprint, forever)),
      keys as (
        insert into idempotency (tenant_id, key_hash, fingerprint, deck_id, pos, rev, kept_until)
        select $1::int, key_hash, fingerprint, deck_id, pos, rev,
          case when forever then null else clock_timestamp() + make_interval(hours => $18::int) end
        from made where key_hash is not null order by key_hash)
      insert into events (tenant_id, at, deck_id, pos, rev, kind, holder_id, redemptions, fence, lock_expires_at,
        expires_at, redemption_id, actor, reason)
      select $1::int, $2::timestamptz, deck_id, pos, rev, kind, holder_id, redemptions, fence, lock_expires_at,
        expires_at, redemption_id, actor, reason from made`,
    values: [
      tenantId,
      at,
      plainArray(changes.map(({ next }) => next.deckKey)),
      plainArray(changes.map(({ next }) => next.pos)),
      plainArray(changes.map(({ next }) => next.rev)),
      plainArray(changes.map(({ kind }) => eventKindNumber(kind))),
      plainArray(changes.map(({ next }) => next.holderId)),
      plainArray(changes.map(({ next }) => next.redemptions)),
      plainArray(changes.map(({ next }) => next.fence)),
      lockExpiryArray(changes.map(({ next }) => next)),
      timeArray(pending.map(({ expiresAt }) => expiresAt)),
      uuidArray(changes.map((change) => change.redemption?.id ?? change.reversedRedemptionId)),
      textArray(changes.map(({ actor }) => actor)),
      textArray(changes.map(({ reason }) => reason)),
      uuidArray(pending.map(({ keyed }) => keyed?.keyHash ?? null)),
      plainArray(pending.map(({ keyed }) => keyed?.fingerprint ?? null)),
      plainArray(changes.map(({ kind }) => isKeptForever(kind))),
      limits.idempotencyKeptHours,
    ],
  });
}

/** Assigns, redeems and reversals are remembered as long as the coupon, anything else for a limited time. */
function isKeptForever(kind: EventKind): boolean {
  return kind === 'assigned' || kind === 'redeemed' || kind === 'reversed';
}
