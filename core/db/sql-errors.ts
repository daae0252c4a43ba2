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
 * A statement was refused because one before it failed: the transaction was over, or the statement had not been
 * prepared since the server had skipped that. Beside another failure it is never the cause.
 */
export function isAfterFailure(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '25P02' || state === '26000';
}

/** The server has crashed in the middle of the work. What became of it can be seen only once the server is back. */
export function isPanic(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'PANIC';
}

/** Bad data or a violated constraint (classes 22 and 23). One member of the batch is the cause; halving finds it. */
export function isPoison(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== null && (state.startsWith('22') || state.startsWith('23'));
}

/**
 * A statement, a lock or a connection took too long, or every retry ended in a deadlock. The database is overloaded:
 * neither another retry nor halving would help.
 */
export function isTimeout(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (isRetryable(error)) return true;
  if (state === '57014' || state === '55P03' || state === '25P03') return true;
  return isNativeError(error) && /timeout exceeded when trying to connect|Query read timeout/.test(error.message);
}

/** A wait for a lock took longer than `lock_timeout`. The transaction has changed nothing. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '55P03';
}

/** Error codes of the network, the resolver and TLS. */
const lostConnectionCode =
  /^(E(CONN|HOST|NET)[A-Z]+|EPIPE|EPROTO|ENOTCONN|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ERR_(SSL|TLS|STREAM|SOCKET)_\w+)$/;

/**
 * The connection is gone or useless: the server is shutting down, is out of connections, memory or disk (class 53), or
 * has become a standby in a failover (25006), so that only a new connection finds the primary. Whether a COMMIT under
 * way took effect is then unknown.
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

/** The database's disk is full. Reads go on, and writes do once there is space again. */
export function isDiskFull(error: unknown): boolean {
  return sqlStateOf(error) === '53100';
}

/** What a failure of the database is called in the log and the metrics, for people who have to act. */
export const databaseFailureReasons = ['disk full', 'timed out', 'unreachable', 'refused'] as const;
/** One of those names. */
export type DatabaseFailure = (typeof databaseFailureReasons)[number];

/** Null: no failure of the database. `refused`: the statement itself was wrong, which is mostly a bug. */
function failureOf(error: unknown): DatabaseFailure | null {
  if (isDiskFull(error)) return 'disk full';
  if (isTimeout(error)) return 'timed out';
  if (isConnectionLoss(error)) return 'unreachable';
  return error instanceof pg.DatabaseError ? 'refused' : null;
}

/** What may be logged of an error. PostgreSQL's own detail is left out: it quotes the row, with codes and user ids. */
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
