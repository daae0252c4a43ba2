import type { Caller } from '../../caller.ts';
import type { Refusal } from '../../errors.ts';
import type { CouponState } from './coupon-state.ts';

/**
 * Why there is no such coupon for this caller, or null where there is. A customer gets one and the same answer for a
 * code that does not exist, is void or is another user's, so that it can't find out which codes exist.
 * @param voidPlace whether the code was voided before anyone had it and has no coupon
 */
export function missingCoupon(caller: Caller, coupon: CouponState | undefined, voidPlace: boolean): Refusal | null {
  if (caller.customerId !== null) {
    const own = coupon !== undefined && !coupon.voided && coupon.userId === caller.customerId;
    return own ? null : notFound;
  }
  if (coupon !== undefined) return null;
  return voidPlace ? { kind: 'coupon-void', detail: 'The code was voided before anyone had it.' } : notFound;
}

const notFound: Refusal = { kind: 'coupon-not-found', detail: 'There is no such coupon.' };

/** Whoever brings a public code and has no coupon for it has guessed nothing. */
export function ofPublicCode(missing: Refusal): Refusal {
  return { ...missing, isKnownCode: true };
}

/** Why nothing can be done with a public code that names nobody's coupon in particular. */
export function publicCodeRefusal(code: string): Refusal {
  const detail = `${code} is the public code of a book, which many may hold coupons of: name the coupon by its own code.`;
  return { kind: 'conflict', detail, reason: 'public-code' };
}
