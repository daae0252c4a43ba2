import type { Caller, Outcome } from '../caller.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import type { AssignCodeInput } from './coupon-inputs.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import type { CouponView } from './rules/coupon-view.ts';

/**
 * Puts the code that is named into a user's hands; by a public code, a random one of the book's, where the user has
 * none.
 * @throws CouponError `coupon-not-found`, `coupon-void`, `code-already-assigned`, `book-not-active`,
 *   `book-outside-window` (the book has ended), `user-limit-reached`, `idempotency-key-reused`, `unavailable`
 */
export async function assignCode(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
  { userId }: AssignCodeInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<CouponView>> {
  return batches.deals.push(caller.tenantId, { op: 'take', caller, keyed, code, userId });
}
