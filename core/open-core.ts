import { openKnownCallers } from './access/known-callers.ts';
import { openCountsBoard } from './books/book-counts.ts';
import { openKnownBooks } from './books/known-books.ts';
import { BoundedMap, cacheMaxEntries } from './bounded-map.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { Core } from './core.ts';
import { type BatchListener, openCouponBatches } from './coupons/engine/coupon-batches.ts';
import { openLockTokens } from './coupons/engine/lock-tokens.ts';
import { openObstacles } from './coupons/engine/obstacles.ts';
import { openColdTurns } from './db/cold-turns.ts';
import { driverFault } from './db/group-statements.ts';
import { neededSchemaVersion, schemaVersion } from './db/migrate.ts';
import { closePools, openPools, type Pools } from './db/open-pools.ts';
import { isConnectionLoss, isTimeout, loggable } from './db/sql-errors.ts';
import { openDeckMarks } from './decks/deck-marks.ts';
import { openKnownDecks } from './decks/known-decks.ts';
import { unavailable } from './errors.ts';
import { openJobBell } from './jobs/job-bell.ts';
import { limits } from './limits.ts';
import type { Log, WriteMark } from './log.ts';
import { openSender, type Sender } from './outbound/open-sender.ts';
import { openCursors } from './paging.ts';
import { checkCodeSecret } from './patterns/code-secret.ts';
import { openKnownPatterns } from './patterns/known-patterns.ts';
import { type Random, systemRandom } from './random.ts';
import { openRedis } from './redis/open-redis.ts';
import { openMarkRounds } from './restore/mark-rounds.ts';
import { openThrottle } from './throttling/open-throttle.ts';
import { openSignInPace } from './throttling/sign-in-pace.ts';
import type { Tracing } from './trace.ts';
import { UploadSlots } from './uploads/slots.ts';
import type { Announcer } from './webhooks/announcer.ts';

/** What openCore may be given beside the configuration. */
export interface CoreParts {
  log: Log;
  /**
   * Writes marks for the day of a restore; without it they are lines of `log`, at level info, which nobody waits for.
   */
  writeMark?: WriteMark;
  clock?: Clock;
  random?: Random;
  /** Sends webhooks; unless given, this process does. */
  sender?: Sender;
  /** Tells operators of books that run out; without it they are lines of the log alone. */
  announcer?: Announcer;
  /** Told of every batch, for metrics. */
  onBatch?: BatchListener;
  /** Traces the batches of requests that are traced. */
  tracing?: Tracing | null;
}

/**
 * Opens everything that operations need. Resolves only when the database is there with a schema that is new enough,
 * and CODE_SECRET is the one that wrapped its keys; closes what it opened and throws otherwise.
 */
export async function openCore(config: Config, given: CoreParts): Promise<Core> {
  const parts = openParts(config, given);
  if (driverFault !== null) parts.log.warn({ fault: driverFault }, 'statements are sent one by one, which is slower');
  try {
    await checkReady(parts);
    await checkCodeSecret(parts.pool, config);
    const engine = { ...parts, lockTokens: await openLockTokens(parts.pool) };
    await parts.markRounds.start();
    return { ...engine, batches: openCouponBatches(engine, given.onBatch ?? (() => {}), given.tracing) };
  } catch (error) {
    await closeParts(parts);
    throw error;
  }
}

/** What can be opened without a look into the database. */
type Parts = Omit<Core, 'lockTokens' | 'batches'>;

function openParts(config: Config, given: CoreParts): Parts {
  const { log, clock = systemClock, random = systemRandom } = given;
  const pools = openPools(config, log);
  const { pool } = pools;
  const redis = openRedis(config.redis, log, random);
  const writeMark = given.writeMark ?? (async (fields, message) => log.info(fields, message));
  const deckMarks = openDeckMarks(writeMark, random);
  return {
    config,
    log,
    clock,
    random,
    ...pools,
    coldTurns: openColdTurns(),
    knownApiKeys: openKnownCallers(clock),
    knownSessions: openKnownCallers(clock),
    signInPace: openSignInPace({ redis, clock, config }),
    knownTenants: new BoundedMap(cacheMaxEntries),
    knownBooks: openKnownBooks(pool),
    countsBoard: openCountsBoard(pool),
    knownDecks: openKnownDecks(),
    knownPatterns: openKnownPatterns(config),
    cursors: openCursors(config.codeSecret, random),
    uploadSlots: new UploadSlots({ slots: limits.uploadsAtOnce, waitMaxMillis: limits.uploadMaxWaitMillis }),
    jobBell: openJobBell(),
    redis,
    throttle: openThrottle({ redis, pool, clock, log, config }),
    obstacles: openObstacles(clock),
    deckMarks,
    sender: given.sender ?? openSender({ allowLoopback: config.webhookAllowLoopback, clock }),
    announcer: given.announcer ?? null,
    markRounds: openMarkRounds({ database: config.database, deckMarks, writeMark, clock }),
  };
}

/** Answers everything that is queued, then closes the connections. Call it once nothing new comes in. */
export async function closeCore(core: Core): Promise<void> {
  await core.batches.close();
  await closeParts(core);
}

async function closeParts(
  parts: Pick<Parts, 'announcer' | 'markRounds' | 'redis' | 'sender' | keyof Pools>,
): Promise<void> {
  await parts.markRounds.close();
  await parts.announcer?.close();
  await parts.redis?.close();
  await parts.sender.close();
  await closePools(parts);
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
