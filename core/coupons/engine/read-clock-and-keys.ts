import { uuidArray } from '../../db/array-text.ts';
import type { Queryable } from '../../db/pool.ts';
import type { Place } from '../../decks/place.ts';
import type { DeckKey } from '../../keys.ts';

/** A key that was used before: what for, and the event that it caused; the event is null for a cold call. */
export interface UsedKey {
  fingerprint: number;
  event: EventName | null;
}

/** Names an event: the coupon's place and the coupon's revision that the event made. */
export interface EventName extends Place {
  readonly rev: number;
}

/** What a decision reads after its last lock. */
export interface ClockAndKeys {
  /** The database's clock in whole milliseconds, so that what is stored and what is shown are the same. */
  now: Date;
  /** The used ones of the keys asked for, by hash. */
  usedKeys: Map<string, UsedKey>;
}

interface Row {
  now: Date;
  keyHash: string | null;
  fingerprint: number;
  deckKey: DeckKey | null;
  pos: number;
  rev: number;
}

/**
 * Reads the clock and the idempotency keys in a statement of its own, which must come after the transaction's last
 * lock: taken inside the locking statement, the time could predate the wait, and a key used meanwhile would be missed.
 */
export async function readClockAndKeys(db: Queryable, tenantId: number, keyHashes: string[]): Promise<ClockAndKeys> {
  const { rows } = await db.query<Row>({
    name: 'read-clock-and-keys',
    // Key by key: asked for any of a list, PostgreSQL may read all of the tenant's keys, since the list's length is not
    // known when the statement is planned.
    text: `select date_trunc('milliseconds', clock_timestamp()) as now, key_hash as "keyHash", fingerprint,
        deck_id as "deckKey", pos, rev
      from (values (1)) as one (row) left join (
        select used.* from unnest($2::uuid[]) as asked (key_hash)
        cross join lateral (
          select key_hash, fingerprint, deck_id, pos, rev from idempotency
          where tenant_id = $1 and key_hash = asked.key_hash limit 1) as used) as used on true`,
    values: [tenantId, uuidArray(keyHashes)],
  });
  const usedKeys = new Map<string, UsedKey>();
  for (const row of rows) {
    if (row.keyHash === null) continue;
    const event = row.deckKey === null ? null : { deckKey: row.deckKey, pos: row.pos, rev: row.rev };
    usedKeys.set(row.keyHash, { fingerprint: row.fingerprint, event });
  }
  return { now: rows[0]!.now, usedKeys };
}
