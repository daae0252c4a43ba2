import type { Queryable } from '../../db/pool.ts';
import { type CouponError, refuse } from '../../errors.ts';
import type { KeyedRequest } from '../../idempotency/key-hash.ts';
import type { RecordedChange } from '../rules/recorded-change.ts';
import type { UsedKey } from './read-clock-and-keys.ts';
import { replayChanges } from './replay-changes.ts';

/**
 * The idempotency keys that count for a batch: those in the database, and those that earlier members of the batch used.
 * `Made` is what a member comes to under its key.
 */
export interface IdempotencyMemory<Made> {
  /**
   * What was made under this key before, or the refusal of a reused key; null where the key is new or there is none.
   */
  recall(keyed: KeyedRequest | null): Made | CouponError | null;
  /** Notes what was made under this key. */
  remember(keyed: KeyedRequest | null, made: Made): void;
}

/** What is known of a key that was used before. */
interface KnownKey<Made> {
  fingerprint: number;
  /** Whether the key stands for a change of a coupon, and not for another kind of call. */
  isChange: boolean;
  /** Null where that change's event has been exported and removed since: that it was made is known, and no more. */
  made: Made | null;
}

/** Reads what the used keys stand for; a batch without one costs no query. */
export async function openIdempotencyMemory<Made>(
  db: Queryable,
  tenantId: number,
  usedKeys: Map<string, UsedKey>,
): Promise<IdempotencyMemory<Made | RecordedChange>> {
  const known = new Map<string, KnownKey<Made | RecordedChange>>();
  const events = [...usedKeys.values()].flatMap(({ event }) => event ?? []);
  const replays = (await replayChanges(db, tenantId, events)).values();
  for (const [keyHash, { fingerprint, event }] of usedKeys) {
    const made = event === null ? null : (replays.next().value ?? null);
    known.set(keyHash, { fingerprint, isChange: event !== null, made });
  }

  return {
    recall(keyed) {
      const entry = keyed === null ? undefined : known.get(keyed.keyHash);
      if (keyed === null || entry === undefined) return null;
      if (!entry.isChange || entry.fingerprint !== keyed.fingerprint) return reused();
      if (entry.made === null) return carriedOutLongAgo();
      return entry.made;
    },
    remember(keyed, made) {
      if (keyed !== null) known.set(keyed.keyHash, { fingerprint: keyed.fingerprint, isChange: true, made });
    },
  };
}

function carriedOutLongAgo(): CouponError {
  return refuse(
    'idempotency-key-reused',
    'This Idempotency-Key was used in a request that was carried out; its answer is kept no longer. Nothing was done again.',
  );
}

function reused(): CouponError {
  return refuse('idempotency-key-reused', 'This Idempotency-Key was used for another request. Use a new key.');
}
