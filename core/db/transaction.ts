import type pg from 'pg';
import { unavailable } from '../errors.ts';
import { groupStatements } from './group-statements.ts';
import type { Queryable } from './pool.ts';
import { isConnectionLoss, isPanic, sqlStateOf } from './sql-errors.ts';
import { together } from './together.ts';
import { type Lease, withConnection } from './with-connection.ts';

declare const transactionMark: unique symbol;

/** A conversation inside a transaction. A function that takes one relies on being in it, and can't be called without. */
export interface Transaction extends Queryable {
  /**
   * Sends a statement to whose answer nobody looks: a write that has nothing to tell. It goes out in its place among the
   * others of its turn (see groupStatements). An error in it ends the transaction like any other, and COMMIT, behind it,
   * is not carried out.
   */
  send(statement: pg.QueryConfig): void;
  readonly [transactionMark]: true;
}

/** A transaction that waits for the database twice where all goes well, for whoever can say early what it wants to know. */
export interface TwoSteps<Seen, Result> {
  /**
   * Sends its statements in the turn in which it is called, and so in one write with BEGIN: where that fails, the server
   * leaves them out. Statements are carried out in the order in which they are sent. It takes locks, reads, and draws from
   * sequences; nothing is written before BEGIN was answered.
   */
  read(tx: Transaction): Promise<Seen>;
  /** Decides, and sends what is to be written; COMMIT goes out with it. */
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
    const statements = groupStatements(connection);
    let isCommitting = false;
    try {
      const begun = statements.query({ name: 'begin', text: 'begin' });
      // Whoever waits for it hears of its failure; `work` may fail before.
      begun.catch(() => {});
      const result = await work(openTransaction(statements, sent), begun);
      await begun;
      if (sent.failure !== null) throw sent.failure.error;
      isCommitting = true;
      await together([...sent.answers, commit(statements)]);
      return result;
    } catch (error) {
      await Promise.allSettled(sent.answers);
      if (isConnectionLoss(error) || isPanic(error)) lease.isBroken = true;
      if (!lease.isBroken) await rollBack(lease, statements);
      // What the server itself has refused, such as for a full disk, is no open question.
      else if (isCommitting && (sqlStateOf(error) === null || isPanic(error))) throw unknownOutcome();
      throw error;
    }
  });
}

/**
 * COMMIT was sent, and its answer is lost. Only the writes themselves can tell whether it took effect: a transaction's id
 * is handed out again after a crash that lost it, and pg_xact_status then speaks of somebody else's transaction.
 */
function unknownOutcome(): Error {
  return unavailable(
    'unknown',
    'The database was lost during this request, which may or may not have been carried out. Repeat it with the same Idempotency-Key.',
  );
}

async function rollBack(lease: Lease, statements: Queryable): Promise<void> {
  // Statements that were sent in this turn go out at its end: behind ROLLBACK they would be carried out for good.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  await statements.query('rollback').catch(() => {
    lease.isBroken = true;
  });
}

function openTransaction(statements: Queryable, sent: Sent): Transaction {
  const transaction: Omit<Transaction, typeof transactionMark> = {
    query: statements.query,
    send(statement) {
      const answer = statements.query(statement);
      // Whoever commits or rolls back looks at it; an error before that must not count as unheard.
      answer.catch((error: unknown) => {
        sent.failure ??= { error };
      });
      sent.answers.push(answer);
    },
  };
  return transaction as Transaction;
}

async function commit(statements: Queryable): Promise<void> {
  const answer = await statements.query({ name: 'commit', text: 'commit' });
  // A transaction that an earlier error has aborted answers COMMIT with ROLLBACK and no error.
  if (answer.command !== 'COMMIT') throw new Error(`COMMIT was answered with ${answer.command}`);
}
