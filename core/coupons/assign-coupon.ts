import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import type { CouponView } from './coupon-view.ts';

/** Who gets a code of which book. */
export interface AssignInput {
  bookId: string;
  userId: string;
}

/**
 * Puts a uniformly random code of those left in the book into a user's hands.
 * @throws CouponError `book-not-found`, `forbidden` (a customer, and the book has no self-service), `book-not-active`,
 *   `book-outside-window` (the book has ended), `user-limit-reached`, `no-codes-left`, `idempotency-key-reused`,
 *   `unavailable`
 */
export async function assignCoupon(
  core: Core,
  caller: Caller,
  { bookId, userId }: AssignInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<CouponView>> {
  const bookKey = await core.knownBooks.bookKeyOf(caller.tenantId, bookId);
  return core.batches.deals.push(caller.tenantId, bookKey ?? 0, { op: 'draw', caller, keyed, bookKey, userId });
}
