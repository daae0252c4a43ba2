import { type CouponState, isRedeemed } from './coupon-state.ts';

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

/**
 * The status at `now`.
 * @param expiresAt the end of its book
 */
export function couponStatus(coupon: ShownCoupon, expiresAt: Date | null, now: Date): CouponStatus {
  if (coupon.voided) return 'voided';
  if (isRedeemed(coupon)) return 'redeemed';
  return lockEndOf(coupon, expiresAt, now) === null ? 'assigned' : 'locked';
}

/** What of a coupon is shown, or what is shown follows from. */
export type ShownCoupon = Omit<CouponState, 'reversals' | 'fence' | 'hasPlainToken'>;

/** When the live lock ends, or null where none is live: with its book at the latest, whose end may have been moved since. */
function lockEndOf({ lockExpiresAt }: ShownCoupon, expiresAt: Date | null, now: Date): Date | null {
  if (lockExpiresAt === null) return null;
  const end = expiresAt !== null && expiresAt < lockExpiresAt ? expiresAt : lockExpiresAt;
  return now < end ? end : null;
}

/** Shows a coupon as it is at `now`. Its lock ends with its book, whose end may have been moved since. */
export function viewCoupon(coupon: ShownCoupon, bookId: string, expiresAt: Date | null, now: Date): CouponView {
  const lockedUntil = lockEndOf(coupon, expiresAt, now);
  return {
    code: coupon.code,
    bookId,
    userId: coupon.userId,
    status: couponStatus(coupon, expiresAt, now),
    rev: coupon.rev,
    redemptions: coupon.redemptions,
    maxRedemptions: coupon.maxRedemptions,
    lockedUntil: lockedUntil?.toISOString() ?? null,
    assignedAt: coupon.assignedAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}
