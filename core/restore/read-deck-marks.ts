import { type DeckMarksFields, deckMarksMessage } from '../decks/deck-marks.ts';
import { type MarkHole, type MarkLine, openMarkLines } from './mark-line-rules.ts';

/** The furthest marks of a log, keyed by `tenantId/id`, and what is known of how whole they are. */
export interface FurthestMarks {
  readonly decks: Map<string, number>;
  readonly patterns: Map<string, number>;
  /** Positions taken by name, by deck. */
  readonly taken: Map<string, Set<number>>;
  /** Lines that carried marks. */
  lines: number;
  /**
   * Lines without a number, of a version that marked once a second: what was dealt just before a failure is not in
   * them.
   */
  unnumbered: number;
  /** When the first and the last line were written, ISO 8601; null where no line says so. */
  from: string | null;
  to: string | null;
  /** Lines that a task wrote and that are not in the log. */
  holes: MarkHole[];
}

/**
 * Reads marks out of a log, from any task and in any order, among whatever else it holds. A line may have something in
 * front of its JSON, as log collectors put it there. Memory grows with the decks, the tasks, the codes taken by name
 * and the holes, not with the log.
 */
export async function readDeckMarks(log: AsyncIterable<string>): Promise<FurthestMarks> {
  const marks: FurthestMarks = {
    decks: new Map(),
    patterns: new Map(),
    taken: new Map(),
    lines: 0,
    unnumbered: 0,
    from: null,
    to: null,
    holes: [],
  };
  const numbers = openMarkLines();
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
    noteTime(marks, fields.time);
    const numbered = numberOf(fields);
    if (numbered === null) marks.unnumbered += 1;
    else numbers.add(numbered);
  }
  marks.holes.push(...numbers.holes());
  return marks;
}

type Fields = Partial<Record<keyof DeckMarksFields | 'time' | 'task' | 'line', unknown>>;

function parseLine(line: string): Fields | null {
  try {
    const parsed = JSON.parse(line.slice(line.indexOf('{'))) as { msg?: unknown };
    return parsed.msg === deckMarksMessage ? (parsed as object) : null;
  } catch {
    return null;
  }
}

function numberOf({ task, line, time }: Fields): MarkLine | null {
  if (typeof task !== 'string' || !Number.isSafeInteger(line)) return null;
  return { task, line: line as number, time: typeof time === 'string' ? time : null };
}

function noteTime(marks: FurthestMarks, time: unknown): void {
  if (typeof time !== 'string' || Number.isNaN(Date.parse(time))) return;
  if (marks.from === null || time < marks.from) marks.from = time;
  if (marks.to === null || time > marks.to) marks.to = time;
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
