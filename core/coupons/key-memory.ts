import type { Queryable } from '../db/pool.ts';
import type { CouponError } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { refuseReuse, type UsedKey } from '../idempotency/read-keys.ts';
import type { RecordedChange, Success } from './recorded-change.ts';
import { replayChanges } from './replay-changes.ts';

/** The keys that count for a batch: those in the database, and those that earlier members of the batch used. */
export interface KeyMemory {
  /** The first success again, or the refusal of a reused key, or null where the key is new or there is none. */
  recall(keyed: KeyedRequest | null): Success | CouponError | null;
  /** Notes that a change was made under this key. */
  remember(keyed: KeyedRequest | null, recorded: RecordedChange): void;
}

/** Reads what the used keys stand for; a batch without one costs no query. */
export async function openKeyMemory(
  db: Queryable,
  tenantId: number,
  usedKeys: Map<string, UsedKey>,
): Promise<KeyMemory> {
  const known = new Map<string, { used: UsedKey; recorded: RecordedChange | null }>();
  const entries = [...usedKeys];
  const replays = (
    await replayChanges(
      db,
      tenantId,
      entries.flatMap(([, used]) => used.event ?? []),
    )
  ).values();
  for (const [keyHash, used] of entries) {
    known.set(keyHash, { used, recorded: used.event === null ? null : (replays.next().value ?? null) });
  }

  return {
    recall(keyed) {
      const entry = keyed === null ? undefined : known.get(keyed.keyHash);
      if (keyed === null || entry === undefined) return null;
      const reused = refuseReuse(keyed, entry.used);
      if (reused !== null) return reused;
      if (entry.recorded === null) throw new Error('an idempotency key points to an event that is not there');
      return { recorded: entry.recorded, replayed: true };
    },
    remember(keyed, recorded) {
      if (keyed === null) return;
      const { deckKey, pos, rev } = recorded.coupon;
      known.set(keyed.keyHash, { used: { fingerprint: keyed.fingerprint, event: { deckKey, pos, rev } }, recorded });
    },
  };
}
