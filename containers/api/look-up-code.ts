import type { FastifyRequest } from 'fastify';
import { type Core, CouponError } from '../../core/index.ts';

/**
 * Looks a code up, unless its caller has been guessing, and notes a guess that was wrong.
 * @param userId for whom the code is looked up; null: for nobody in particular
 */
export async function lookUpCode<T>(
  { throttle }: Core,
  request: FastifyRequest,
  userId: string | null,
  lookUp: () => Promise<T>,
): Promise<T> {
  const { caller } = request;
  throttle.beforeLookup(caller, request.ip, userId);
  try {
    return await lookUp();
  } catch (error) {
    if (error instanceof CouponError && error.kind === 'coupon-not-found') {
      await throttle.noteFailure(caller, request.ip, userId);
    }
    throw error;
  }
}
