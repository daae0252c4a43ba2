import type pg from 'pg';
import { unavailable } from '../errors.ts';
import type { BatchTrace } from '../trace.ts';
import { groupStatements } from './group-statements.ts';
import type { Queryable } from './pool.ts';
import { isConnectionLoss, isPanic, sqlStateOf } from './sql-errors.ts';
import { together } from './together.ts';
import { traceStatements } from './trace-statements.ts';
import { type Lease, withConnection } from './with-connection.ts';

declare const transactionMark: unique symbol;

/** A connection inside a transaction. A function that needs a transaction takes one, so it can't be called without. */
export interface Transaction extends Queryable {
  /**
   * Sends a statement whose answer is not needed, such as a write. It keeps its place among the others of its turn (see
   * groupStatements). An error in it ends the transaction like any other: the COMMIT behind it is not carried out.
   */
  send(statement: pg.QueryConfig): void;
  readonly [transactionMark]: true;
}

/**
 * A transaction in two steps, so that it waits for the database only twice: once for all that it reads, once for
 * COMMIT.
 */
export interface TwoSteps<Seen, Result> {
  /**
   * Sends all its statements in the turn in which it is called, so that they go out in one write with BEGIN. They run
   * in that order; if BEGIN fails, the server skips them. They take locks, read, and draw from sequences. They write
   * nothing, because BEGIN has not been answered yet.
   */
  read(tx: Transaction): Promise<Seen>;
  /** Decides, and sends what is to be written; COMMIT goes out with it. */
  write(tx: Transaction, seen: Seen): Promise<Result>;
}

/**
 * Runs `work` in one READ COMMITTED transaction and commits it. Whatever `work` throws rolls everything back and is
 * thrown on. If the connection is lost after COMMIT was sent, nobody can tell whether it took effect. The caller then
 * gets `unavailable` and may repeat the request with the same idempotency key.
 */
export function inTransaction<T>(pool: pg.Pool, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return run(pool, async (tx, begun) => {
    await begun;
    return work(tx);
  });
}

/**
 * The same for a transaction in two steps. Each wait for an answer costs a turn of the event loop, which takes
 * milliseconds under load. A batch of redeems waits twice instead of fourteen times, and so holds its locks for a
 * shorter time.
 * @param trace of the batch, where one of its members is traced
 */
export function inTwoSteps<Seen, Result>(
  pool: pg.Pool,
  steps: TwoSteps<Seen, Result>,
  trace?: BatchTrace,
): Promise<Result> {
  const work: Work<Result> = async (tx, begun) => {
    const [, seen] = await together([begun, steps.read(tx)]);
    return steps.write(tx, seen);
  };
  return run(pool, work, trace);
}

/** The answers to statements that were sent without waiting, and the first failure among them. */
interface Sent {
  answers: Promise<unknown>[];
  failure: { error: unknown } | null;
}

type Work<T> = (tx: Transaction, begun: Promise<unknown>) => Promise<T>;

function run<T>(pool: pg.Pool, work: Work<T>, trace?: BatchTrace): Promise<T> {
  return withConnection(pool, async (lease) => {
    const { connection } = lease;
    const sent: Sent = { answers: [], failure: null };
    const grouped = groupStatements(connection);
    const statements = trace === undefined ? grouped : traceStatements(grouped, trace);
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
      // If the server itself has refused it, for a full disk for example, the outcome is known.
      else if (isCommitting && (sqlStateOf(error) === null || isPanic(error))) throw unknownOutcome();
      throw error;
    }
  });
}

/**
 * COMMIT was sent, and its answer is lost. Only the written rows can tell whether it took effect. The transaction's id
 * can't: after a crash it may be given to another transaction, and pg_xact_status then tells about that one.
 */
function unknownOutcome(): Error {
  return unavailable(
    'unknown',
    'The database was lost during this request, which may or may not have been carried out. Repeat it with the same Idempotency-Key.',
  );
}

async function rollBack(lease: Lease, statements: Queryable): Promise<void> {
  // Statements of this turn go out at its end. Behind ROLLBACK they would run outside the transaction, and stay.
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
      // Commit and rollback look at it. Until then an error must not count as an unhandled rejection.
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
