import { type Static, type TProperties, Type } from 'typebox';
import { ofTenant } from '../db/of-tenant.ts';
import { Id, nullable, Rev, shown, Time } from '../input/shapes.ts';
import { type BookTerms, bookTerms, isTimeTerm, type StoredTerms, selectTerms, termNames } from './book-terms.ts';

const count = (description: string) => Type.Integer({ minimum: 0, description });

/** How many codes and redemptions a book has. */
export const BookCounts = Type.Object({
  codes: count('All codes of the book’s decks: available, assigned and voided ones together.'),
  available: count('Codes that can still be assigned.'),
  assigned: count('Coupons in users’ hands, whether redeemed or not.'),
  redemptions: count('Redemptions that were not given back.'),
  voided: count('Codes that were voided, in a user’s hands or before.'),
});

/** A book as callers see it. */
export const BookDocument = Type.Object({
  id: Id,
  ...shownTerms(bookTerms),
  counts: BookCounts,
  rev: Rev,
  createdAt: Time,
  updatedAt: Time,
});
export type BookDocument = Static<typeof BookDocument>;

/** What a book's counts are made of, as countsSelection reads it. */
export interface CountsRow {
  codes: number;
  available: number;
  voided: number;
  redemptions: number;
}

/** A book's row with its counts, as bookSelection reads it. */
export interface BookRow extends StoredTerms, CountsRow {
  id: string;
  rev: number;
  createdAt: Date;
  updatedAt: Date;
}

/** Book $2 of tenant $1, looked up by its key. */
export const theBook = `(select * from books where book_id = $2 and ${ofTenant} offset 0)`;

const countColumns = 'd.codes, d.available, d.voided + c.voided as voided, c.redemptions';

/** The sums of a book `b` of tenant $1, as `d` and `c`. */
const countSums = `cross join lateral (
    select coalesce(sum(size), 0)::bigint as codes, coalesce(sum(voided), 0)::bigint as voided,
      coalesce(sum(size - next_pos - taken_ahead), 0)::bigint as available
    from (select * from decks where book_id = b.book_id and ${ofTenant} offset 0) as of_book) d
  cross join lateral (
    select coalesce(sum(redemptions), 0)::bigint as redemptions, coalesce(sum(voided), 0)::bigint as voided
    from book_counters where tenant_id = $1 and book_id = b.book_id) c`;

/**
 * Selects books of tenant $1, a table or a subquery, as BookRow; a `where` on `b` may follow. Counts are sums over the
 * book's decks and its counter's stripes, so they cost the same whatever the number of codes, and one statement sees
 * them at one moment. What is available is leftInDeck of each deck (test: "counts are summed over decks and stripes:
 * assigned is what is neither left nor void").
 */
export const bookSelection = (books: string) => `select b.id, ${selectTerms('b')}, b.rev,
    b.created_at as "createdAt", b.updated_at as "updatedAt",
    ${countColumns}
  from ${books} b ${countSums}`;

/**
 * Selects the counts of book $2 of tenant $1 as CountsRow, in the same way, and `asOf`: what was committed before it is
 * counted.
 */
export const countsSelection = `select ${countColumns}, statement_timestamp() as "asOf"
  from ${theBook} b ${countSums}`;

/** The part of a row that callers set. */
export function termsOf(row: StoredTerms): BookTerms {
  const terms = termNames.map((term) => {
    const value = row[term];
    return [term, value instanceof Date ? value.toISOString() : value];
  });
  return Object.fromEntries(terms) as BookTerms;
}

/** The counts of a row as callers see them. */
export function bookCounts({ codes, available, redemptions, voided }: CountsRow): Static<typeof BookCounts> {
  return { codes, available, assigned: codes - available - voided, redemptions, voided };
}

/** A row as callers see it. */
export function bookDocument(row: BookRow): BookDocument {
  const { id, rev, createdAt, updatedAt } = row;
  return {
    id,
    ...termsOf(row),
    counts: bookCounts(row),
    rev,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

/** The terms as answers have them, with every time in one form. */
export function shownTerms<T extends TProperties>(terms: T): T {
  const entries = Object.entries(shown(terms)).map(([term, shape]) => [
    term,
    isTimeTerm(term) ? nullable(Time) : shape,
  ]);
  return Object.fromEntries(entries) as T;
}
