import type pg from 'pg';
import type { Caller } from '../caller.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { type CouponError, refuse } from '../errors.ts';
import type { Log } from '../log.ts';
import { nameHash } from '../redis/keys.ts';
import type { RedisConnection } from '../redis/open-redis.ts';
import { decideLookup, type KeyState, type LookupDecision } from './failure-rules.ts';
import type { FailureSide } from './failure-side.ts';
import { type FailureName, openKnownFailures } from './known-failures.ts';
import { type LookupNames, namesOf } from './look-up-names.ts';
import { LookupsInFlight } from './lookups-in-flight.ts';
import { memoryFailures } from './memory-failures.ts';
import { postgresFailures } from './postgres-failures.ts';
import { redisFailures } from './redis-failures.ts';
import { throttleLimits } from './throttle-limits.ts';
import { openTokenPace } from './token-pace.ts';
import { type Try, waitForRoom } from './wait-for-room.ts';

/** A look-up in flight. Call one of `found`, `notFound` and `unknown`, once. */
export interface Lookup {
  /**
   * The refusal of a user who is blocked by its own failures, but may still reach the coupons that it holds; else null.
   * A user has one such look-up at a time, and it is not counted.
   */
  readonly onlyIfHeld: CouponError | null;
  /** The code exists, even if the request is refused. */
  found(): void;
  /**
   * The look-up ended in `coupon-not-found`. The failure counts here at once; the promise resolves when this process
   * has learned what all tasks have counted, or after 100 ms. It never rejects and need not be waited for.
   */
  notFound(): Promise<void>;
  /** It was not found out whether the code exists. */
  unknown(): void;
}

/**
 * Slows down those who guess codes, over all tasks, and nobody else. Made once a process; every method may be called by
 * any number of requests at once.
 *
 * A look-up in flight counts as failed until it has ended. So a user has as many at once as it may fail one after the
 * other, at first thirty, and further ones wait in their order. Who asks for codes that exist is not refused, and of
 * two thousand guesses sent at once thirty are answered. A task knows the failures of all tasks but only its own
 * look-ups in flight: guesses that are spread over N tasks at one moment get N times as many answers in that first
 * moment. Whenever a block ends they get one in each task, and at most as many as were forgiven since that task's last
 * failure: seven after an hour.
 */
export interface Throttle {
  /**
   * Call it before a code is looked up. It uses memory alone: well under a microsecond and no round trip. A task that
   * has not seen a guesser yet lets its first guesses through.
   * @param address the client's address, as told by trusted proxies; used for customers alone
   * @param userId the body's userId, or null where the call has none; a customer's own id stands in for it
   * @param code what is looked up, as the client wrote it
   * @returns the look-up; a promise of it where it has to wait for others of the same user, token or address, at most
   *   waitingMaxMillis
   * @throws CouponError `rate-limited` with retryAfterSeconds (1 to 3,600), also as a rejection
   */
  beginLookup(caller: Caller, address: string, userId: string | null, code: string): Lookup | Promise<Lookup>;
  /**
   * Takes one request of the token's RATE_LIMIT_PER_SECOND. Where that is 0 it resolves at once. Without Redis each
   * task counts alone, with the whole limit: see request-pace.ts.
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
  /** How long a look-up waits for others; throttleLimits.waitingMaxMillis unless told, by tests. */
  waitingMaxMillis?: number;
}

/**
 * Makes the throttle. Failures are counted in Redis where it answers, else in PostgreSQL, else in this process. Each
 * count carries what the process knew before, so that a side that takes over, or comes back empty, goes on where the
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

/** The same over given sides, for tests that share or break them. The last one must not reject. */
export function openThrottleOver(sides: readonly FailureSide[], parts: Omit<ThrottleParts, 'pool'>): Throttle {
  const { redis, clock, log, config, waitingMaxMillis = throttleLimits.waitingMaxMillis } = parts;
  const hash = (kind: string, name: string) => nameHash(config.codeSecret, kind, name);
  const known = openKnownFailures(sides, hash, clock, log);
  const inFlight = new LookupsInFlight();

  function stateOf(name: FailureName, lookups: number): KeyState {
    return { kind: name.kind, view: known.isEmpty ? undefined : known.view(name), inFlight: lookups };
  }

  function decide({ own, shared, ceiling }: LookupNames): LookupDecision {
    // Both counts of a token share its look-ups in flight.
    const ofShared = inFlight.count(shared.key);
    const states = {
      own: stateOf(own, inFlight.count(own.key)),
      shared: stateOf(shared, ofShared),
      ceiling: ceiling === null ? undefined : stateOf(ceiling, ofShared),
    };
    return decideLookup(states, clock.now());
  }

  function begin({ own, shared, ceiling, code, userId }: LookupRequest, onlyIfHeld: CouponError | null): Lookup {
    const ofOwn = inFlight.begin(own.key);
    const ofShared = inFlight.begin(shared.key);
    const end = () => {
      inFlight.end(ofOwn);
      inFlight.end(ofShared);
    };
    return {
      onlyIfHeld,
      found() {
        if (!known.isEmpty) known.noteFound(shared, code, userId);
        end();
      },
      notFound() {
        const names = ceiling === null ? [own, shared] : [own, shared, ceiling];
        // Counted before the waiting ones go on, since they depend on its result.
        const noted = onlyIfHeld === null ? known.note(names, userId) : Promise.resolve();
        end();
        return noted;
      },
      unknown: end,
    };
  }

  /** Tries a waiting look-up again: it begins, is refused, or waits on. */
  function attempt(request: LookupRequest): Try<Lookup> {
    const decision = decide(request);
    if (decision === 'wait')
      return { busy: inFlight.count(request.own.key) > 0 ? request.own.key : request.shared.key };
    return decision === 'go' ? { lookup: begin(request, null) } : { refusal: tooManyFailures(decision) };
  }

  return {
    beginLookup(caller, address, userId, code) {
      const request: LookupRequest = { ...namesOf(caller, address, userId), code, userId };
      const decision = decide(request);
      if (decision === 'go') return begin(request, null);
      if (decision === 'wait') return waitForRoom(inFlight, () => attempt(request), waitingMaxMillis);
      const refusal = tooManyFailures(decision);
      if (request.own.kind === 'user' && inFlight.count(request.own.key) === 0) return begin(request, refusal);
      throw refusal;
    },
    checkRate: openTokenPace(config.rateLimitPerSecond, redis, (name) => hash('rate', name), clock),
  };
}

/** A look-up that is to begin: the keys that it is counted under, the code, and who asks. */
interface LookupRequest extends LookupNames {
  code: string;
  userId: string | null;
}

function tooManyFailures(waitMillis: number): CouponError {
  const retryAfterSeconds = Math.ceil(waitMillis / 1000);
  return refuse('rate-limited', `Too many codes were tried that do not exist. Try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
  });
}
