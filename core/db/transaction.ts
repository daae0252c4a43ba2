import type pg from 'pg';
import { refuse } from '../errors.ts';
import { gatherWrites } from './gather-writes.ts';
import type { Connection, Queryable } from './pool.ts';
import { isConnectionLoss, sqlStateOf } from './sql-errors.ts';
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

/** A transaction that waits for the database twice where all goes well, for whoever can say early what it wants to know. */
export interface TwoSteps<Seen, Result> {
  /**
   * Sends its statements behind BEGIN without waiting for that, and so must be harmless outside a transaction too, where
   * a BEGIN that fails leaves them: it takes locks, reads, and draws from sequences. Statements are carried out in the
   * order in which they are sent. Nothing is written before BEGIN was answered.
   */
  read(tx: Transaction): Promise<Seen>;
  /** Decides, and sends what is to be written; COMMIT goes out behind it. */
  write(tx: Transaction, seen: Seen): Promise<Result>;
}

/**
 * Runs `work` in one READ COMMITTED transaction and commits it. Whatever `work` throws rolls everything back and is
 * thrown on. When the connection is lost once COMMIT is sent, nobody can tell from here whether it took effect: the caller
 * gets `unavailable` and may repeat the request with the same idempotency key.
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

/** Answers to what was sent without waiting, and the first failure among them that is known. */
interface Sent {
  answers: Promise<unknown>[];
  failure: { error: unknown } | null;
}

type Work<T> = (tx: Transaction, begun: Promise<unknown>) => Promise<T>;

function run<T>(pool: pg.Pool, work: Work<T>): Promise<T> {
  return withConnection(pool, async (lease) => {
    const { connection } = lease;
    const sent: Sent = { answers: [], failure: null };
    let isCommitting = false;
    try {
      const begun = connection.query('begin');
      // Whoever waits for it hears of its failure; `work` may fail before.
      begun.catch(() => {});
      gatherWrites(connection);
      const result = await work(openTransaction(connection, sent), begun);
      await begun;
      await refuseAfterLocalFailure(lease, sent);
      isCommitting = true;
      await together([...sent.answers, commit(connection)]);
      return result;
    } catch (error) {
      await Promise.allSettled(sent.answers);
      if (isConnectionLoss(error)) {
        lease.isBroken = true;
        // What the server itself has refused, such as for a full disk, is no open question.
        if (isCommitting && sqlStateOf(error) === null) throw unknownOutcome();
      } else if (!lease.isBroken) await rollBack(lease);
      throw error;
    }
  });
}

/**
 * COMMIT was sent, and its answer is lost. Only the writes themselves can tell whether it took effect: a transaction's id
 * is handed out again after a crash that lost it, and pg_xact_status then speaks of somebody else's transaction.
 */
function unknownOutcome(): Error {
  return refuse(
    'unavailable',
    'The database was lost during this request, which may or may not have been carried out. Repeat it with the same Idempotency-Key.',
    { retryAfterSeconds: 1 },
  );
}

/**
 * The driver refuses a statement that it can't write, and the server never hears of it: COMMIT would then keep the rest.
 * It says so within this turn. The connection's list of prepared statements is not to be trusted after that.
 */
async function refuseAfterLocalFailure(lease: Lease, sent: Sent): Promise<void> {
  if (sent.answers.length === 0) return;
  await new Promise<void>((resolve) => process.nextTick(resolve));
  if (sent.failure === null) return;
  lease.isBroken = true;
  throw sent.failure.error;
}

async function rollBack(lease: Lease): Promise<void> {
  await lease.connection.query('rollback').catch(() => {
    lease.isBroken = true;
  });
}

function openTransaction(connection: Connection, sent: Sent): Transaction {
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
      answer.catch((error: unknown) => {
        sent.failure ??= { error };
      });
      sent.answers.push(answer);
    },
  };
  return transaction as Transaction;
}

async function commit(connection: Connection): Promise<void> {
  const answer = await connection.query('commit');
  // A transaction that an earlier error has aborted answers COMMIT with ROLLBACK and no error.
  if (answer.command !== 'COMMIT') throw new Error(`COMMIT was answered with ${answer.command}`);
}
