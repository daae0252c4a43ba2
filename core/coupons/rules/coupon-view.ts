import { type Static, Type } from 'typebox';
import { Code, Id, nullable, oneOf, Rev, Time } from '../../input/shapes.ts';
import { type CouponState, isRedeemed } from './coupon-state.ts';

/** Where a coupon is in its life. */
export const CouponStatus = oneOf(['assigned', 'locked', 'redeemed', 'voided'], {
  description: '`redeemed`: no redemption is left. `locked`: a live lock is on it.',
  examples: ['assigned'],
});
export type CouponStatus = Static<typeof CouponStatus>;

/** The public code of a coupon's book, in an answer that has it where there is one. */
export const PublicCode = Type.String({
  description: 'The public code of the book, in upper case; left out where the book has none.',
  examples: ['SUMMER20'],
});

const couponFields = {
  code: Code,
  publicCode: Type.Optional(PublicCode),
  bookId: Id,
  userId: nullable(
    Type.String({ description: 'Null once the user is erased, and for a code voided unassigned.', examples: ['u-1'] }),
  ),
  status: CouponStatus,
  rev: Rev,
  redemptions: Type.Integer({ minimum: 0, description: 'Redemptions that were not given back.', examples: [0] }),
  maxRedemptions: nullable(
    Type.Integer({
      minimum: 1,
      description: 'What the book allowed when the coupon was assigned. Null: no limit.',
      examples: [1],
    }),
  ),
  lockedUntil: nullable({
    ...Time,
    description: 'When the live lock ends, never after expiresAt. Null: there is none.',
  }),
  assignedAt: nullable({ ...Time, description: 'Null for a code that was voided unassigned.' }),
  expiresAt: nullable({
    ...Time,
    description:
      'From when on it can’t be locked or redeemed: the end of the days for which its book makes coupons valid, or the end of the book, whichever comes first. Null: never.',
  }),
};

/** A coupon as callers see it. */
export const CouponView = Type.Object(couponFields);
export type CouponView = Static<typeof CouponView>;

/** A coupon just locked, with the token that the next renewal, unlock or redeem must bring. */
export const LockedCouponView = Type.Object({
  ...couponFields,
  lockToken: Type.String({
    description:
      'Bring it to renew, unlock or redeem. A number of up to 20 digits, larger with each grant, that can’t be guessed from the tokens before it. Keep it as text: it is beyond what JavaScript’s numbers hold exactly.',
    examples: ['18403216975'],
  }),
});
export type LockedCouponView = Static<typeof LockedCouponView>;

/** A coupon just redeemed, with the redemption, whose id gives it back. */
export const RedeemedCouponView = Type.Object({
  ...couponFields,
  redemption: Type.Object({
    id: Id,
    seq: Type.Integer({
      minimum: 1,
      description:
        'Which redemption of the coupon it is. One that is given back keeps its number, which is not used again.',
      examples: [1],
    }),
    at: Time,
    reference: nullable(Type.String({ examples: ['order-1001'] })),
  }),
});
export type RedeemedCouponView = Static<typeof RedeemedCouponView>;

/**
 * The status at `now`. A walk through a book's codes says the same in SQL (test: "a code's status is its coupon's own,
 * whatever the two together are").
 * @param expiresAt what expiryOf says
 */
export function couponStatus(coupon: ShownCoupon, expiresAt: Date | null, now: Date): CouponStatus {
  if (coupon.voided) return 'voided';
  if (isRedeemed(coupon)) return 'redeemed';
  return lockEndOf(coupon, expiresAt, now) === null ? 'assigned' : 'locked';
}

/** What of a coupon is shown, or what is shown follows from. */
export type ShownCoupon = Omit<CouponState, 'reversals' | 'fence' | 'hasPlainToken'>;

/**
 * When the live lock ends, or null where none is live: with its book at the latest, whose end may have been moved
 * since.
 */
function lockEndOf({ lockExpiresAt }: ShownCoupon, expiresAt: Date | null, now: Date): Date | null {
  if (lockExpiresAt === null) return null;
  const end = expiresAt !== null && expiresAt < lockExpiresAt ? expiresAt : lockExpiresAt;
  return now < end ? end : null;
}

/** What of its book is shown with a coupon: both never change once there are coupons. */
export interface ShownBook {
  readonly bookId: string;
  readonly publicCode: string | null;
}

/**
 * Shows a coupon as it is at `now`. Its lock ends with its book, whose end may have been moved since.
 * @param expiresAt what expiryOf says
 */
export function viewCoupon(
  coupon: ShownCoupon,
  { bookId, publicCode }: ShownBook,
  expiresAt: Date | null,
  now: Date,
): CouponView {
  const lockedUntil = lockEndOf(coupon, expiresAt, now);
  return {
    code: coupon.code,
    ...(publicCode !== null && { publicCode }),
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
