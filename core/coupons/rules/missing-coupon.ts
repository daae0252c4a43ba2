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
