import { isNativeError } from 'node:util/types';
import pg from 'pg';

/** The SQLSTATE of an error that PostgreSQL sent, or null for any other. */
export function sqlStateOf(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
}

/** The violated constraint's name, or null. */
export function constraintOf(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.constraint ?? null) : null;
}

/** A deadlock or a serialization failure: the same work, done again, can succeed. */
export function isRetryable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '40001' || state === '40P01';
}

/**
 * The refusal of a statement behind one that failed: in a transaction that is over, or prepared by a statement that the
 * server then left out. Beside another failure it is never the cause.
 */
export function isAfterFailure(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '25P02' || state === '26000';
}

/** The server has crashed in the middle of what it did, and what became of that shows only once it is back. */
export function isPanic(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'PANIC';
}

/** Data or constraint trouble (classes 22 and 23): one member of the batch is the cause, and only halving finds it. */
export function isPoison(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== null && (state.startsWith('22') || state.startsWith('23'));
}

/**
 * A statement, a lock or a connection took too long, or a deadlock came again at every retry: neither another one nor
 * halving would help an overloaded database.
 */
export function isTimeout(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (isRetryable(error)) return true;
  if (state === '57014' || state === '55P03' || state === '25P03') return true;
  return isNativeError(error) && /timeout exceeded when trying to connect|Query read timeout/.test(error.message);
}

/** A lock was waited for longer than `lock_timeout`: the transaction has changed nothing. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '55P03';
}

/** Codes of what a network, a resolver or TLS does to a connection. */
const lostConnectionCode =
  /^(E(CONN|HOST|NET)[A-Z]+|EPIPE|EPROTO|ENOTCONN|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ERR_(SSL|TLS|STREAM|SOCKET)_\w+)$/;

/**
 * The connection is gone, or of no more use: the server is going away, is out of connections, memory or disk (class 53),
 * or has become a standby in a failover (25006), and only a new connection finds the primary. The state of a running
 * COMMIT is then unknown.
 */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== null)
    return /^(08|53)/.test(state) || /^57P0[1-5]$/.test(state) || state === '25P03' || state === '25006';
  // Not `instanceof`: an error that Node's sockets made in another realm (a vm context) is an error all the same.
  if (!isNativeError(error)) return false;
  const { code, errors } = error as NodeJS.ErrnoException & { errors?: unknown };
  if (code !== undefined && lostConnectionCode.test(code)) return true;
  if (Array.isArray(errors)) return errors.some(isConnectionLoss);
  return /Connection terminated|Client has encountered a connection error|not queryable|Query read timeout|timeout exceeded when trying to connect|Cannot use a pool after calling end/i.test(
    error.message,
  );
}

/** The database has no space left for what is written: reading goes on, and so do writes once there is space again. */
export function isDiskFull(error: unknown): boolean {
  return sqlStateOf(error) === '53100';
}

/** What a failure of the database is called in the log and the metrics, for people who have to act. */
export const databaseFailureReasons = ['disk full', 'timed out', 'unreachable', 'refused'] as const;
/** One of those names. */
export type DatabaseFailure = (typeof databaseFailureReasons)[number];

/** Null: it is no failure of the database. `refused` is an error in what it was asked, and so mostly a bug. */
function failureOf(error: unknown): DatabaseFailure | null {
  if (isDiskFull(error)) return 'disk full';
  if (isTimeout(error)) return 'timed out';
  if (isConnectionLoss(error)) return 'unreachable';
  return error instanceof pg.DatabaseError ? 'refused' : null;
}

/** What may be logged of an error: PostgreSQL's own detail quotes the row, and with it codes and user ids. */
export function loggable(error: unknown): object {
  const reason = failureOf(error) ?? undefined;
  if (error instanceof pg.DatabaseError) {
    return { reason, sqlState: error.code, constraint: error.constraint, table: error.table, routine: error.routine };
  }
  // A framework's errors may be made by hand, and are known by their stack.
  if (isNativeError(error) || (typeof error === 'object' && error !== null && 'stack' in error)) {
    const { name, message, stack } = error as Error;
    return { reason, name, message, stack };
  }
  return { thrown: typeof error };
}
