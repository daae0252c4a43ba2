/** The core's door with an assign and a redeem that answer at once: what HTTP costs before there is any work. */
export * from '../../../core/index.ts';

import { type Assign, assignedCoupon, type Redeem, redeemedCoupon } from './reference-answers.ts';

/** Answers with a coupon that nobody made. */
export const assignCoupon: Assign = async (_core, _caller, { bookId, userId }) => ({
  body: assignedCoupon(bookId, 'BENCH-0000000000', userId),
  replayed: false,
});

/** Answers with a redemption that nobody made. */
export const redeemCoupon: Redeem = async (_core, _caller, code, { userId, reference }) => ({
  body: redeemedCoupon(code, userId, reference),
  replayed: false,
});
