import type { Caller } from '../caller.ts';
import type { ErrorKind } from '../errors.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import { refusalToRedeem } from './rules/coupon-rules.ts';

/** Whether a redeem would go through now, and if not, the kind of its refusal. */
export type Validation = { redeemable: true; rev: number } | { redeemable: false; reason: ErrorKind; rev: number };

/**
 * Says what a redeem by this user with this token, or without one, would come to now; changes nothing. A live lock is a
 * reason for the same user too, unless its token is given.
 * @throws CouponError `coupon-not-found`; `coupon-void` for a code that was voided before anyone had it; `unavailable`
 */
export async function validateCoupon(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
  { userId, lockToken = null }: { userId: string; lockToken?: string | null | undefined },
): Promise<Validation> {
  const { coupon, standing } = await batches.looks.push(caller.tenantId, { caller, code });
  const refusal = refusalToRedeem(coupon, standing, { userId, lockToken });
  const { rev } = coupon;
  return refusal === null ? { redeemable: true, rev } : { redeemable: false, reason: refusal.kind, rev };
}
