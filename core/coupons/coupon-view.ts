import { type CouponState, isLocked, isRedeemed } from './coupon-state.ts';

/** Where a coupon is in its life. */
export type CouponStatus = 'assigned' | 'locked' | 'redeemed' | 'voided';

/** A coupon as the API shows it. Times are RFC 3339 in UTC with milliseconds. */
export interface CouponView {
  code: string;
  bookId: string;
  userId: string | null;
  status: CouponStatus;
  rev: number;
  redemptions: number;
  maxRedemptions: number | null;
  lockedUntil: string | null;
  assignedAt: string | null;
  /** When the coupon's book ends, after which nothing of it can be redeemed; null: it does not end. */
  expiresAt: string | null;
}

/** A coupon just locked, with the token that the next renewal, unlock or redeem must bring. */
export type LockedCouponView = CouponView & { lockToken: string };

/** A coupon just redeemed, with the redemption, whose id gives it back. */
export type RedeemedCouponView = CouponView & {
  redemption: { id: string; seq: number; at: string; reference: string | null };
};

/** The status at `now`. */
export function couponStatus(coupon: CouponState, now: Date): CouponStatus {
  if (coupon.voided) return 'voided';
  if (isRedeemed(coupon)) return 'redeemed';
  return isLocked(coupon, now) ? 'locked' : 'assigned';
}

/** Shows a coupon as it is at `now`. */
export function viewCoupon(coupon: CouponState, bookId: string, expiresAt: Date | null, now: Date): CouponView {
  const locked = isLocked(coupon, now);
  return {
    code: coupon.code,
    bookId,
    userId: coupon.userId,
    status: couponStatus(coupon, now),
    rev: coupon.rev,
    redemptions: coupon.redemptions,
    maxRedemptions: coupon.maxRedemptions,
    lockedUntil: locked ? coupon.lockExpiresAt!.toISOString() : null,
    assignedAt: coupon.assignedAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}
