import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { laneOfCode } from './coupon-batches.ts';
import { type CouponView, viewCoupon } from './coupon-view.ts';

/**
 * Shows a coupon as it is now.
 * @throws CouponError `coupon-not-found`; `coupon-void` for a code that was voided before anyone had it; `unavailable`
 */
export async function readCoupon(core: Core, caller: Caller, code: string): Promise<CouponView> {
  const { coupon, standing } = await core.batches.looks.push(caller.tenantId, laneOfCode(code), { caller, code });
  return viewCoupon(coupon, standing.book.bookId, standing.book.endsAt, standing.now);
}
