import type { Queryable } from '../db/pool.ts';
import type { FurthestMarks } from './read-deck-marks.ts';

/** How a restored database stands to the marks that were logged around its moment. */
export interface MarksAnswer {
  /** Lines that carried marks, and lines that a task wrote and that are not there. */
  lines: number;
  missing: number;
  /** When the first and the last line were written, ISO 8601; null where no line says so. */
  from: string | null;
  to: string | null;
  /** Decks and patterns of the database that a mark tells of. */
  compared: number;
  /** Those of them that are further than their last mark: after a restore their codes would be dealt twice. */
  beyond: number;
}

/**
 * Holds decks and patterns against the marks of a stretch of the log that begins before the restored moment and ends
 * after it. Each deal is marked before its COMMIT, so none of those in the stretch can be further than its last mark.
 */
export async function compareMarks(db: Queryable, marks: FurthestMarks): Promise<MarksAnswer> {
  const found = [
    ...(await read(db, 'select tenant_id as "tenantId", deck_id as id, next_pos as number from decks', marks.decks)),
    ...(await read(
      db,
      'select tenant_id as "tenantId", pattern_id as id, next_index as number from code_patterns',
      marks.patterns,
    )),
  ];
  const { lines, from, to, holes } = marks;
  return {
    lines,
    missing: holes.reduce((sum, { missing }) => sum + missing, 0),
    from,
    to,
    compared: found.length,
    beyond: found.filter(({ is, marked }) => is > marked).length,
  };
}

async function read(
  db: Queryable,
  text: string,
  marks: Map<string, number>,
): Promise<{ is: number; marked: number }[]> {
  const { rows } = await db.query<{ tenantId: number; id: number; number: number }>(text);
  return rows.flatMap(({ tenantId, id, number }) => {
    const marked = marks.get(`${tenantId}/${id}`);
    return marked === undefined ? [] : [{ is: Number(number), marked }];
  });
}
