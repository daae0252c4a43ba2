import { type DeckMarksFields, deckMarksMessage } from './deck-marks.ts';

/** The furthest marks of a log, keyed by `tenantId/id`. */
export interface FurthestMarks {
  readonly decks: Map<string, number>;
  readonly patterns: Map<string, number>;
  /** Positions taken by name, by deck. */
  readonly taken: Map<string, Set<number>>;
  /** Lines that carried marks. */
  lines: number;
}

/**
 * Reads marks out of a log, from any task and in any order, among whatever else it holds. A line may have something in
 * front of its JSON, as log collectors put it there. Memory grows with the decks, not with the log.
 */
export async function readDeckMarks(log: AsyncIterable<string>): Promise<FurthestMarks> {
  const marks: FurthestMarks = { decks: new Map(), patterns: new Map(), taken: new Map(), lines: 0 };
  for await (const line of log) {
    if (!line.includes(deckMarksMessage)) continue;
    const fields = parseLine(line);
    if (fields === null) continue;
    marks.lines += 1;
    for (const [key, nextPos] of triples(fields.decks)) raise(marks.decks, key, nextPos);
    for (const [key, nextIndex] of triples(fields.patterns)) raise(marks.patterns, key, nextIndex);
    for (const [key, pos] of triples(fields.taken)) {
      marks.taken.set(key, (marks.taken.get(key) ?? new Set<number>()).add(pos));
    }
  }
  return marks;
}

function parseLine(line: string): Partial<Record<keyof DeckMarksFields, unknown>> | null {
  try {
    const parsed = JSON.parse(line.slice(line.indexOf('{'))) as { msg?: unknown };
    return parsed.msg === deckMarksMessage ? (parsed as object) : null;
  } catch {
    return null;
  }
}

/** The triples of a field, as key and number; anything else in it is not ours. */
function triples(field: unknown): [string, number][] {
  if (!Array.isArray(field)) return [];
  return field.flatMap((mark: unknown) => {
    if (!Array.isArray(mark) || mark.length !== 3 || !mark.every(Number.isSafeInteger)) return [];
    const [tenantId, id, number] = mark as [number, number, number];
    return [[`${tenantId}/${id}`, number] as [string, number]];
  });
}

function raise(marks: Map<string, number>, key: string, number: number): void {
  if (number > (marks.get(key) ?? -1)) marks.set(key, number);
}
