import { type Static, Type } from 'typebox';
import { exampleId, Id, Metadata, reason, strictObject, UserId } from '../input/shapes.ts';
import { limits } from '../limits.ts';

/** A lock's token, as a request brings it. */
const LockToken = Type.String({
  minLength: 1,
  maxLength: 20,
  pattern: '^[0-9]+$',
  description: 'The fencing token that the lock gave: a number as a string.',
  examples: ['18403216975'],
});

/** Who gets a code of which book. */
export const AssignInput = strictObject(
  { bookId: Id, userId: UserId },
  { examples: [{ bookId: exampleId, userId: 'u-1' }] },
);
export type AssignInput = Static<typeof AssignInput>;

/** Who gets the code that is named. */
export const AssignCodeInput = strictObject({ userId: UserId }, { examples: [{ userId: 'u-1' }] });
export type AssignCodeInput = Static<typeof AssignCodeInput>;

/** Who get a code each of which book. */
export const AssignBatchInput = strictObject(
  { bookId: Id, userIds: Type.Array(UserId, { minItems: 1, maxItems: limits.assignBatchMaxUsers }) },
  { examples: [{ bookId: exampleId, userIds: ['u-1', 'u-2'] }] },
);
export type AssignBatchInput = Static<typeof AssignBatchInput>;

/** A redeem that is only asked about. */
export const ValidateInput = strictObject(
  { userId: UserId, lockToken: Type.Optional(LockToken) },
  { examples: [{ userId: 'u-1' }] },
);
export type ValidateInput = Static<typeof ValidateInput>;

/** A lock wanted: new, or the renewal of the one whose token is given. */
export const LockInput = strictObject(
  {
    userId: UserId,
    ttlSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: limits.lockTtlMaxSeconds,
        description:
          'How long the lock lives from now, though never past the coupon’s expiresAt; left out: the book’s lockTtlSeconds.',
      }),
    ),
    lockToken: Type.Optional(LockToken),
  },
  { examples: [{ userId: 'u-1', ttlSeconds: 300 }] },
);
export type LockInput = Static<typeof LockInput>;

/**
 * A lock to end before its time: with its user and its token, or by force, whosever it is. Which fields go together,
 * readUnlock says.
 */
export const UnlockInput = strictObject(
  {
    userId: Type.Optional(UserId),
    lockToken: Type.Optional(LockToken),
    force: Type.Optional(
      Type.Boolean({
        description: 'For operators: true ends the live lock, whosever it is, and wants no userId and no lockToken.',
      }),
    ),
    reason: reason('With force: why. The event keeps it.'),
  },
  {
    description: '`userId` and `lockToken`, both; or `force`, and a `reason` where there is one.',
    examples: [
      { userId: 'u-1', lockToken: '18403216975' },
      { force: true, reason: 'The till crashed' },
    ],
  },
);
export type UnlockInput = Static<typeof UnlockInput>;

/** One use of a coupon. `reference` and `metadata` are the caller's own: an order's number, a till, what it likes. */
export const RedeemInput = strictObject(
  {
    userId: UserId,
    lockToken: Type.Optional(LockToken),
    reference: Type.Optional(
      Type.String({ maxLength: limits.referenceMaxChars, description: 'The order, in the caller’s system.' }),
    ),
    metadata: Type.Optional(Metadata),
  },
  { examples: [{ userId: 'u-1', reference: 'order-1001' }] },
);
export type RedeemInput = Static<typeof RedeemInput>;

/** To whom a coupon goes. */
export const TransferInput = strictObject(
  { userId: UserId, reason: reason('Why. The event keeps it.') },
  { examples: [{ userId: 'u-2', reason: 'A present' }] },
);
export type TransferInput = Static<typeof TransferInput>;

/** Why a coupon is voided, or a redemption given back. */
export const ReasonInput = strictObject(
  { reason: reason('Why. The event keeps it.') },
  { examples: [{ reason: 'The order was cancelled' }] },
);
export type ReasonInput = Static<typeof ReasonInput>;
