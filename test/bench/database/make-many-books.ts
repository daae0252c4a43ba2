import type { BenchDatabase } from './bench-database.ts';
import { type BenchBook, makeGeneratedBook } from './make-book.ts';

/**
 * Makes many active books with `size` generated codes each: one as usual, and copies of its rows, since a thousand
 * commits to the disk would take the bench half a minute. Gives their ids as clients know them.
 */
export async function makeManyBooks(
  database: BenchDatabase,
  count: number,
  size: number,
  pattern = 'MANY-##########',
): Promise<BenchBook[]> {
  const { bookKey, deckKey, patternId } = await makeGeneratedBook(database, size, pattern);
  const { client } = database;
  await client.query('begin');
  for (const statement of copyBooks) await client.query(statement, [bookKey, deckKey, count]);
  await client.query('update code_patterns set next_index = next_index * $2 where pattern_id = $1', [patternId, count]);
  await client.query('commit');
  const { rows } = await client.query<{ id: string; bookKey: number; deckKey: number }>(
    `select b.id, b.book_id as "bookKey", d.deck_id as "deckKey" from books b join decks d using (tenant_id, book_id)
      where b.book_id >= $1 order by b.book_id`,
    [bookKey],
  );
  if (rows.length !== count) throw new Error(`${rows.length} books were made instead of ${count}`);
  return rows.map((row) => ({ ...row, size, patternId }));
}

/** $1: the book to copy, the last one made. $2: its deck. $3: how many books there are to be. */
const copyBooks = [
  `insert into books (tenant_id, id, name, status, time_zone, max_codes_per_user, max_redemptions_per_code,
      lock_ttl_seconds, require_lock, self_service, metadata, rev, created_at, updated_at)
    select tenant_id, gen_random_uuid(), name, status, time_zone, max_codes_per_user, max_redemptions_per_code,
      lock_ttl_seconds, require_lock, self_service, metadata, rev, created_at, updated_at
    from books, generate_series(2, $3::int) where book_id = $1 and $2::int > 0`,
  `insert into book_revisions (tenant_id, book_id, rev, at, actor, status, max_codes_per_user, max_redemptions_per_code)
    select r.tenant_id, b.book_id, r.rev, r.at, r.actor, r.status, r.max_codes_per_user, r.max_redemptions_per_code
    from book_revisions r join books b on b.book_id > r.book_id where r.book_id = $1 and $2::int + $3::int > 0`,
  `insert into book_counters (tenant_id, book_id, stripe)
    select c.tenant_id, b.book_id, c.stripe from book_counters c join books b on b.book_id > c.book_id
    where c.book_id = $1 and $2::int + $3::int > 0`,
  `insert into dealers (tenant_id, book_id) select tenant_id, book_id from books
    where book_id > $1 and $2::int + $3::int > 0`,
  `insert into decks (tenant_id, id, book_id, kind, size, pattern_id, first_index, created_at)
    select d.tenant_id, gen_random_uuid(), b.book_id, d.kind, d.size, d.pattern_id,
      d.size * row_number() over (order by b.book_id), d.created_at
    from decks d join books b on b.book_id > d.book_id where d.book_id = $1 and d.deck_id = $2 and $3::int > 0`,
];
