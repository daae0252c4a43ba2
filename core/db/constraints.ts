import { type CouponError, type PlainKind, type RefusalFacts, refuse } from '../errors.ts';
import { constraintOf } from './sql-errors.ts';

/**
 * What a violated constraint means to the caller. Operations check before they write. When two requests check at the
 * same time, both pass, and only the constraint stops the second one. A violated constraint that is not in this list is
 * a bug.
 */
const refusals: ReadonlyMap<string, readonly [PlainKind, string, RefusalFacts?]> = new Map([
  ['tenants_slug_key', ['conflict', 'A tenant has this slug already. Choose another one.', { reason: 'slug-taken' }]],
  [
    'code_patterns_template_key',
    ['conflict', 'The same pattern is being set up by another request. Try again.', { reason: 'try-again' }],
  ],
  [
    'deck_codes_code_key',
    ['conflict', 'Another upload has brought in one of these codes. Try again.', { reason: 'try-again' }],
  ],
  [
    'books_public_code_key',
    ['conflict', 'Another book of the tenant has this publicCode. Choose another one.', { reason: 'code-exists' }],
  ],
  ['coupons_pk', ['code-already-assigned', 'The code has just been assigned by another request.']],
  ['coupons_redemptions_check', ['code-already-redeemed', 'The coupon has no redemption left.']],
]);

/** The refusal for a violated constraint. Null where the error is another one, or the constraint is not in the list. */
export function refusalOfConstraint(error: unknown): CouponError | null {
  const constraint = constraintOf(error);
  const refusal = constraint === null ? undefined : refusals.get(constraint);
  return refusal === undefined ? null : refuse(...refusal);
}
