import pg from 'pg';
import type { DatabaseAddress } from '../database-address.ts';
import { databaseLimits } from './database-limits.ts';

/** A connection of the pool, for the operations that need one for a whole transaction. */
export type Connection = pg.PoolClient;

/**
 * Something that takes statements: a connection, or a pool for a single statement. A named statement of the hot path
 * has a constant as its text: the driver compares each text with the one that the name stood for before, which for one
 * that was put together anew takes longer than the rest of sending it.
 */
export type Queryable = Pick<pg.PoolClient, 'query'>;

const int8 = 20;

/** Parses int8 to a number. Every int8 of the schema stays below 2^53; one that does not is a bug, and says so. */
function parseInt8(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`an int8 of ${value} is beyond 2^53`);
  return number;
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? parseInt8 : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
};

/** What a pool may be told beside its address. */
export interface PoolOptions {
  /** Most connections at once, 1 and up. */
  max: number;
  /** How the connections are named in `pg_stat_activity`. */
  applicationName: string;
  /** Called for errors of idle connections, which would otherwise end the process. */
  onError: (error: Error) => void;
  /** How long a statement may take, in milliseconds; databaseLimits.statementTimeoutMillis unless told. */
  statementTimeoutMillis?: number;
  /** Milliseconds that a statement waits for a lock; databaseLimits.lockTimeoutMillis unless told. */
  lockTimeoutMillis?: number;
  /**
   * Milliseconds that a transaction may sit idle before the server ends it; databaseLimits.idleInTransactionMillis
   * unless told.
   */
  idleInTransactionMillis?: number;
  /**
   * Milliseconds after which a statement without any answer counts as a lost connection; none unless told. It is longer
   * than the server's own timeout, so that it ends only statements whose server is gone without a word, as in some
   * failovers. Without it a batch would hang until TCP gives up, a quarter of an hour later.
   */
  answerTimeoutMillis?: number;
  /** How long connecting may take, in milliseconds; databaseLimits.connectTimeoutMillis unless told. */
  connectTimeoutMillis?: number;
  /**
   * How statements are planned. `by-key`, for the hot path, whose statements all look rows up by an index: each is
   * planned once a connection, and never as a scan or a hash of a whole table. PostgreSQL chooses those while a fast
   * growing table has no statistics yet, and they get slower with every row (measured: four times slower after a
   * minute of a sale). `by-cost`, for everything else: planned anew each time, from what is known of the tables.
   *
   * A connection of the hot path also sends a statement without waiting for the answers to those before it. COPY can't
   * be used on it.
   */
  plans?: 'by-key' | 'by-cost';
}

const planSettings = {
  'by-key': [
    'plan_cache_mode=force_generic_plan',
    ...['seqscan', 'bitmapscan', 'hashjoin', 'mergejoin', 'material', 'memoize'].map((kind) => `enable_${kind}=off`),
  ],
  'by-cost': ['plan_cache_mode=force_custom_plan'],
};

/**
 * Opens a pool. Connections are made when they are needed; a database that is away shows at the first query.
 * Nothing is compiled just in time: the statements are short, and a compilation takes longer than any of them.
 */
export function openPool(address: DatabaseAddress, options: PoolOptions): pg.Pool {
  const { max, applicationName, onError, statementTimeoutMillis = databaseLimits.statementTimeoutMillis } = options;
  const { lockTimeoutMillis = databaseLimits.lockTimeoutMillis, answerTimeoutMillis, plans = 'by-cost' } = options;
  const { idleInTransactionMillis = databaseLimits.idleInTransactionMillis } = options;
  const { connectTimeoutMillis = databaseLimits.connectTimeoutMillis } = options;
  const pool = new pg.Pool({
    ...address,
    max,
    types,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMillis,
    idleTimeoutMillis: databaseLimits.idleConnectionMillis,
    keepAlive: true,
    pipeline: plans === 'by-key',
    ...(answerTimeoutMillis === undefined ? {} : { query_timeout: answerTimeoutMillis }),
    options: [
      ...planSettings[plans],
      'jit=off',
      `statement_timeout=${statementTimeoutMillis}`,
      `lock_timeout=${lockTimeoutMillis}`,
      `idle_in_transaction_session_timeout=${idleInTransactionMillis}`,
      'timezone=UTC',
      'default_transaction_isolation=read\\ committed',
    ]
      .map((setting) => `-c ${setting}`)
      .join(' '),
  });
  pool.on('error', onError);
  // A new connection has no listener for errors until somebody takes it, and an error without a listener ends the
  // process. That happens when the server closes the connection right after accepting it. Its first user gets an error.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}
