import type pg from 'pg';
import type { Config } from '../config.ts';
import type { DatabaseAddress } from '../database-address.ts';
import type { Log } from '../log.ts';
import { databaseLimits } from './database-limits.ts';
import { openPool, type PoolOptions } from './pool.ts';
import { loggable } from './sql-errors.ts';

/**
 * The process's connections, one pool for each kind of work. So one kind can't use up the connections of another: a
 * slow upload, PATCH or export of one tenant never delays a redeem of another, and nothing delays `/ready`.
 */
export interface Pools {
  /** The hot path and authentication: short statements and batches, DB_POOL_MAX of them. */
  readonly pool: pg.Pool;
  /** Writes that are not on the hot path, one a tenant at a time (core/db/cold-turns.ts). */
  readonly coldPool: pg.Pool;
  /** Lists and exports, on the replica where there is one. Never for a decision. */
  readonly readPool: pg.Pool;
  /**
   * Background tasks (core/background.ts). They share it, so a piece gives its connection back within a second or so.
   */
  readonly backgroundPool: pg.Pool;
  /** For `/ready` and the health page, which asks it one question at a time. */
  readonly readyPool: pg.Pool;
}

/** What a background task works with that uses the database alone. */
export type BackgroundCore = Pick<Pools, 'backgroundPool'>;

/**
 * Connections beside DB_POOL_MAX, coldConnections and backgroundConnections; resources/connection-budget.cjs adds them
 * up.
 */
export const sideConnections = {
  ready: 1,
  /** On the primary, where there is no replica. */
  reads: 2,
  /** On the replica. */
  readsOfReplica: 4,
} as const;

/**
 * Connections for writes off the hot path: one for each four of DB_POOL_MAX, four at most. One may be busy for seconds,
 * for example with erasing a user who has many coupons.
 */
export function coldConnections(databasePoolMax: number): number {
  return Math.max(1, Math.min(4, Math.floor(databasePoolMax / 4)));
}

/**
 * Connections for background tasks, which all of them share: two, but one where DB_POOL_MAX is less than 8, as of many
 * small tasks each connection counts. So no piece may ask for a connection while it holds one.
 */
export function backgroundConnections(databasePoolMax: number): number {
  return databasePoolMax < 8 ? 1 : 2;
}

/** Opens the pools. No connection is made before it is needed. */
export function openPools(config: Pick<Config, 'database' | 'replica' | 'databasePoolMax'>, log: Log): Pools {
  const open = (address: DatabaseAddress, options: Pick<PoolOptions, 'max'> & Partial<PoolOptions>) =>
    openPool(address, {
      applicationName: 'qurable',
      answerTimeoutMillis: databaseLimits.answerTimeoutMillis,
      onError: (error) => log.warn({ error: loggable(error) }, 'an idle database connection was lost'),
      ...options,
    });
  return {
    pool: open(config.database, {
      max: config.databasePoolMax,
      plans: 'by-key',
      lockTimeoutMillis: databaseLimits.hotLockTimeoutMillis,
      idleInTransactionMillis: databaseLimits.hotIdleInTransactionMillis,
    }),
    coldPool: open(config.database, {
      max: coldConnections(config.databasePoolMax),
      applicationName: 'qurable cold',
      plans: 'by-key',
      lockTimeoutMillis: databaseLimits.coldLockTimeoutMillis,
    }),
    readPool:
      config.replica === null
        ? open(config.database, { max: sideConnections.reads, applicationName: 'qurable reads', plans: 'by-key' })
        : open(config.replica, {
            max: sideConnections.readsOfReplica,
            applicationName: 'qurable reads',
            plans: 'by-key',
          }),
    backgroundPool: open(config.database, {
      max: backgroundConnections(config.databasePoolMax),
      applicationName: 'qurable background',
      plans: 'by-key',
      lockTimeoutMillis: databaseLimits.coldLockTimeoutMillis,
    }),
    readyPool: open(config.database, { max: sideConnections.ready, applicationName: 'qurable ready' }),
  };
}

/** Closes every connection once it is free. */
export async function closePools({ pool, coldPool, readPool, backgroundPool, readyPool }: Pools): Promise<void> {
  await Promise.all([pool, coldPool, readPool, backgroundPool, readyPool].map((each) => each.end()));
}
