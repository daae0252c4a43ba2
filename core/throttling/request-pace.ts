import { BoundedMap } from '../bounded-map.ts';
import type { Clock } from '../clock.ts';
import { rateKey } from '../redis/keys.ts';
import type { RedisConnection } from '../redis/open-redis.ts';
import { throttleLimits } from './throttle-limits.ts';

/** Limits how many requests a second one token makes. */
export interface RequestPace {
  /** Counts one request. Returns 0, or the milliseconds to wait where the limit is reached. Never rejects. */
  take(tenantId: number, name: string): Promise<number>;
}

/** One token's pace in this process. Times are milliseconds of the monotonic clock. */
interface Pace {
  /** Requests that Redis has already granted to this process, and until when they may be used. */
  granted: number;
  grantedUntil: number;
  refusedUntil: number;
  /** The round trip under way. All requests without a grant wait for it together. */
  asking: Promise<void> | null;
  /** Without Redis: when this process's own bucket will be empty. */
  emptyAt: number;
}

/** How many requests were granted, or, if none, how long to wait. */
interface Grant {
  granted: number;
  waitMillis: number;
}

/**
 * The bucket in Lua. It uses Redis's clock: otherwise a task whose clock is behind would always be refused.
 * KEYS[1]; ARGV: milliseconds a request, requests wanted, lifetime of the key in milliseconds.
 */
const grantScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local each = tonumber(ARGV[1])
local empty = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local granted = math.min(tonumber(ARGV[2]), math.floor((now + 1000 - empty) / each + 1e-6))
if granted < 1 then return {0, math.ceil(empty + each - now - 1000)} end
redis.call('SET', KEYS[1], string.format('%.4f', empty + granted * each), 'PX', ARGV[3])
return {granted, 0}`;

/**
 * One bucket a token, which holds a second's requests. With Redis all tasks share it: a task fetches a twentieth of a
 * second's requests at a time, so that mostly no request costs a round trip. Up to that twentieth may stay unused.
 * Without Redis each task has its own bucket with the whole limit, so over N tasks a token can reach N times the limit.
 * The limit is not divided, because a client with a kept connection reaches one task alone and would get a fraction of
 * it.
 * @param perSecond the limit, 1 and up
 */
export function openRequestPace(
  perSecond: number,
  redis: RedisConnection | null,
  hash: (name: string) => string,
  clock: Clock,
): RequestPace {
  const paces = new BoundedMap<string, Pace>(throttleLimits.rateMaxEntries);
  const lease = Math.max(1, Math.floor(perSecond / throttleLimits.rateLeasesPerSecond));
  /** After Redis did not answer in time, no request waits for it for a second. */
  let redisAvoidedUntil = 0;

  async function ask(connection: RedisConnection, pace: Pace, tenantId: number, name: string): Promise<void> {
    const key = rateKey(tenantId, hash(name));
    try {
      const grant = readGrant(
        await connection.command((client) =>
          client.eval(grantScript, 1, key.name, 1000 / perSecond, lease, key.ttlMillis),
        ),
      );
      const now = clock.monotonic();
      pace.granted = grant.granted;
      pace.grantedUntil = now + 1000;
      pace.refusedUntil = now + grant.waitMillis;
    } catch {
      // Not logged here: the connection logs it when Redis goes away.
      redisAvoidedUntil = clock.monotonic() + throttleLimits.rateRedisAvoidedMillis;
    } finally {
      pace.asking = null;
    }
  }

  return {
    async take(tenantId, name) {
      const key = `${tenantId} ${name}`;
      let pace = paces.get(key);
      if (pace === undefined) {
        pace = { granted: 0, grantedUntil: 0, refusedUntil: 0, asking: null, emptyAt: 0 };
        paces.set(key, pace);
      }
      for (;;) {
        const now = clock.monotonic();
        if (redis === null || redis.status !== 'ready' || now < redisAvoidedUntil)
          return takeHere(pace, now, perSecond);
        if (pace.granted > 0 && now < pace.grantedUntil) {
          pace.granted -= 1;
          return 0;
        }
        if (now < pace.refusedUntil) return pace.refusedUntil - now;
        pace.asking ??= ask(redis, pace, tenantId, name);
        await pace.asking;
      }
    },
  };
}

function readGrant(reply: unknown): Grant {
  if (!Array.isArray(reply) || reply.length !== 2) throw new Error('Redis gave a reply of an unknown form');
  return { granted: Number(reply[0]), waitMillis: Number(reply[1]) };
}

/** Takes one request from the process's own bucket. Returns the milliseconds to wait, or 0. */
function takeHere(pace: Pace, now: number, perSecond: number): number {
  const after = Math.max(pace.emptyAt, now) + 1000 / perSecond;
  // Rounding must not refuse a request: three times a third of a second is slightly less than a second.
  if (after > now + 1000 + 1e-6) return after - now - 1000;
  pace.emptyAt = after;
  return 0;
}
