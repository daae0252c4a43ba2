import { BoundedMap, cacheMaxEntries } from '../bounded-map.ts';
import type { Queryable } from '../db/pool.ts';
import type { BookKey } from '../keys.ts';
import { isUuid } from '../uuid.ts';

/**
 * Remembers what never changes of a book: which internal id its public id stands for, and back. Shared by all requests
 * of a process and bounded to cacheMaxEntries each way. "Not found" is never
 * remembered: the book may be made in the next moment by another process.
 */
export interface KnownBooks {
  /**
   * The internal id of the tenant's book, or null where it has none of this id or the id is no UUID at all. Look-ups of
   * one book at the same time are one query. Throws what the database throws, and remembers nothing then.
   */
  bookKeyOf(tenantId: number, bookId: string): Promise<BookKey | null>;
  /**
   * The public id of a book whose internal id came out of the database, a UUID in lower case. Throws an Error where the
   * tenant has no such book: books are never deleted, so that is a bug.
   */
  bookIdOf(tenantId: number, bookKey: BookKey): Promise<string>;
}

interface Identity {
  bookKey: BookKey;
  bookId: string;
}

/** Opens an empty cache over `pool`; the primary, since a replica may not have a new book yet. */
export function openKnownBooks(pool: Queryable): KnownBooks {
  const byBookId = new BoundedMap<string, Identity>(cacheMaxEntries);
  const byBookKey = new BoundedMap<string, Identity>(cacheMaxEntries);
  const asked = new Map<string, Promise<Identity | null>>();

  async function find(cache: BoundedMap<string, Identity>, key: string, query: () => Promise<Identity | null>) {
    const known = cache.get(key);
    if (known !== undefined) return known;
    const running = asked.get(key);
    if (running !== undefined) return running;
    const answer = query().finally(() => asked.delete(key));
    asked.set(key, answer);
    return answer;
  }

  async function read(tenantId: number, column: 'id' | 'book_id', value: string | number): Promise<Identity | null> {
    const answer = await pool.query<Identity>({
      name: `known-book-by-${column}`,
      text: `select book_id as "bookKey", id as "bookId" from books where tenant_id = $1 and ${column} = $2`,
      values: [tenantId, value],
    });
    const identity = answer.rows[0] ?? null;
    if (identity !== null) {
      byBookId.set(`${tenantId} ${identity.bookId}`, identity);
      byBookKey.set(`${tenantId} #${identity.bookKey}`, identity);
    }
    return identity;
  }

  return {
    async bookKeyOf(tenantId, bookId) {
      if (!isUuid(bookId)) return null;
      const id = bookId.toLowerCase();
      const identity = await find(byBookId, `${tenantId} ${id}`, () => read(tenantId, 'id', id));
      return identity?.bookKey ?? null;
    },
    async bookIdOf(tenantId, bookKey) {
      const identity = await find(byBookKey, `${tenantId} #${bookKey}`, () => read(tenantId, 'book_id', bookKey));
      if (identity === null) throw new Error(`tenant ${tenantId} has no book ${bookKey}`);
      return identity.bookId;
    },
  };
}
