import type pg from 'pg';
import type { Clock } from '../clock.ts';
import type { DatabaseAddress } from '../database-address.ts';
import { openPool, type Queryable } from '../db/pool.ts';
import { loggable } from '../db/sql-errors.ts';
import type { DeckMarks, Mark } from '../decks/deck-marks.ts';
import type { WriteMark } from '../log.ts';

/** Marks of deals must not wait for a database that stalls: reading them takes milliseconds. */
const timeouts = { connectTimeoutMillis: 2_000, statementTimeoutMillis: 2_000, answerTimeoutMillis: 3_000 };

/** The message of a warning that marks are late, which an alarm looks for. Its line has `gapMillis`. */
export const lateMarksMessage = 'deck marks are late';

/** Repeats marks while a process runs. */
export interface MarkRounds {
  /**
   * Begins, and resolves after the first round, whether that succeeded or not: within some 5 seconds. Never rejects.
   */
  start(): Promise<void>;
  /** Milliseconds since the last round that succeeded ended; since the start, where none has. */
  ageMillis(): number;
  /** Stops after the round that is under way, and closes the connection. */
  close(): Promise<void>;
}

const everyMillis = 1_000;
/** With so many decks that reading them takes long, rounds come further apart: at most a twentieth of the time. */
const restPerWork = 20;
/** The longest rest, however long a round took. */
const restMaxMillis = 5_000;
/** Rounds that end further apart than this are late: the longest rest, the longest round, and some reserve. */
const lateMillis = 10_000;
/**
 * How often a process with nothing to mark writes an empty line, so that a log that has stopped can be told from a
 * quiet shop.
 */
const heartbeatMillis = 60_000;

/** What rounds work with. */
export interface MarkRoundsParts {
  database: DatabaseAddress;
  deckMarks: DeckMarks;
  /** For warnings, which are written whatever LOG_LEVEL is. */
  writeMark: WriteMark;
  clock: Clock;
}

/**
 * Marks once a second how far every deck is dealt and every pattern generated, where that has changed: what other tasks
 * did as well. Each change was marked before its COMMIT by the task that made it; this repeats it in the logs of the
 * others, so that the log of a task which dies with its machine is not the only one to know. Rounds go over one
 * connection of their own, since what holds the hot path up must not hold them up; a statement that stalls is given up
 * with it, and another connection is made. A round that comes late is a warning, and the next one makes up for it.
 */
export function openMarkRounds(parts: MarkRoundsParts): MarkRounds {
  const { clock, deckMarks, writeMark } = parts;
  const pool = openMarkPool(parts.database);
  const decks = new Map<string, number>();
  const patterns = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let lastRound = clock.monotonic();
  let lastLine = Number.NEGATIVE_INFINITY;
  let warnFromMillis = lateMillis;

  const round = async (): Promise<number> => {
    const started = clock.monotonic();
    const marks = {
      decks: changed(decks, await readDecks(pool)),
      patterns: changed(patterns, await readPatterns(pool)),
    };
    const workMillis = clock.monotonic() - started;
    const isNews = marks.decks.length + marks.patterns.length > 0;
    if (isNews || clock.monotonic() - lastLine >= heartbeatMillis) {
      await deckMarks.write(marks);
      lastLine = clock.monotonic();
    }
    return workMillis;
  };
  const warnIfLate = async (error?: unknown) => {
    const gapMillis = Math.round(clock.monotonic() - lastRound);
    if (gapMillis < warnFromMillis) return;
    warnFromMillis = gapMillis + lateMillis;
    await writeMark({ gapMillis, ...(error === undefined ? {} : { error: loggable(error) }) }, lateMarksMessage);
  };
  /** Returns how long to rest. */
  const attempt = async (): Promise<number> => {
    try {
      const workMillis = await round();
      await warnIfLate();
      warnFromMillis = lateMillis;
      lastRound = clock.monotonic();
      return Math.min(restMaxMillis, Math.max(everyMillis, restPerWork * workMillis));
    } catch (error) {
      await warnIfLate(error);
      return everyMillis;
    }
  };
  const begin = (): Promise<void> =>
    attempt().then((restMillis) => {
      if (isClosed) return;
      timer = setTimeout(() => {
        running = begin();
      }, restMillis);
      timer.unref();
    });
  let running = Promise.resolve();

  return {
    start() {
      lastRound = clock.monotonic();
      running = begin();
      return running;
    },
    ageMillis: () => clock.monotonic() - lastRound,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
      await pool.end();
    },
  };
}

function openMarkPool(database: DatabaseAddress): pg.Pool {
  return openPool(database, {
    max: 1,
    applicationName: 'qurable marks',
    ...timeouts,
    // The next round notices.
    onError: () => {},
  });
}

/** The marks that are not the same as in the round before. */
function changed(known: Map<string, number>, marks: readonly Mark[]): Mark[] {
  const news = marks.filter(([tenantId, id, number]) => known.get(`${tenantId}/${id}`) !== number);
  for (const [tenantId, id, number] of news) known.set(`${tenantId}/${id}`, number);
  return news;
}

async function readDecks(pool: Queryable): Promise<Mark[]> {
  const { rows } = await pool.query<{ t: number; d: number; n: number }>({
    name: 'marks-of-decks',
    text: 'select tenant_id as t, deck_id as d, next_pos as n from decks where next_pos > 0',
    values: [],
  });
  return rows.map(({ t, d, n }) => [t, d, n]);
}

async function readPatterns(pool: Queryable): Promise<Mark[]> {
  const { rows } = await pool.query<{ t: number; p: number; n: number }>({
    name: 'marks-of-patterns',
    text: 'select tenant_id as t, pattern_id as p, next_index as n from code_patterns',
    values: [],
  });
  return rows.map(({ t, p, n }) => [t, p, n]);
}
