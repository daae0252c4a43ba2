import { type Static, Type } from 'typebox';
import type { Queryable } from '../db/pool.ts';
import { Time } from '../input/shapes.ts';
import type { BookKey } from '../keys.ts';
import { BookCounts, bookCounts, type CountsRow, countsSelection } from './book-document.ts';

/** A book's counts, as they were at `asOf`. */
export const CountsView = Type.Object({
  ...BookCounts.properties,
  asOf: { ...Time, description: 'When the counts were read, by the database’s clock.' },
});
export type CountsView = Static<typeof CountsView>;

/** Reads the counts of books for screens that ask again and again. */
export interface CountsBoard {
  /**
   * The counts of a book, read after they were asked for: whoever has just changed the book sees the change. Null where
   * there is no such book (any more).
   * Of one book one reading runs at a time, and all who ask meanwhile share the next one: so however many ask, a book
   * takes one connection at most.
   */
  read(tenantId: number, bookKey: BookKey): Promise<CountsView | null>;
}

/** A reading under way, and the one that begins after it. */
interface Reading {
  running: Promise<CountsView | null>;
  next: Promise<CountsView | null> | null;
}

/** Opens a board on which nothing is read yet; over the primary, whose counts are those of `asOf`. */
export function openCountsBoard(pool: Queryable): CountsBoard {
  const readings = new Map<string, Reading>();

  async function read(tenantId: number, bookKey: BookKey): Promise<CountsView | null> {
    const { rows } = await pool.query<CountsRow & { asOf: Date }>({
      name: 'read-book-counts',
      text: countsSelection,
      values: [tenantId, bookKey],
    });
    const row = rows[0];
    if (row === undefined) return null;
    return { ...bookCounts(row), asOf: row.asOf.toISOString() };
  }

  function begin(name: string, start: () => Promise<CountsView | null>): Promise<CountsView | null> {
    const reading: Reading = { running: start(), next: null };
    readings.set(name, reading);
    const end = () => {
      if (readings.get(name) === reading) readings.delete(name);
    };
    reading.running.then(end, end);
    return reading.running;
  }

  return {
    read(tenantId, bookKey) {
      const name = `${tenantId} ${bookKey}`;
      const start = () => read(tenantId, bookKey);
      const reading = readings.get(name);
      if (reading === undefined) return begin(name, start);
      // A reading that is under way may have begun before the change that this caller has just made.
      const after = () => begin(name, start);
      reading.next ??= reading.running.then(after, after);
      return reading.next;
    },
  };
}
