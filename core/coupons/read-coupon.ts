import type { Caller } from '../caller.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import { expiryOf } from './rules/coupon-state.ts';
import { type CouponView, viewCoupon } from './rules/coupon-view.ts';

/**
 * Shows a coupon as it is now; by a public code, the customer's own.
 * @throws CouponError `coupon-not-found`; `coupon-void` for a code that was voided before anyone had it;
 *   `conflict` for a public code, by a caller who is no customer; `unavailable`
 */
export async function readCoupon(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
): Promise<CouponView> {
  const { coupon, context } = await batches.looks.push(caller.tenantId, { caller, code, userId: null });
  return viewCoupon(coupon, context.book, expiryOf(coupon, context.book.endsAt), context.now);
}
