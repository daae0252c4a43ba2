import type { FastifyRequest } from 'fastify';
import { type Core, limits, refuse } from '../../../core/index.ts';

/**
 * Counts a try to sign in, whatever comes of it, under the address that it came from.
 * @throws CouponError `rate-limited` beyond limits.signInsPerSecond
 */
export async function takeSignIn(core: Pick<Core, 'signInPace'>, request: FastifyRequest): Promise<void> {
  const waitMillis = await core.signInPace.take(0, request.ip);
  if (waitMillis === 0) return;
  throw refuse('rate-limited', `From one address ${limits.signInsPerSecond} people a second may sign in.`, {
    retryAfterSeconds: Math.ceil(waitMillis / 1000),
  });
}
