import type { Queryable } from '../db/pool.ts';
import type { BookKey } from '../keys.ts';

/** The public id of a book; null where it was deleted. */
export async function idOfBook(db: Queryable, tenantId: number, bookKey: BookKey): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>({
    name: 'id-of-book',
    text: 'select id from books where tenant_id = $1 and book_id = $2',
    values: [tenantId, bookKey],
  });
  return rows[0]?.id ?? null;
}
