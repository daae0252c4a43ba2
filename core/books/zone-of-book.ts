import type { Queryable } from '../db/pool.ts';
import type { BookKey } from '../keys.ts';

/** The time zone of a book, or null where there is no such book. */
export async function zoneOfBook(db: Queryable, tenantId: number, bookKey: BookKey): Promise<string | null> {
  const { rows } = await db.query<{ zone: string }>({
    name: 'zone-of-book',
    text: 'select time_zone as zone from books where tenant_id = $1 and book_id = $2',
    values: [tenantId, bookKey],
  });
  return rows[0]?.zone ?? null;
}
