import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { refuse } from '../errors.ts';
import { limits } from '../limits.ts';
import { gatherWrites } from './gather-writes.ts';
import type { Connection, Queryable } from './pool.ts';
import { isConnectionLoss } from './sql-errors.ts';
import { together } from './together.ts';
import { type Lease, withConnection } from './with-connection.ts';

declare const transactionMark: unique symbol;

/** A conversation inside a transaction. A function that takes one relies on being in it, and can't be called without. */
export interface Transaction extends Queryable {
  /**
   * Sends a statement to whose answer nobody looks: a write that has nothing to tell. It goes out at once, in its place
   * among the others. The transaction ends only after its answer, and an error in it ends it like any other.
   */
  send(statement: pg.QueryConfig): void;
  readonly [transactionMark]: true;
}

/** A transaction in two messages to the database and two answers, for whoever can say early what it wants to know. */
export interface TwoSteps<Seen, Result> {
  /**
   * Sends its statements behind BEGIN without waiting for that, and so must be harmless outside a transaction too: it
   * takes locks and reads. Statements are carried out in the order in which they are sent.
   */
  read(tx: Transaction): Promise<Seen>;
  /** Decides, and sends what is to be written; COMMIT goes out behind it. */
  write(tx: Transaction, seen: Seen): Promise<Result>;
}

/**
 * Runs `work` in one READ COMMITTED transaction and commits it. Whatever `work` throws rolls everything back and is
 * thrown on. When the connection dies during COMMIT, nobody can tell from here whether it took effect, so the
 * database is asked on another connection; if that can't tell either, the caller gets `unavailable` and may repeat
 * the request with the same idempotency key.
 */
export function inTransaction<T>(pool: pg.Pool, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return run(pool, async (tx, begun) => {
    await begun;
    return work(tx);
  });
}

/**
 * The same for a transaction in two steps. Each statement that waits for the one before it costs a turn of this
 * process's event loop, which under load is milliseconds: a batch of redeems waits twice instead of fourteen times, and
 * holds its locks so much shorter.
 */
export function inTwoSteps<Seen, Result>(pool: pg.Pool, steps: TwoSteps<Seen, Result>): Promise<Result> {
  return run(pool, async (tx, begun) => {
    const [, seen] = await together([begun, steps.read(tx)]);
    return steps.write(tx, seen);
  });
}

type Work<T> = (tx: Transaction, begun: Promise<unknown>) => Promise<T>;

async function run<T>(pool: pg.Pool, work: Work<T>): Promise<T> {
  const { result, lostCommit } = await runTransaction(pool, work);
  // Only now, when the lost connection has made room in the pool: an upload's pool has room for one.
  if (lostCommit !== null) await settleCommit(pool, lostCommit);
  return result;
}

/** What `work` gave, and the id of its transaction where COMMIT was sent and the connection lost before the answer. */
interface Ended<T> {
  result: T;
  lostCommit: string | null;
}

function runTransaction<T>(pool: pg.Pool, work: Work<T>): Promise<Ended<T>> {
  return withConnection(pool, async (lease) => {
    const { connection } = lease;
    const sent: Promise<unknown>[] = [];
    try {
      const begun = begin(connection);
      const result = await work(openTransaction(connection, sent), begun);
      const transactionId = await begun;
      try {
        await together([...sent, commit(connection)]);
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
        lease.isBroken = true;
        return { result, lostCommit: transactionId };
      }
      return { result, lostCommit: null };
    } catch (error) {
      await Promise.allSettled(sent);
      if (!lease.isBroken && !isConnectionLoss(error)) await rollBack(lease);
      throw error;
    }
  });
}

async function rollBack(lease: Lease): Promise<void> {
  await lease.connection.query('rollback').catch(() => {
    lease.isBroken = true;
  });
}

function openTransaction(connection: Connection, sent: Promise<unknown>[]): Transaction {
  const query = connection.query.bind(connection) as (...statement: unknown[]) => unknown;
  const transaction: Omit<Transaction, typeof transactionMark> = {
    query: ((...statement: unknown[]) => {
      gatherWrites(connection);
      return query(...statement);
    }) as Transaction['query'],
    send(statement) {
      gatherWrites(connection);
      const answer = connection.query(statement);
      // Whoever commits or rolls back looks at it; an error before that must not count as unheard.
      answer.catch(() => {});
      sent.push(answer);
    },
  };
  return transaction as Transaction;
}

/** Opens the transaction and returns its id, which is what settles the fate of a COMMIT without an answer. */
async function begin(connection: Connection): Promise<string> {
  gatherWrites(connection);
  // Two statements in one message: pg then answers with a list of results, which its types do not say.
  const answers: unknown = await connection.query('begin; select pg_current_xact_id()::text as id');
  return (answers as pg.QueryResult<{ id: string }>[])[1]!.rows[0]!.id;
}

async function commit(connection: Connection): Promise<void> {
  const answer = await connection.query('commit');
  // A transaction that an earlier error has aborted answers COMMIT with ROLLBACK and no error.
  if (answer.command !== 'COMMIT') throw new Error(`COMMIT was answered with ${answer.command}`);
}

/**
 * Returns when the transaction turns out to be committed; throws `unavailable` when it is not, or can't be known.
 * The server may need a moment to notice that its client is gone, so "in progress" is asked about again.
 */
async function settleCommit(pool: pg.Pool, transactionId: string): Promise<void> {
  for (let attempt = 1; attempt <= limits.commitFateAttempts; attempt += 1) {
    const fate = await pool
      .query<{ fate: string | null }>('select pg_xact_status($1::xid8) as fate', [transactionId])
      .then((answer) => answer.rows[0]!.fate)
      .catch(() => 'unreachable');
    if (fate === 'committed') return;
    if (fate === 'aborted') break;
    await sleep(limits.commitFatePauseMillis * attempt);
  }
  throw refuse('unavailable', 'The database was lost during this request. Repeat it with the same Idempotency-Key.', {
    retryAfterSeconds: 1,
  });
}
