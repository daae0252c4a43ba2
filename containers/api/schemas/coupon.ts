import { Type } from 'typebox';
import { type ErrorKind, limits } from '../../../core/index.ts';
import { Code, exampleId, Id, Metadata, nullable, oneOf, Rev, ref, strictObject, Time, UserId } from './common.ts';
import { ProblemSchema } from './problem.ts';

/** Where a coupon is in its life. */
export const CouponStatus = oneOf(['assigned', 'locked', 'redeemed', 'voided'], {
  description: '`redeemed`: no redemption is left. `locked`: a live lock is on it.',
  examples: ['assigned'],
});

const couponFields = {
  code: Code,
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
  lockedUntil: nullable({ ...Time, description: 'When the live lock ends. Null: there is none.' }),
  assignedAt: nullable({ ...Time, description: 'Null for a code that was voided unassigned.' }),
  expiresAt: nullable({ ...Time, description: 'When the book ends. Null: it does not.' }),
};

const lockToken = Type.String({
  minLength: 1,
  maxLength: 20,
  pattern: '^[0-9]+$',
  description: 'The fencing token that the lock gave: a number as a string.',
  examples: ['18403216975'],
});

/** A code in a user’s hands. */
export const Coupon = Type.Object(couponFields, { $id: 'Coupon', description: 'A code in a user’s hands.' });

/** A coupon just locked. */
export const LockedCoupon = Type.Object(
  {
    ...couponFields,
    lockToken: Type.String({
      description:
        'Bring it to renew, unlock or redeem. A number of up to 20 digits, larger with each grant, that can’t be guessed from the tokens before it. Keep it as text: it is beyond what JavaScript’s numbers hold exactly.',
      examples: ['18403216975'],
    }),
  },
  { $id: 'LockedCoupon', description: 'The coupon, with the token of its lock.' },
);

/** A coupon just redeemed. */
export const RedeemedCoupon = Type.Object(
  {
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
  },
  { $id: 'RedeemedCoupon', description: 'The coupon, with its redemption.' },
);

/** One change of a coupon. */
export const CouponEvent = Type.Object(
  {
    rev: Rev,
    at: Time,
    kind: oneOf(['assigned', 'locked', 'lock-renewed', 'unlocked', 'redeemed', 'reversed', 'voided']),
    userId: nullable(Type.String()),
    actor: Type.String({
      description: '`root`, `key:` and the API key’s id, `jwt:` and its sub, or `customer`.',
      examples: [`key:${exampleId}`],
    }),
    data: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description:
        'By kind: `fence` (which grant of a lock it was) and `lockedUntil`; `redemptionId`, `seq`, `reference` and `metadata`; `redemptionId` and `reason`; `reason`.',
    }),
  },
  { $id: 'CouponEvent', description: 'One change of a coupon.' },
);

/** Body of an assign of any code. */
export const AssignInput = strictObject(
  { bookId: Id, userId: UserId },
  { examples: [{ bookId: exampleId, userId: 'u-1' }] },
);

/** Body of an assign of a code by its name. */
export const AssignCodeInput = strictObject({ userId: UserId }, { examples: [{ userId: 'u-1' }] });

/** Body of an assign to many users. */
export const AssignBatchInput = strictObject(
  { bookId: Id, userIds: Type.Array(UserId, { minItems: 1, maxItems: limits.assignBatchMaxUsers }) },
  { examples: [{ bookId: exampleId, userIds: ['u-1', 'u-2'] }] },
);

/** What came of an assign to many users, in the order of the request. */
export const AssignBatchResults = Type.Object(
  { results: Type.Array(Type.Union([ref(Coupon), ref(ProblemSchema)])) },
  { $id: 'AssignBatchResults', description: 'For each user in order: the coupon, or why there is none.' },
);

/** Body of a validation. */
export const ValidateInput = strictObject(
  { userId: UserId, lockToken: Type.Optional(lockToken) },
  { examples: [{ userId: 'u-1' }] },
);

/** Why a redeem may be refused, in the order of refusals. */
const redeemRefusals: readonly ErrorKind[] = [
  'coupon-void',
  'held-by-another-user',
  'book-not-active',
  'book-outside-window',
  'code-locked',
  'lock-expired',
  'lock-required',
  'code-already-redeemed',
  'redemption-limit-reached',
  'user-limit-reached',
];

/** What a redeem would come to now. */
export const Validation = Type.Object(
  {
    redeemable: Type.Boolean(),
    reason: Type.Optional(
      oneOf(redeemRefusals, {
        description: 'Why not, where it is not.',
        examples: ['code-locked'],
      }),
    ),
    rev: Rev,
  },
  { $id: 'Validation', description: 'Whether a redeem would succeed now.' },
);

/** Body of a lock. */
export const LockInput = strictObject(
  {
    userId: UserId,
    ttlSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: limits.lockTtlMaxSeconds,
        description: 'How long the lock lives from now; left out: the book’s lockTtlSeconds.',
      }),
    ),
    lockToken: Type.Optional(lockToken),
  },
  { examples: [{ userId: 'u-1', ttlSeconds: 300 }] },
);

/** Body of an unlock. */
export const UnlockInput = strictObject(
  { userId: UserId, lockToken },
  { examples: [{ userId: 'u-1', lockToken: '18403216975' }] },
);

/** Body of a redeem. */
export const RedeemInput = strictObject(
  {
    userId: UserId,
    lockToken: Type.Optional(lockToken),
    reference: Type.Optional(
      Type.String({ maxLength: limits.referenceMaxChars, description: 'The order, in the caller’s system.' }),
    ),
    metadata: Type.Optional(Metadata),
  },
  { examples: [{ userId: 'u-1', reference: 'order-1001' }] },
);

/** Body of a void or a reverse: it may be left out altogether. */
export const ReasonInput = strictObject(
  { reason: Type.Optional(Type.String({ maxLength: limits.reasonMaxChars })) },
  { examples: [{ reason: 'The order was cancelled' }] },
);
