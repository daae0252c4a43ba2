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
export function couponStatus(coupon: ShownCoupon, now: Date): CouponStatus {
  if (coupon.voided) return 'voided';
  if (isRedeemed(coupon)) return 'redeemed';
  return isLocked(coupon, now) ? 'locked' : 'assigned';
}

/** What of a coupon is shown, or what is shown follows from. */
export type ShownCoupon = Omit<CouponState, 'reversals' | 'fence' | 'hasPlainToken'>;

/** Shows a coupon as it is at `now`. Its lock ends with its book, whose end may have been moved since. */
export function viewCoupon(coupon: ShownCoupon, bookId: string, expiresAt: Date | null, now: Date): CouponView {
  const lockEnd = isLocked(coupon, now) ? coupon.lockExpiresAt! : null;
  const lockedUntil = lockEnd !== null && expiresAt !== null && expiresAt < lockEnd ? expiresAt : lockEnd;
  return {
    code: coupon.code,
    bookId,
    userId: coupon.userId,
    status: couponStatus(coupon, now),
    rev: coupon.rev,
    redemptions: coupon.redemptions,
    maxRedemptions: coupon.maxRedemptions,
    lockedUntil: lockedUntil?.toISOString() ?? null,
    assignedAt: coupon.assignedAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}
