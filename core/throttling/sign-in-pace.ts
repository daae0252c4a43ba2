import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { limits } from '../limits.ts';
import { nameHash } from '../redis/keys.ts';
import type { RedisConnection } from '../redis/open-redis.ts';
import { openRequestPace, type RequestPace } from './request-pace.ts';

/** What the pace is kept with. */
export interface SignInPaceParts {
  redis: RedisConnection | null;
  clock: Clock;
  config: Pick<Config, 'codeSecret'>;
}

/**
 * Opens the pace at which one address may try to sign in, limits.signInsPerSecond: every try costs a query or more, and
 * nobody knows yet who is trying. Addresses are counted under the tenant 0, which does not exist.
 */
export function openSignInPace({ redis, clock, config }: SignInPaceParts): RequestPace {
  const hash = (name: string) => nameHash(config.codeSecret, 'sign-in', name);
  return openRequestPace(limits.signInsPerSecond, redis, hash, clock);
}
