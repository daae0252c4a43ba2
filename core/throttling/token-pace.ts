import type { Caller } from '../caller.ts';
import type { Clock } from '../clock.ts';
import { refuse } from '../errors.ts';
import type { RedisConnection } from '../redis/open-redis.ts';
import { openRequestPace } from './request-pace.ts';

/**
 * Opens the limit of the requests that a token may make a second, over all tasks (see request-pace.ts).
 * @param perSecond 0: none
 * @param hash makes a name that can't be read back, for what leaves the process
 * @returns takes one request, and rejects with CouponError `rate-limited` where the limit is reached
 */
export function openTokenPace(
  perSecond: number,
  redis: RedisConnection | null,
  hash: (name: string) => string,
  clock: Clock,
): (caller: Caller) => Promise<void> {
  const unlimited = Promise.resolve();
  if (perSecond === 0) return () => unlimited;
  const pace = openRequestPace(perSecond, redis, hash, clock);
  return async ({ tenantId, customerId, actor }) => {
    const waitMillis = await pace.take(tenantId, customerId === null ? actor : `sub ${customerId}`);
    if (waitMillis <= 0) return;
    const retryAfterSeconds = Math.ceil(waitMillis / 1000);
    throw refuse('rate-limited', `This token may make ${perSecond} requests a second.`, { retryAfterSeconds });
  };
}
