import type { Queryable } from '../db/pool.ts';
import { limits } from '../limits.ts';
import type { BookStatus } from './book-terms.ts';

/** Books whose names were looked at and have the text in them. */
export interface NamedBooks {
  /** Their ids, newest first. */
  readonly ids: string[];
  /** The last book that was looked at, to go on behind it; null: there are no more. */
  readonly last: string | null;
}

/** Which books' names to look at. */
export interface NamesAsked {
  /** A part of the name, in whatever case; every character of it stands for itself. */
  readonly part: string;
  /** Null: any. */
  readonly status: BookStatus | null;
  /** A book's id to go on behind; null: from the newest on. */
  readonly after: string | null;
  /** Books found at most, 1 and up. */
  readonly limit: number;
}

const pieceRows = 1_000;

/**
 * Finds books by a part of the name, newest first: by their ids, which are in the order of time, piece by piece. It
 * looks at limits.pageScanMaxRows names of the tenant at most, and may then have found few.
 *
 * Names are compared here and not by PostgreSQL, whose lower() leaves letters with accents as they are where the
 * database was made with the locale C.
 */
export async function findBooksByName(
  db: Queryable,
  tenantId: number,
  { part, status, after, limit }: NamesAsked,
): Promise<NamedBooks> {
  const wanted = folded(part);
  const ids: string[] = [];
  let last = after;
  for (let looked = 0; looked < limits.pageScanMaxRows; looked += pieceRows) {
    const names = await readNames(db, tenantId, status, last);
    for (const { id, name } of names) {
      if (ids.length === limit) return { ids, last };
      last = id;
      if (folded(name).includes(wanted)) ids.push(id);
    }
    if (names.length < pieceRows) return { ids, last: null };
  }
  return { ids, last };
}

/** One spelling for letters that differ in case alone, or in how an accent was typed. */
function folded(text: string): string {
  return text.normalize('NFC').toUpperCase().toLowerCase();
}

async function readNames(
  db: Queryable,
  tenantId: number,
  status: BookStatus | null,
  after: string | null,
): Promise<{ id: string; name: string }[]> {
  const { rows } = await db.query<{ id: string; name: string }>({
    name: 'book-names',
    text: `select id, name from books where tenant_id = $1 and ($2::text is null or status = $2)
      and ($3::uuid is null or id < $3) order by id desc limit $4`,
    values: [tenantId, status, after, pieceRows],
  });
  return rows;
}
