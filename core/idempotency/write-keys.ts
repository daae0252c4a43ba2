import type { Transaction } from '../db/transaction.ts';
import { limits } from '../limits.ts';
import type { KeyedRequest } from './key-hash.ts';
import type { EventPlace } from './read-keys.ts';

/** A key to remember, with the event that its request caused. */
export interface KeyOfEvent {
  keyed: KeyedRequest;
  place: EventPlace;
  /** Assigns, redeems and reversals are remembered as long as the coupon; anything else a limited time. */
  forever: boolean;
}

/**
 * Remembers the keys of a batch's effects. When another transaction has used one of them in the meantime the primary
 * key `idempotency_pk` refuses the whole batch, which retryTransaction then runs again.
 */
export async function writeKeys(tx: Transaction, tenantId: number, keys: KeyOfEvent[]): Promise<void> {
  if (keys.length === 0) return;
  // In order, so that two batches that bring the same keys wait for each other in a row and not in a circle.
  keys.sort((a, b) => (a.keyed.keyHash < b.keyed.keyHash ? -1 : 1));
  await tx.query({
    name: 'write-keys',
    text: `insert into idempotency (tenant_id, key_hash, fingerprint, deck_id, pos, rev, kept_until)
      select $1::int, key_hash, fingerprint, deck_id, pos, rev,
        case when forever then null else clock_timestamp() + make_interval(hours => $8) end
      from unnest($2::uuid[], $3::bigint[], $4::int[], $5::bigint[], $6::int[], $7::boolean[])
        as k (key_hash, fingerprint, deck_id, pos, rev, forever)`,
    values: [
      tenantId,
      keys.map((key) => key.keyed.keyHash),
      keys.map((key) => key.keyed.fingerprint),
      keys.map((key) => key.place.deckId),
      keys.map((key) => key.place.pos),
      keys.map((key) => key.place.rev),
      keys.map((key) => key.forever),
      limits.idempotencyKeptHours,
    ],
  });
}
