import type { Caller, Outcome } from '../../../core/caller.ts';
import type { CouponView, RedeemedCouponView } from '../../../core/coupons/rules/coupon-view.ts';
import type { KeyedRequest } from '../../../core/idempotency/key-hash.ts';

/** The signature of an assign, as the routes call it. */
export type Assign = (
  core: unknown,
  caller: Caller,
  input: { bookId: string; userId: string },
  keyed: KeyedRequest | null,
) => Promise<Outcome<CouponView>>;

/** The signature of a redeem, as the routes call it. */
export type Redeem = (
  core: unknown,
  caller: Caller,
  code: string,
  input: { userId: string; reference?: string },
  keyed: KeyedRequest | null,
) => Promise<Outcome<RedeemedCouponView>>;

/** An assigned coupon with every field that the product answers with. */
export function assignedCoupon(bookId: string, code: string, userId: string): CouponView {
  return {
    code,
    bookId,
    userId,
    status: 'assigned',
    rev: 1,
    redemptions: 0,
    maxRedemptions: 1,
    lockedUntil: null,
    assignedAt: new Date().toISOString(),
    expiresAt: null,
  };
}

/** The same coupon after a redemption. */
export function redeemedCoupon(code: string, userId: string, reference: string | undefined): RedeemedCouponView {
  const coupon = assignedCoupon(bookId, code, userId);
  const redemption = { id: bookId, seq: 1, at: coupon.assignedAt!, reference: reference ?? null };
  return { ...coupon, status: 'redeemed', rev: 2, redemptions: 1, redemption };
}

const bookId = '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11';
