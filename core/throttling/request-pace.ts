import { BoundedMap } from '../bounded-map.ts';
import type { Clock } from '../clock.ts';
import { rateKey } from '../redis/keys.ts';
import type { RedisConnection } from '../redis/open-redis.ts';
import { throttleLimits } from './throttle-limits.ts';

/** Limits how many requests a second one token makes. */
export interface RequestPace {
  /** Takes one request's place; the milliseconds to wait, above 0, where there is none. Never rejects. */
  take(tenantId: number, name: string): Promise<number>;
}

/** What a process knows of one token's pace. Times are the process's monotonic milliseconds. */
interface Pace {
  /** Requests that Redis has already granted to this process, and until when they may be used. */
  granted: number;
  grantedUntil: number;
  refusedUntil: number;
  /** The round trip under way, which everyone who has nothing left waits for together. */
  asking: Promise<void> | null;
  /** Without Redis: when this process's own bucket will have leaked empty. */
  emptyAt: number;
}

/** How many requests were granted, or, if none, how long to wait. */
interface Grant {
  granted: number;
  waitMillis: number;
}

/**
 * The bucket in Lua, by Redis's own clock: a task whose clock is behind would otherwise be refused all the time.
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
 * A bucket of one second's requests a token, which fills evenly. With Redis all tasks share it; a task fetches a
 * twentieth of a second's requests at a time, so that a token's first requests cost a round trip and the others mostly
 * none, and a task may keep up to that twentieth unused. Without Redis each task has a bucket of its own with the whole
 * limit: over N tasks a token can then reach N times the limit. It is not divided, because a client whose connection is
 * kept alive reaches one task only and would be refused at a fraction of what it was promised.
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
  /** After a command that Redis did not answer in time, nobody else waits for it during a second. */
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
      // The connection tells the log when Redis goes; a request is not the place to.
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

/** Takes one request from the process's own bucket: the milliseconds to wait, or 0. */
function takeHere(pace: Pace, now: number, perSecond: number): number {
  const after = Math.max(pace.emptyAt, now) + 1000 / perSecond;
  // A request that fits up to rounding fits: three times a third of a second is not quite a second.
  if (after > now + 1000 + 1e-6) return after - now - 1000;
  pace.emptyAt = after;
  return 0;
}
