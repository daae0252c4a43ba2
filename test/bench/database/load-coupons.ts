import { randomUUID } from 'node:crypto';
import { textArray, uuidArray } from '../../../core/db/array-text.ts';
import { codesAt } from '../../../core/decks/codes-at.ts';
import type { DeckKey } from '../../../core/keys.ts';
import type { Item } from '../load/wrk-script.ts';
import type { BenchDatabase } from './bench-database.ts';
import type { BenchBook } from './make-book.ts';

const rowsAtOnce = 20_000;

/** What a load of coupons is to be like. */
export interface CouponLoad {
  count: number;
  /** Keeps apart the users of two loads of one book. */
  users: string;
  /** How many coupons are wanted back, for redeeming them; they are spread over all. */
  keep: number;
}

/**
 * Puts coupons into a database as assigns would have left them, with holders, events and idempotency keys. Nothing is
 * dropped meanwhile, and keys come in no order, as they would: indexes are then as full and as scattered as real ones.
 * Two statements are under way at a time, so that codes are made while rows are written.
 */
export async function loadCoupons(
  database: BenchDatabase,
  { bookKey, deckKey }: BenchBook,
  { count, users, keep }: CouponLoad,
): Promise<Item[]> {
  const { client, core } = database;
  const { rows } = await client.query<{ next_pos: string }>('select next_pos from decks where deck_id = $1', [deckKey]);
  const first = Number(rows[0]!.next_pos);
  const kept: Item[] = [];
  const lanes = [0, 1].map(async (lane) => {
    for (let from = lane * rowsAtOnce; from < count; from += 2 * rowsAtOnce) {
      const places = Array.from({ length: Math.min(rowsAtOnce, count - from) }, (_, k) => ({
        deckKey: deckKey as DeckKey,
        pos: first + from + k,
      }));
      const codes = await codesAt(core, core.pool, 1, places);
      const userIds = places.map(({ pos }) => `${users}-${scattered(pos)}`);
      const keys = places.map(() => randomUUID());
      const values = [bookKey, deckKey, first + from, textArray(codes), textArray(userIds), uuidArray(keys)];
      await core.pool.query(loadStatement, values);
      for (const [k, code] of codes.entries()) {
        if (((from + k) * keep) % count >= keep) continue;
        const firstLock = { ...places[k]!, fence: 1, hasPlainToken: false };
        kept.push({ code, userId: userIds[k]!, lockToken: core.lockTokens.tokenOf(1, firstLock) });
      }
    }
  });
  await Promise.all(lanes);
  await client.query('update decks set next_pos = next_pos + $2 where deck_id = $1', [deckKey, count]);
  return shuffle(kept);
}

/** A number's own place among all ten-digit hexadecimal numbers, far from its neighbours'. */
function scattered(number: number): string {
  // Odd, and so without a factor in common with 2^40: no two numbers meet.
  const [high, low] = [Math.floor(number / 2 ** 20), number % 2 ** 20];
  const factor = 0x9e3779b1;
  const product = (low * factor + ((high * factor) % 2 ** 20) * 2 ** 20) % 2 ** 40;
  return product.toString(16).padStart(10, '0');
}

const loadStatement = `
  with one as materialized (
    select date_trunc('milliseconds', clock_timestamp()) as at, max_redemptions_per_code as most, ends_at
    from books where tenant_id = 1 and book_id = $1),
  row as materialized (
    select $3::bigint + n - 1 as pos, code, user_id, key_hash,
      nextval(pg_get_serial_sequence('holders', 'holder_id')) as holder_id
    from unnest($4::text[], $5::text[], $6::uuid[]) with ordinality as r (code, user_id, key_hash, n)),
  new_holders as (
    insert into holders (tenant_id, book_id, user_id, holder_id) overriding system value
    select 1, $1, user_id, holder_id from row),
  new_coupons as (
    insert into coupons (tenant_id, deck_id, pos, code, holder_id, assigned_at, max_redemptions, rev)
    select 1, $2, pos, code, holder_id, at, most, 1 from row, one),
  new_events as (
    insert into events (tenant_id, at, deck_id, pos, rev, kind, holder_id, redemptions, fence, expires_at, actor)
    select 1, at, $2, pos, 1, 1, holder_id, 0, 0, ends_at, 'jwt:shop' from row, one),
  new_keys as (
    insert into idempotency (tenant_id, key_hash, fingerprint, deck_id, pos, rev)
    select 1, key_hash, 0, $2, pos, 1 from row)
  select`;

/** In place: redeems come in another order than assigns. */
function shuffle<T>(items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
