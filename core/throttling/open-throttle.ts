import type pg from 'pg';
import type { Caller } from '../caller.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { type CouponError, refuse } from '../errors.ts';
import type { Log } from '../log.ts';
import { nameHash } from '../redis/keys.ts';
import type { RedisConnection } from '../redis/open-redis.ts';
import { waitBeforeLookup } from './failure-rules.ts';
import type { FailureSide } from './failure-side.ts';
import { type FailureName, openKnownFailures } from './known-failures.ts';
import { memoryFailures } from './memory-failures.ts';
import { postgresFailures } from './postgres-failures.ts';
import { redisFailures } from './redis-failures.ts';
import { openRequestPace } from './request-pace.ts';

/**
 * Slows those who guess codes, over all tasks, and leaves alone those who don't. Made once a process; every method may be
 * called from any number of requests at a time.
 */
export interface Throttle {
  /**
   * To be called before a code is looked up. Synchronous, from memory alone: where nobody has failed it costs well under
   * a microsecond, and no round trip ever. A task that has not seen a guesser yet lets its first guess through.
   * @param address the client's address, as far as the proxies in front are believed; it matters for customers
   * @param userId the body's userId, or null where the call has none; a customer's own id stands in for it
   * @throws CouponError `rate-limited` with retryAfterSeconds (1 to 3,600)
   */
  beforeLookup(caller: Caller, address: string, userId: string | null): void;
  /**
   * To be called with the same arguments when the look-up ended in `coupon-not-found`. The failure counts here at once;
   * the promise resolves when this process has learned what all tasks have counted, or after 100 ms. It never rejects
   * and need not be waited for.
   */
  noteFailure(caller: Caller, address: string, userId: string | null): Promise<void>;
  /**
   * Takes one request of the token's RATE_LIMIT_PER_SECOND. Where that is 0 it resolves at once. Without Redis each task
   * counts alone, with the whole limit: see request-pace.ts.
   * @throws CouponError `rate-limited` with retryAfterSeconds
   */
  checkRate(caller: Caller): Promise<void>;
}

/** What a throttle is made of. */
export interface ThrottleParts {
  redis: RedisConnection | null;
  /** The primary's pool; null leaves Redis and memory. */
  pool: pg.Pool | null;
  clock: Clock;
  log: Log;
  config: Pick<Config, 'codeSecret' | 'rateLimitPerSecond'>;
}

/**
 * Makes the throttle. Failures are counted in Redis, where it answers; else in PostgreSQL; else in this process. What a
 * process has learned goes with each count, so that a side which takes over, or comes back empty, goes on where the
 * other one stopped.
 */
export function openThrottle(parts: ThrottleParts): Throttle {
  const sides = [
    ...(parts.redis === null ? [] : [redisFailures(parts.redis)]),
    ...(parts.pool === null ? [] : [postgresFailures(parts.pool)]),
    memoryFailures(),
  ];
  return openThrottleOver(sides, parts);
}

/** The same over sides of one's own, for tests that share or break them. The last one must not reject. */
export function openThrottleOver(sides: readonly FailureSide[], parts: Omit<ThrottleParts, 'pool'>): Throttle {
  const { redis, clock, log, config } = parts;
  const hash = (kind: string, name: string) => nameHash(config.codeSecret, kind, name);
  const known = openKnownFailures(sides, hash, clock, log);
  const perSecond = config.rateLimitPerSecond;
  const pace = perSecond === 0 ? null : openRequestPace(perSecond, redis, (name) => hash('rate', name), clock);
  const unlimited = Promise.resolve();
  return {
    beforeLookup(caller, address, userId) {
      if (known.isEmpty) return;
      const sharedWith = sharedName(caller, address);
      const waitMillis = waitBeforeLookup(known.view(ownName(caller, userId)), known.view(sharedWith), clock.now());
      if (waitMillis > 0) throw tooManyFailures(waitMillis);
      known.noteLookup(sharedWith);
    },
    noteFailure: (caller, address, userId) => known.note([ownName(caller, userId), sharedName(caller, address)]),
    checkRate: (caller) => (pace === null ? unlimited : checkPace(caller)),
  };

  async function checkPace(caller: Caller): Promise<void> {
    const waitMillis = await pace!.take(
      caller.tenantId,
      caller.customerId === null ? caller.actor : `sub ${caller.customerId}`,
    );
    if (waitMillis > 0) {
      throw refuse('rate-limited', `This token may make ${perSecond} requests a second.`, {
        retryAfterSeconds: Math.ceil(waitMillis / 1000),
      });
    }
  }
}

/** Who would be right or wrong: the user, or the caller itself where it asks for nobody in particular. */
function ownName(caller: Caller, userId: string | null): FailureName {
  const user = caller.customerId ?? userId;
  if (user === null) return { kind: 'caller', tenantId: caller.tenantId, name: caller.actor };
  return { kind: 'user', tenantId: caller.tenantId, name: user };
}

/**
 * What the user shares with others. A customer's token is its own, so it is the address; a shop's backend has one
 * address for all its users, so it is the token, which also counts when it is used from elsewhere.
 */
function sharedName(caller: Caller, address: string): FailureName {
  if (caller.customerId !== null) return { kind: 'address', tenantId: caller.tenantId, name: address };
  return { kind: 'token', tenantId: caller.tenantId, name: caller.actor };
}

function tooManyFailures(waitMillis: number): CouponError {
  const retryAfterSeconds = Math.ceil(waitMillis / 1000);
  return refuse('rate-limited', `Too many codes were tried that do not exist. Try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
  });
}
