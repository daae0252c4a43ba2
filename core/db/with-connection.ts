import type pg from 'pg';
import type { Connection } from './pool.ts';
import { isConnectionLoss } from './sql-errors.ts';

/** A connection that is taken out of the pool. */
export interface Lease {
  readonly connection: Connection;
  /** Set it to true if the connection must not be used again. It is set by itself when the connection is lost. */
  isBroken: boolean;
}

/**
 * Takes a connection out of the pool for several statements and gives it back. A lost one is thrown away.
 * @throws what `work` throws, and a connection loss where the pool can't get a connection
 */
export async function withConnection<T>(pool: pg.Pool, work: (lease: Lease) => Promise<T>): Promise<T> {
  const connection = await pool.connect();
  const lease: Lease = { connection, isBroken: false };
  // A connection that is cut emits 'error', with or without a statement under way. Without a listener that ends the
  // process.
  const onError = () => {
    lease.isBroken = true;
  };
  connection.on('error', onError);
  try {
    return await work(lease);
  } catch (error) {
    if (isConnectionLoss(error)) lease.isBroken = true;
    throw error;
  } finally {
    connection.off('error', onError);
    connection.release(lease.isBroken);
  }
}
