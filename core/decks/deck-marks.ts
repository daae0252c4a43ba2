import type { WriteMark } from '../log.ts';
import type { Random } from '../random.ts';

/** The message of every line that carries marks, by which they are found in a log. */
export const deckMarksMessage = 'deck marks';

/**
 * What a line of marks says, as triples of tenant, deck or pattern, and a number: internal ids only, and no code. From
 * them alone nobody can tell a code, so a log may hold them.
 */
export interface DeckMarksFields {
  /** How far decks are dealt: `[tenantId, deckId, nextPos]`. */
  decks?: Mark[];
  /** How far patterns are generated: `[tenantId, patternId, nextIndex]`. */
  patterns?: Mark[];
  /** Positions taken ahead of the deal, by name: `[tenantId, deckId, pos]`. */
  taken?: Mark[];
}

/** What tells the lines of a process apart and shows whether one is missing. */
export interface DeckMarksNumber {
  /** The process, as random letters and digits. */
  task: string;
  /** Counts the lines of the process from 1. */
  line: number;
}

/** Tenant, deck or pattern, and a number. */
export type Mark = [number, number, number];

/** Writes marks into the log. */
export interface DeckMarks {
  /**
   * Writes marks of what a transaction is about to do, and resolves once they are out of the process, or given up
   * because the log is dead: await it before COMMIT. A mark of a transaction that failed does little harm: after a
   * restore, codes are voided that nobody has. One that is missing lets a code be dealt twice. Never rejects.
   */
  write(marks: DeckMarksFields): Promise<void>;
}

/** Keeps a line of the log below what log collectors cut. */
const marksPerLine = 500;

/**
 * Opens the marks of a process. Whoever moves a deck or a pattern on, or takes a code by name, writes a mark before
 * COMMIT. After a restore the database has forgotten what was dealt after the backup, and these lines are what tells
 * `after-restore` about it, so they must be kept outside the database. They are numbered, so that a lost one is
 * noticed.
 */
export function openDeckMarks(writeMark: WriteMark, random: Random): DeckMarks {
  const task = random.bytes(6).toString('hex');
  let line = 0;
  return {
    async write(marks) {
      await Promise.all(
        splitMarks(marks).map((fields) => {
          line += 1;
          return writeMark({ task, line, ...fields } satisfies DeckMarksNumber & DeckMarksFields, deckMarksMessage);
        }),
      );
    },
  };
}

/** The same marks in as few lines as may be; one empty line where there is none. */
function splitMarks(marks: DeckMarksFields): DeckMarksFields[] {
  const kinds = Object.entries(marks) as [keyof DeckMarksFields, Mark[]][];
  const count = kinds.reduce((sum, [, ofKind]) => sum + ofKind.length, 0);
  if (count <= marksPerLine) return [Object.fromEntries(kinds.filter(([, ofKind]) => ofKind.length > 0))];
  return kinds.flatMap(([kind, ofKind]) => {
    const lines: DeckMarksFields[] = [];
    for (let at = 0; at < ofKind.length; at += marksPerLine) {
      lines.push({ [kind]: ofKind.slice(at, at + marksPerLine) });
    }
    return lines;
  });
}
