import { type Static, Type } from 'typebox';
import type { Caller } from '../caller.ts';
import type { ErrorKind } from '../errors.ts';
import { Code, oneOf } from '../input/shapes.ts';
import type { ValidateInput } from './coupon-inputs.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import { refusalToRedeem } from './rules/coupon-rules.ts';
import { PublicCode } from './rules/coupon-view.ts';

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
  'no-codes-left',
];

/** Whether a redeem would go through now, and if not, the kind of its refusal. */
export const Validation = Type.Object({
  redeemable: Type.Boolean(),
  reason: Type.Optional(oneOf(redeemRefusals, { description: 'Why not, where it is not.', examples: ['code-locked'] })),
  code: Type.Optional({
    ...Code,
    description:
      'In a book with a public code: the user’s own code. Left out while the user has no coupon of the book.',
  }),
  publicCode: Type.Optional(PublicCode),
  rev: Type.Integer({
    minimum: 0,
    description: 'The coupon’s revision; 0 where a redeem by the public code would deal it first.',
    examples: [1],
  }),
});
export type Validation = Static<typeof Validation>;

/**
 * Says what a redeem by this user with this token, or without one, would come to now; changes nothing. A live lock is a
 * reason for the same user too, unless its token is given. By a public code it asks for the user's own coupon, and for
 * one that would be dealt where the user has none; it deals none.
 * @throws CouponError `coupon-not-found`; `coupon-void` for a code that was voided before anyone had it; `unavailable`
 */
export async function validateCoupon(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
  input: ValidateInput,
): Promise<Validation> {
  const { userId, lockToken = null } = input;
  const { coupon, context, leftToDeal } = await batches.looks.push(caller.tenantId, { caller, code, userId });
  const refusal = refusalToRedeem(coupon, context, { userId, lockToken });
  const reason = refusal?.kind ?? (leftToDeal === 0 ? 'no-codes-left' : null);
  const { publicCode } = context.book;
  const isDealt = leftToDeal === null;
  return {
    redeemable: reason === null,
    ...(reason !== null && { reason }),
    ...(publicCode !== null && isDealt && { code: coupon.code }),
    ...(publicCode !== null && { publicCode }),
    rev: isDealt ? coupon.rev : 0,
  };
}
