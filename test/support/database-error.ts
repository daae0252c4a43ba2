import pg from 'pg';

/** An error as PostgreSQL sends it, with this SQLSTATE. */
export function databaseError(sqlState: string): Error {
  const error = new pg.DatabaseError('injected', 8, 'error');
  error.code = sqlState;
  return error;
}
