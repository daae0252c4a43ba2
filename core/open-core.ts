import { openKnownBooks } from './books/known-books.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { Core } from './core.ts';
import { type BatchListener, type CouponBatches, openCouponBatches } from './coupons/coupon-batches.ts';
import { type LockTokens, openLockTokens } from './coupons/lock-tokens.ts';
import { openObstacles } from './coupons/obstacles.ts';
import { openColdTurns } from './db/cold-turns.ts';
import { neededSchemaVersion, schemaVersion } from './db/migrate.ts';
import { closePools, openPools } from './db/open-pools.ts';
import { isConnectionLoss, isTimeout, loggable } from './db/sql-errors.ts';
import { openDeckMarks } from './decks/deck-marks.ts';
import { openKnownDecks } from './decks/known-decks.ts';
import { unavailable } from './errors.ts';
import type { Log, WriteMark } from './log.ts';
import { checkCodeSecret } from './patterns/code-secret.ts';
import { openKnownPatterns } from './patterns/known-patterns.ts';
import { type Random, systemRandom } from './random.ts';
import { openRedis } from './redis/open-redis.ts';
import { openMarkRounds } from './restore/mark-rounds.ts';
import { openThrottle } from './throttling/open-throttle.ts';

/** What openCore may be given beside the configuration. */
export interface CoreParts {
  log: Log;
  /** Writes marks for the day of a restore; without it they are lines of `log`, at level info, which nobody waits for. */
  writeMark?: WriteMark;
  clock?: Clock;
  random?: Random;
  /** Told of every batch, for metrics. */
  onBatch?: BatchListener;
}

/**
 * Opens everything that operations need. Resolves only when the database is there with a schema that is new enough,
 * and CODE_SECRET is the one that wrapped its keys; closes what it opened and throws otherwise.
 */
export async function openCore(config: Config, parts: CoreParts): Promise<Core> {
  const { log, clock = systemClock, random = systemRandom, onBatch = () => {} } = parts;
  const pools = openPools(config, log);
  const { pool } = pools;
  const redis = openRedis(config.redis, log, random);
  const writeMark = parts.writeMark ?? (async (fields, message) => log.info(fields, message));
  const deckMarks = openDeckMarks(writeMark, random);
  const core: Core & { batches: CouponBatches; lockTokens: LockTokens } = {
    config,
    log,
    clock,
    random,
    ...pools,
    coldTurns: openColdTurns(),
    knownBooks: openKnownBooks(pool),
    knownDecks: openKnownDecks(),
    knownPatterns: openKnownPatterns(config),
    redis,
    throttle: openThrottle({ redis, pool, clock, log, config }),
    // Read from the database, once it is known to be there.
    lockTokens: undefined as unknown as LockTokens,
    obstacles: openObstacles(clock),
    deckMarks,
    markRounds: openMarkRounds({ database: config.database, deckMarks, writeMark, clock }),
    // The queues need the core and the core the queues: they are put in place before anyone can see either.
    batches: undefined as unknown as CouponBatches,
  };
  core.batches = openCouponBatches(core, onBatch);
  try {
    await checkReady(core);
    await checkCodeSecret(pool, config);
    core.lockTokens = await openLockTokens(pool);
    await core.markRounds.start();
    return core;
  } catch (error) {
    await closeCore(core);
    throw error;
  }
}

/** Answers everything that is queued, then closes the connections. Call it once nothing new comes in. */
export async function closeCore(core: Core): Promise<void> {
  await core.batches.close();
  await core.markRounds.close();
  await core.redis?.close();
  await closePools(core);
}

/**
 * Returns when the database answers and its schema is new enough for this version.
 * @throws CouponError `unavailable`, saying which of the two it is
 */
export async function checkReady(core: Pick<Core, 'readyPool' | 'log'>): Promise<void> {
  const version = await schemaVersion(core.readyPool).catch((error: unknown) => {
    if (!isConnectionLoss(error) && !isTimeout(error))
      core.log.error({ error: loggable(error) }, 'the schema can’t be read');
    const refusal = unavailable('not-begun', 'The database can’t be reached.', 5);
    // For whoever starts the program; an answer never shows it.
    refusal.cause = error;
    throw refusal;
  });
  if (version < neededSchemaVersion) {
    const detail = `The database's schema is version ${version}, and version ${neededSchemaVersion} is needed: run the migrations.`;
    throw unavailable('not-begun', detail, 5);
  }
}
