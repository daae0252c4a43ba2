import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import type { ErrorKind } from '../errors.ts';
import { laneOfCode } from './coupon-batches.ts';
import { refusalToRedeem } from './coupon-rules.ts';

/** Whether a redeem would go through now, and if not, the kind of its refusal. */
export type Validation = { redeemable: true; rev: number } | { redeemable: false; reason: ErrorKind; rev: number };

/**
 * Says whether this user could redeem the coupon now; changes nothing. That a book wants a lock first is no reason,
 * since it can be had; a live lock is one, for the same user too.
 * @throws CouponError `coupon-not-found`; `coupon-void` for a code that was voided before anyone had it; `unavailable`
 */
export async function validateCoupon(
  core: Core,
  caller: Caller,
  code: string,
  { userId }: { userId: string },
): Promise<Validation> {
  const { coupon, standing } = await core.batches.looks.push(caller.tenantId, laneOfCode(code), { caller, code });
  const refusal = refusalToRedeem(coupon, standing, userId);
  const { rev } = coupon;
  return refusal === null ? { redeemable: true, rev } : { redeemable: false, reason: refusal.kind, rev };
}
