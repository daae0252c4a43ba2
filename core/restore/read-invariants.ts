import { readFile } from 'node:fs/promises';

/** A promise of the product, as a query that returns no row where it is kept. */
export interface Invariant {
  name: string;
  query: string;
  /** Whether it needs every event that there ever was: it can't be asked once a month of events has been removed. */
  foldsEvents: boolean;
}

const shipped = new URL('invariants.sql', import.meta.url);

/**
 * Reads the queries of invariants.sql, in the order of the file.
 * @param file where it is, for programs whose bundle has taken this code away from it
 */
export async function readInvariants(file: string | URL = shipped): Promise<Invariant[]> {
  const text = await readFile(file, 'utf8');
  return text
    .split(/^-- name: /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      const query = part.slice(end).trim().replace(/;$/, '');
      return { name: part.slice(0, end).trim(), query, foldsEvents: /^-- folds events$/m.test(query) };
    });
}
