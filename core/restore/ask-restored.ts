import type { DatabaseAddress } from '../database-address.ts';
import { neededSchemaVersion, schemaVersion } from '../db/migrate.ts';
import { openPool, type Queryable } from '../db/pool.ts';
import { type AskUntil, askInvariants, type InvariantAnswers, nothingAsked } from './ask-invariants.ts';
import { compareMarks, type MarksAnswer } from './compare-marks.ts';
import type { FurthestMarks } from './read-deck-marks.ts';
import type { Invariant } from './read-invariants.ts';

/** What a restored database is asked with. */
export interface RestoredQuestions extends AskUntil {
  invariants: readonly Invariant[];
  /** The moment that was restored, in milliseconds since the Unix epoch. */
  restoredTo: number;
  /** Reads the marks of a stretch of the log around the moment. */
  readMarks(): Promise<FurthestMarks>;
}

/** What a restored database said. */
export interface RestoredAnswers {
  /** When it had said the first of it, in milliseconds since the Unix epoch. */
  answeredAt: number;
  schemaVersion: number;
  neededSchemaVersion: number;
  /** The newest event of the 35 days before the moment, ISO 8601; null where there is none. */
  newestEventAt: string | null;
  marks: MarksAnswer;
  invariants: InvariantAnswers;
}

/**
 * Asks a database that was restored whether it is whole: its schema, its newest event, its decks against the marks, and
 * the promises of the product. It reads, and writes nothing. Where the time is over before all is asked,
 * `invariants.next` is not null, and another call goes on from there.
 * @param before what an earlier call returned; null for the first
 */
export async function askRestored(
  address: DatabaseAddress,
  questions: RestoredQuestions,
  before: RestoredAnswers | null = null,
): Promise<RestoredAnswers> {
  const statementTimeoutMillis = Math.max(1, Math.floor(questions.deadline - questions.clock.monotonic()));
  const pool = openPool(address, {
    max: 1,
    applicationName: 'qurable drill',
    statementTimeoutMillis,
    onError: () => {},
  });
  try {
    const db = await pool.connect();
    try {
      await db.query('set default_transaction_read_only = on');
      const asked = before ?? (await askFirst(db, questions));
      const invariants = await askInvariants(db, questions.invariants, asked.invariants, questions);
      return { ...asked, invariants };
    } finally {
      db.release();
    }
  } finally {
    await pool.end();
  }
}

async function askFirst(db: Queryable, questions: RestoredQuestions): Promise<RestoredAnswers> {
  const version = await schemaVersion(db);
  return {
    schemaVersion: version,
    neededSchemaVersion,
    answeredAt: questions.clock.now(),
    newestEventAt: await readNewestEvent(db, questions.restoredTo),
    marks: await compareMarks(db, await questions.readMarks()),
    invariants: nothingAsked,
  };
}

/** The index of events by time tells which blocks to read, so a bound spares the months before it. */
async function readNewestEvent(db: Queryable, restoredTo: number): Promise<string | null> {
  const { rows } = await db.query<{ at: Date | null }>(
    "select max(at) as at from events where at >= $1::timestamptz - interval '35 days'",
    [new Date(restoredTo).toISOString()],
  );
  return rows[0]!.at?.toISOString() ?? null;
}
