import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { refuse } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Connection } from './pool.ts';
import { isConnectionLoss } from './sql-errors.ts';

declare const transactionMark: unique symbol;

/** A connection inside a transaction. A function that takes one relies on being in it, and can't be called without. */
export type Transaction = Connection & { readonly [transactionMark]: true };

/**
 * Runs `work` in one READ COMMITTED transaction and commits it. Whatever `work` throws rolls everything back and is
 * thrown on. When the connection dies during COMMIT, nobody can tell from here whether it took effect, so the
 * database is asked on another connection; if that can't tell either, the caller gets `unavailable` and may repeat
 * the request with the same idempotency key.
 */
export async function inTransaction<T>(pool: pg.Pool, work: (tx: Transaction) => Promise<T>): Promise<T> {
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

async function runTransaction<T>(pool: pg.Pool, work: (tx: Transaction) => Promise<T>): Promise<Ended<T>> {
  const connection = await pool.connect();
  let broken = false;
  // A connection cut between two statements emits 'error'; unheard, that would end the process.
  const onError = () => {
    broken = true;
  };
  connection.on('error', onError);
  try {
    const transactionId = await begin(connection);
    const result = await work(connection as Transaction);
    try {
      await commit(connection);
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      broken = true;
      return { result, lostCommit: transactionId };
    }
    return { result, lostCommit: null };
  } catch (error) {
    if (isConnectionLoss(error)) broken = true;
    if (!broken) await connection.query('rollback').catch(onError);
    throw error;
  } finally {
    connection.off('error', onError);
    connection.release(broken);
  }
}

/** Opens the transaction and returns its id, which is what settles the fate of a COMMIT without an answer. */
async function begin(connection: Connection): Promise<string> {
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
