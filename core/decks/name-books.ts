import type { Queryable } from '../db/pool.ts';

/** A book as an operator of its tenant is told of it. */
interface NamedBook {
  name: string;
  bookId: string;
}

/** In words that name the first book of a pattern of the tenant. */
export async function bookOfPattern(db: Queryable, tenantId: number, patternId: number): Promise<string> {
  const { rows } = await db.query<NamedBook>({
    name: 'book-of-pattern',
    text: `select b.name, b.id as "bookId" from decks d
      join books b on b.tenant_id = $1 and b.book_id = d.book_id
      where d.tenant_id = $1 and d.pattern_id = $2 order by d.first_index limit 1`,
    values: [tenantId, patternId],
  });
  return rows[0] === undefined ? 'a book' : nameBook(rows[0]);
}

/**
 * In words that say of which book of the tenant a code is, and how: uploaded to it, or its public code. Null where
 * there is no such code.
 */
export async function bookOfStoredCode(db: Queryable, tenantId: number, code: string): Promise<string | null> {
  const { rows } = await db.query<NamedBook & { isPublic: boolean }>({
    name: 'book-of-stored-code',
    text: `select b.name, b.id as "bookId", c.deck_id < 0 as "isPublic" from deck_codes c
      left join decks d on d.tenant_id = $1 and d.deck_id = c.deck_id
      join books b on b.tenant_id = $1 and b.book_id = coalesce(d.book_id, -c.deck_id)
      where c.tenant_id = $1 and c.code = $2`,
    values: [tenantId, code],
  });
  const book = rows[0];
  if (book === undefined) return null;
  return book.isPublic ? `is the public code of ${nameBook(book)}` : `was uploaded to ${nameBook(book)}`;
}

function nameBook({ name, bookId }: NamedBook): string {
  return `the book “${name}” (${bookId})`;
}
