import { BoundedMap, cacheMaxEntries } from '../bounded-map.ts';
import type { Queryable } from '../db/pool.ts';
import type { BookKey } from '../keys.ts';
import { isUuid } from '../uuid.ts';

/**
 * Remembers what never changes of a book: which internal id its public id stands for. Shared by all requests of a
 * process and bounded to cacheMaxEntries. "Not found" is never remembered: the book may be made in the next moment by
 * another process. Another process may delete a book without this one knowing: the internal id then leads to no row,
 * and is never used again.
 */
export interface KnownBooks {
  /**
   * The internal id of the tenant's book, or null where it has none of this id or the id is no UUID at all. Look-ups of
   * one book at the same time are one query. A book that was deleted may still have one: whoever reads by it must be
   * ready for no row. Throws what the database throws, and remembers nothing then.
   */
  bookKeyOf(tenantId: number, bookId: string): Promise<BookKey | null>;
  /** The same without memory: null for a book that was deleted, by whichever process, before the call. */
  presentBookKeyOf(tenantId: number, bookId: string): Promise<BookKey | null>;
}

/** Opens an empty cache over `pool`; the primary, since a replica may not have a new book yet. */
export function openKnownBooks(pool: Queryable): KnownBooks {
  const memory = new BoundedMap<string, BookKey>(cacheMaxEntries);
  const asked = new Map<string, Promise<BookKey | null>>();

  async function read(tenantId: number, id: string): Promise<BookKey | null> {
    const answer = await pool.query<{ bookKey: BookKey }>({
      name: 'known-book',
      text: 'select book_id as "bookKey" from books where tenant_id = $1 and id = $2',
      values: [tenantId, id],
    });
    const bookKey = answer.rows[0]?.bookKey ?? null;
    if (bookKey === null) memory.delete(`${tenantId} ${id}`);
    else memory.set(`${tenantId} ${id}`, bookKey);
    return bookKey;
  }

  return {
    async bookKeyOf(tenantId, bookId) {
      if (!isUuid(bookId)) return null;
      const id = bookId.toLowerCase();
      const name = `${tenantId} ${id}`;
      const known = memory.get(name) ?? asked.get(name);
      if (known !== undefined) return known;
      const answer = read(tenantId, id).finally(() => asked.delete(name));
      asked.set(name, answer);
      return answer;
    },
    presentBookKeyOf: async (tenantId, bookId) => (isUuid(bookId) ? read(tenantId, bookId.toLowerCase()) : null),
  };
}
