import { codesAt } from '../../../core/codes/codes-at.ts';
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
 * Puts coupons into a database as assigns would have left them, with holders, events and idempotency keys, some hundred
 * thousand a second. No index is taken away meanwhile: keys ascend over the whole load, so that each index is filled at
 * its end, and spread over all of the keys' range, so that later ones fall between them as they do among real ones.
 */
export async function loadCoupons(
  database: BenchDatabase,
  { bookId, deckId }: BenchBook,
  { count, users, keep }: CouponLoad,
): Promise<Item[]> {
  const { client, core } = database;
  const first = Number(
    (await client.query<{ next_pos: string }>('select next_pos from decks where deck_id = $1', [deckId])).rows[0]!
      .next_pos,
  );
  const kept: Item[] = [];
  for (let from = 0; from < count; from += rowsAtOnce) {
    const rows = Math.min(rowsAtOnce, count - from);
    const places = Array.from({ length: rows }, (_, k) => ({ deckId, pos: first + from + k }));
    const codes = await codesAt(core, core.pool, 1, places);
    const userIds = places.map((_, k) => `${users}-${spread(from + k, count)}`);
    await client.query(loadStatement, [bookId, deckId, first + from, codes, userIds, keyHashes(from, rows, count)]);
    for (const [k, code] of codes.entries()) {
      if (((from + k) * keep) % count < keep) kept.push({ code, userId: userIds[k]! });
    }
  }
  return shuffle(kept);
}

/** Where a number of `count` stands in the whole range of 40 bits, as ten hexadecimal digits. */
function spread(index: number, count: number): string {
  return Math.floor((index / count) * 2 ** 40)
    .toString(16)
    .padStart(10, '0');
}

/** Ascending keys that share no value with those of another load: what follows the spread part is random. */
function keyHashes(from: number, rows: number, count: number): string[] {
  return Array.from({ length: rows }, (_, k) => `${spread(from + k, count)}${randomHex(22)}`);
}

function randomHex(digits: number): string {
  let hex = '';
  while (hex.length < digits)
    hex += Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return hex.slice(0, digits);
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
  update decks set next_pos = next_pos + cardinality($4::text[]) where tenant_id = 1 and deck_id = $2`;

/** In place: redeems come in another order than assigns. */
function shuffle<T>(items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
