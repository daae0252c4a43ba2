import type { Transaction } from '../db/transaction.ts';
import { type KeyOfEvent, writeKeys } from '../idempotency/write-keys.ts';
import { eventKindNumber } from './coupon-state.ts';
import type { PendingChange } from './recorded-change.ts';

/** Appends one event a change, all at the same moment, and remembers the changes' idempotency keys. */
export async function writeEvents(
  tx: Transaction,
  tenantId: number,
  at: Date,
  pending: PendingChange[],
): Promise<void> {
  if (pending.length === 0) return;
  const changes = pending.map(({ change }) => change);
  await tx.query({
    name: 'write-events',
    text: `insert into events (tenant_id, at, deck_id, pos, rev, kind, holder_id, redemptions, fence, lock_expires_at,
        expires_at, redemption_id, actor, reason)
      select $1::int, $2::timestamptz, * from unnest($3::int[], $4::bigint[], $5::int[], $6::smallint[], $7::bigint[], $8::int[],
        $9::int[], $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::text[], $14::text[])`,
    values: [
      tenantId,
      at,
      changes.map(({ next }) => next.deckId),
      changes.map(({ next }) => next.pos),
      changes.map(({ next }) => next.rev),
      changes.map(({ kind }) => eventKindNumber(kind)),
      changes.map(({ next }) => next.holderId),
      changes.map(({ next }) => next.redemptions),
      changes.map(({ next }) => next.fence),
      changes.map(({ next }) => next.lockExpiresAt),
      pending.map(({ expiresAt }) => expiresAt),
      changes.map((change) => change.redemption?.id ?? change.reversedRedemptionId),
      changes.map(({ actor }) => actor),
      changes.map(({ reason }) => reason),
    ],
  });
  await writeKeys(tx, tenantId, keysOf(pending));
}

function keysOf(pending: PendingChange[]): KeyOfEvent[] {
  return pending.flatMap(({ keyed, change: { kind, next } }) => {
    if (keyed === null) return [];
    const forever = kind === 'assigned' || kind === 'redeemed' || kind === 'reversed';
    return [{ keyed, place: { deckId: next.deckId, pos: next.pos, rev: next.rev }, forever }];
  });
}
