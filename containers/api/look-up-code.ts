import type { FastifyRequest } from 'fastify';
import { type Core, CouponError, readCoupon } from '../../core/index.ts';

/**
 * Looks a code up, unless its caller has been guessing, and notes a guess that was wrong. Where too much is looked up at
 * once it waits for what is in flight. A customer whose own guesses block it still reaches the coupons it holds: it is
 * told no more by that than its own list of coupons tells it.
 * @param code as the client wrote it
 * @param userId for whom the code is looked up; null: for nobody in particular
 * @throws CouponError `rate-limited`, and whatever `lookUp` rejects with
 */
export async function lookUpCode<T>(
  core: Core,
  request: FastifyRequest,
  code: string,
  userId: string | null,
  lookUp: () => Promise<T>,
): Promise<T> {
  const { caller } = request;
  const begun = core.throttle.beginLookup(caller, request.ip, userId, code);
  const lookup = begun instanceof Promise ? await begun : begun;
  try {
    if (lookup.onlyIfHeld !== null) await readCoupon(core, caller, code);
    const result = await lookUp();
    lookup.found();
    return result;
  } catch (error) {
    if (!(error instanceof CouponError)) lookup.unknown();
    else if (error.kind === 'coupon-not-found') await lookup.notFound();
    // A refusal that tells the coupon's revision is one about a coupon that is there.
    else if (error.refusal.rev !== undefined) lookup.found();
    else lookup.unknown();
    throw isNotFound(error) ? (lookup.onlyIfHeld ?? error) : error;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof CouponError && error.kind === 'coupon-not-found';
}
