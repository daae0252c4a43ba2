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
import { type FailureName, failureName, openKnownFailures } from './known-failures.ts';
import { LookupsInFlight } from './lookups-in-flight.ts';
import { memoryFailures } from './memory-failures.ts';
import { postgresFailures } from './postgres-failures.ts';
import { redisFailures } from './redis-failures.ts';
import { openRequestPace } from './request-pace.ts';
import { throttleLimits } from './throttle-limits.ts';

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
  const { redis, clock, log, config } = parts;
  const hash = (kind: string, name: string) => nameHash(config.codeSecret, kind, name);
  const known = openKnownFailures(sides, hash, clock, log);
  const perSecond = config.rateLimitPerSecond;
  const pace = perSecond === 0 ? null : openRequestPace(perSecond, redis, (name) => hash('rate', name), clock);
  const unlimited = Promise.resolve();
  const inFlight = new LookupsInFlight();
  return {
    beginLookup(caller, address, userId, code) {
      const asked: Asked = { ...namesOf(caller, address, userId), code, userId };
      const decision = decide(asked);
      if (decision === 'go') return start(asked, null);
      if (decision === 'wait') return startLater(asked);
      const refusal = tooManyFailures(decision);
      if (asked.own.kind === 'user' && inFlight.count(asked.own.key) === 0) return start(asked, refusal);
      throw refusal;
    },
    checkRate: (caller) => (pace === null ? unlimited : checkPace(caller)),
  };

  function decide({ own, shared, ceiling }: Asked): LookupDecision {
    const states = {
      own: stateOf(own, own.key),
      shared: stateOf(shared, shared.key),
      // Both counts of a token share its look-ups in flight.
      ceiling: ceiling === null ? undefined : stateOf(ceiling, shared.key),
    };
    return decideLookup(states, clock.now());
  }

  function stateOf(name: FailureName, flightKey: string): KeyState {
    return {
      kind: name.kind,
      view: known.isEmpty ? undefined : known.view(name),
      inFlight: inFlight.count(flightKey),
    };
  }

  function start({ own, shared, ceiling, code, userId }: Asked, onlyIfHeld: CouponError | null): Lookup {
    inFlight.begin(own.key);
    inFlight.begin(shared.key);
    const end = () => {
      inFlight.end(own.key);
      inFlight.end(shared.key);
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
        const noted = onlyIfHeld === null ? known.note(names, userId) : unlimited;
        end();
        return noted;
      },
      unknown: end,
    };
  }

  /** Starts the look-up once those in flight leave room for it, or refuses it if they failed. */
  function startLater(asked: Asked): Promise<Lookup> {
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = () => {
        settled = true;
        clearTimeout(timer);
      };
      const refuseBusy = () => {
        settle();
        reject(tooManyAtOnce());
      };
      const timer = setTimeout(refuseBusy, throttleLimits.waitingMaxMillis);
      let waitsFor = '';
      const attempt = (): boolean => {
        if (settled) return true;
        const decision = decide(asked);
        if (decision === 'wait') {
          const busy = inFlight.count(asked.own.key) > 0 ? asked.own.key : asked.shared.key;
          if (busy === waitsFor) return false;
          waitsFor = busy;
          if (!inFlight.wait(busy, attempt)) refuseBusy();
          return true;
        }
        settle();
        if (decision === 'go') resolve(start(asked, null));
        else reject(tooManyFailures(decision));
        return true;
      };
      attempt();
    });
  }

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

/** The keys of a look-up. */
interface Names {
  /** Who is asking: the user, or the caller itself where it names no user. */
  own: FailureName;
  /**
   * What the user shares with others. A customer has a token of its own, so this is the address. A shop's backend has
   * one address for all its users, so this is the token, which also counts when it is used from elsewhere.
   */
  shared: FailureName;
  ceiling: FailureName | null;
}

interface Asked extends Names {
  code: string;
  userId: string | null;
}

function namesOf({ tenantId, actor, customerId }: Caller, address: string, userId: string | null): Names {
  if (customerId !== null) {
    const own = failureName('user', tenantId, customerId);
    return { own, shared: failureName('address', tenantId, address), ceiling: null };
  }
  return {
    own: userId === null ? failureName('caller', tenantId, actor) : failureName('named', tenantId, userId),
    shared: failureName('token', tenantId, actor),
    ceiling: failureName('ceiling', tenantId, actor),
  };
}

function tooManyFailures(waitMillis: number): CouponError {
  const retryAfterSeconds = Math.ceil(waitMillis / 1000);
  return refuse('rate-limited', `Too many codes were tried that do not exist. Try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
  });
}

function tooManyAtOnce(): CouponError {
  return refuse(
    'rate-limited',
    'Too many codes are looked up at once for this user or with this token. Try again in 1 s.',
    {
      retryAfterSeconds: 1,
    },
  );
}
