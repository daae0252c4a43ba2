import type { Clock } from '../clock.ts';
import type { Queryable } from '../db/pool.ts';
import { isTimeout } from '../db/sql-errors.ts';
import type { Invariant } from './read-invariants.ts';

/** What the promises said so far. */
export interface InvariantAnswers {
  /** How many were answered. */
  asked: number;
  /** Those that are broken, with how many rows break them; the rows hold codes and are not told. */
  broken: { name: string; rows: number }[];
  /** Those whose query was still running when the time was over. */
  unanswered: string[];
  /** Those that need all events, and can't be asked because some have been removed. */
  leftOut: string[];
  /** The place of the one that is to be asked next; null once there is none. */
  next: number | null;
}

/** Until when to ask. */
export interface AskUntil {
  clock: Clock;
  /** By the clock's `monotonic`, in milliseconds; no statement goes on beyond it. */
  deadline: number;
}

/** No question is begun with less time than that. */
const leastMillis = 10_000;

/** Nothing was asked yet. */
export const nothingAsked: InvariantAnswers = { asked: 0, broken: [], unanswered: [], leftOut: [], next: 0 };

/**
 * Asks the promises of the product, from the one at `before.next` on, until all are answered or the time is over. Each
 * reads whole tables, so for a large database it is called again with what it returned. A question that gets no answer
 * is asked once more by the next call, with all of its time, and then given up.
 * @param db one session: its statement_timeout is set
 */
export async function askInvariants(
  db: Queryable,
  invariants: readonly Invariant[],
  before: InvariantAnswers,
  until: AskUntil,
): Promise<InvariantAnswers> {
  const answers = structuredClone(before);
  const first = before.next ?? invariants.length;
  const hasAllEvents = !(await haveEventsLeft(db));
  for (let at = first; at < invariants.length; at += 1) {
    const { name, query, foldsEvents } = invariants[at]!;
    if (foldsEvents && !hasAllEvents) {
      answers.leftOut.push(name);
      continue;
    }
    const leftMillis = Math.floor(until.deadline - until.clock.monotonic());
    if (at > first && leftMillis < leastMillis) return { ...answers, next: at };
    const rows = await countBreaking(db, query, Math.max(1, leftMillis));
    if (rows === null) {
      if (at > first) return { ...answers, next: at };
      answers.unanswered.push(name);
    } else {
      answers.asked += 1;
      if (rows > 0) answers.broken.push({ name, rows });
    }
  }
  return { ...answers, next: null };
}

/** How many rows break a promise; null where that took too long. */
async function countBreaking(db: Queryable, query: string, timeoutMillis: number): Promise<number | null> {
  await db.query("select set_config('statement_timeout', $1, false)", [String(timeoutMillis)]);
  try {
    const { rows } = await db.query<{ rows: number }>(`select count(*) as rows from (${query}\n) as breaking`);
    return Number(rows[0]!.rows);
  } catch (error) {
    if (isTimeout(error)) return null;
    throw error;
  }
}

/** Whether a month of events has been removed: the first one has no table, or redemptions were kept of one. */
async function haveEventsLeft(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ left: boolean }>(
    `select to_regclass('events_' || (select to_char(min(timestamp)::timestamptz at time zone 'UTC', 'YYYY_MM')
          from kysely_migration)) is null
        or exists (select from archived_redemptions) as left`,
  );
  return rows[0]!.left;
}
