import { plainArray } from '../db/array-text.ts';
import { ofTenant } from '../db/of-tenant.ts';
import type { Queryable } from '../db/pool.ts';
import type { BookKey } from '../keys.ts';

/** How many codes of these books can still be dealt; a book without a deck is not in the map. */
export async function countLeft(db: Queryable, tenantId: number, bookKeys: BookKey[]): Promise<Map<BookKey, number>> {
  if (bookKeys.length === 0) return new Map();
  const { rows } = await db.query<{ bookKey: BookKey; left: number }>({
    name: 'count-left',
    text: `select asked.id as "bookKey", sum(d.size - d.next_pos - d.taken_ahead)::bigint as left
      from unnest($2::int[]) as asked (id)
      cross join lateral (select * from decks where book_id = asked.id and ${ofTenant} offset 0) as d
      group by asked.id`,
    values: [tenantId, plainArray(bookKeys)],
  });
  return new Map(rows.map((row) => [row.bookKey, row.left]));
}
