import type { KnownBooks } from '../books/known-books.ts';
import type { Caller, Outcome } from '../caller.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import type { AssignInput } from './coupon-inputs.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import type { CouponView } from './rules/coupon-view.ts';

/** What an assign works with. */
export interface AssignCore {
  readonly knownBooks: KnownBooks;
  readonly batches: CouponBatches;
}

/**
 * Puts a uniformly random code of those left in the book into a user's hands.
 * @throws CouponError `book-not-found`, `forbidden` (a customer, and the book has no self-service), `book-not-active`,
 *   `book-outside-window` (the book has ended), `user-limit-reached`, `no-codes-left`, `idempotency-key-reused`,
 *   `unavailable`
 */
export async function assignCoupon(
  { knownBooks, batches }: AssignCore,
  caller: Caller,
  { bookId, userId }: AssignInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<CouponView>> {
  const bookKey = await knownBooks.bookKeyOf(caller.tenantId, bookId);
  return batches.deals.push(caller.tenantId, { op: 'draw', caller, keyed, bookKey, userId });
}
