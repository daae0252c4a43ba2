import { type Static, Type } from 'typebox';
import type { Caller } from '../caller.ts';
import type { ErrorKind } from '../errors.ts';
import { oneOf, Rev } from '../input/shapes.ts';
import type { ValidateInput } from './coupon-inputs.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import { refusalToRedeem } from './rules/coupon-rules.ts';

/** Why a redeem may be refused, in the order of refusals. */
const redeemRefusals: readonly ErrorKind[] = [
  'coupon-void',
  'held-by-another-user',
  'book-not-active',
  'book-outside-window',
  'coupon-expired',
  'code-locked',
  'lock-expired',
  'lock-required',
  'code-already-redeemed',
  'redemption-limit-reached',
  'user-limit-reached',
];

/** Whether a redeem would go through now, and if not, the kind of its refusal. */
export const Validation = Type.Object({
  redeemable: Type.Boolean(),
  reason: Type.Optional(oneOf(redeemRefusals, { description: 'Why not, where it is not.', examples: ['code-locked'] })),
  rev: Rev,
});
export type Validation = Static<typeof Validation>;

/**
 * Says what a redeem by this user with this token, or without one, would come to now; changes nothing. A live lock is a
 * reason for the same user too, unless its token is given.
 * @throws CouponError `coupon-not-found`; `coupon-void` for a code that was voided before anyone had it; `unavailable`
 */
export async function validateCoupon(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
  input: ValidateInput,
): Promise<Validation> {
  const { coupon, standing } = await batches.looks.push(caller.tenantId, { caller, code });
  const refusal = refusalToRedeem(coupon, standing, { userId: input.userId, lockToken: input.lockToken ?? null });
  const { rev } = coupon;
  return refusal === null ? { redeemable: true, rev } : { redeemable: false, reason: refusal.kind, rev };
}
