import type { Core } from '../core.ts';
import { loggable } from '../db/sql-errors.ts';
import type { Log } from '../log.ts';

/** The message of every line that carries marks, by which they are found in a log. */
export const deckMarksMessage = 'deck marks';

/**
 * What a line of marks says, as triples of tenant, deck or pattern, and a number: internal ids only, and no code. From
 * them alone nobody can tell a code, so a log may hold them.
 */
export interface DeckMarksFields {
  /** How far decks are dealt: `[tenantId, deckId, nextPos]`. */
  decks?: [number, number, number][];
  /** How far patterns are generated: `[tenantId, patternId, nextIndex]`. */
  patterns?: [number, number, number][];
  /** Positions taken ahead of the deal, by name: `[tenantId, deckId, pos]`. */
  taken?: [number, number, number][];
}

/** Writes marks into the log while a process runs. */
export interface DeckMarks {
  /** To be called once a code was taken by name, after COMMIT; costs no query. */
  noteTaken(tenantId: number, deckId: number, pos: number): void;
  /** Stops, after a last round. */
  close(): Promise<void>;
}

const everyMillis = 1_000;
/** With so many decks that reading them takes long, rounds come further apart: at most a twentieth of the time. */
const restPerWork = 20;
/** Keeps a line of the log below what log collectors cut. */
const marksPerLine = 500;
/** A burst beyond what a second can bring is kept out of memory; the log says so. */
const takenMaxMarks = 100_000;

type Mark = [number, number, number];

/**
 * Logs once a second how far each deck is dealt and each pattern generated, where that has changed. After a restore the
 * database has forgotten what was dealt after the backup, and these lines are what tells `after-restore` about it; so
 * they must be kept outside the database, at level info. Every task logs what it sees: one that is left is enough.
 * A round that fails is logged and made up for by the next.
 */
export function startDeckMarks(core: Pick<Core, 'pool' | 'log' | 'clock'>): DeckMarks {
  const decks = new Map<string, number>();
  const patterns = new Map<string, number>();
  let taken: Mark[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const round = async () => {
    const noted = taken;
    taken = [];
    try {
      logMarks(core.log, 'taken', noted);
      logMarks(core.log, 'decks', changed(decks, await readDecks(core)));
      logMarks(core.log, 'patterns', changed(patterns, await readPatterns(core)));
    } catch (error) {
      core.log.warn({ error: loggable(error) }, 'marks could not be read; the next round makes up for it');
    }
  };
  let running = Promise.resolve();
  const schedule = (millis: number) => {
    timer = setTimeout(() => {
      const start = core.clock.monotonic();
      running = round().then(() => {
        if (!isClosed) schedule(Math.max(everyMillis, restPerWork * (core.clock.monotonic() - start)));
      });
    }, millis);
    timer.unref();
  };
  schedule(0);

  return {
    noteTaken(tenantId, deckId, pos) {
      if (taken.length < takenMaxMarks) taken.push([tenantId, deckId, pos]);
      else if (taken.length === takenMaxMarks)
        core.log.warn({ marks: takenMaxMarks }, 'more codes taken than can be marked');
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
      await round();
    },
  };
}

/** Logs at once how far a pattern is generated: a deck may be dealt from before the next round. */
export function markPattern(log: Log, tenantId: number, patternId: number, nextIndex: number): void {
  logMarks(log, 'patterns', [[tenantId, patternId, nextIndex]]);
}

function logMarks(log: Log, kind: keyof DeckMarksFields, marks: readonly Mark[]): void {
  for (let at = 0; at < marks.length; at += marksPerLine) {
    log.info({ [kind]: marks.slice(at, at + marksPerLine) }, deckMarksMessage);
  }
}

/** The marks that are not the same as in the round before. */
function changed(known: Map<string, number>, marks: readonly Mark[]): Mark[] {
  const news = marks.filter(([tenantId, id, number]) => known.get(`${tenantId}/${id}`) !== number);
  for (const [tenantId, id, number] of news) known.set(`${tenantId}/${id}`, number);
  return news;
}

async function readDecks({ pool }: Pick<Core, 'pool'>): Promise<Mark[]> {
  const { rows } = await pool.query<{ t: number; d: number; n: number }>({
    name: 'marks-of-decks',
    text: 'select tenant_id as t, deck_id as d, next_pos as n from decks where next_pos > 0',
    values: [],
  });
  return rows.map(({ t, d, n }) => [t, d, n]);
}

async function readPatterns({ pool }: Pick<Core, 'pool'>): Promise<Mark[]> {
  const { rows } = await pool.query<{ t: number; p: number; n: number }>({
    name: 'marks-of-patterns',
    text: 'select tenant_id as t, pattern_id as p, next_index as n from code_patterns',
    values: [],
  });
  return rows.map(({ t, p, n }) => [t, p, n]);
}
