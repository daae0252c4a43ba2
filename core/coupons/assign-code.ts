import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { laneOfCode } from './coupon-batches.ts';
import type { CouponView } from './coupon-view.ts';

/**
 * Puts the code that is named into a user's hands.
 * @throws CouponError `coupon-not-found`, `coupon-void`, `code-already-assigned`, `book-not-active`,
 *   `book-outside-window` (the book has ended), `user-limit-reached`, `idempotency-key-reused`, `unavailable`
 */
export async function assignCode(
  core: Core,
  caller: Caller,
  code: string,
  { userId }: { userId: string },
  keyed: KeyedRequest | null = null,
): Promise<Outcome<CouponView>> {
  return core.batches.deals.push(caller.tenantId, laneOfCode(code), { op: 'take', caller, keyed, code, userId });
}
