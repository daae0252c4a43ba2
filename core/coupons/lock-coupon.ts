import type { Caller, Outcome } from '../caller.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import type { LockInput } from './coupon-inputs.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import type { LockedCouponView } from './rules/coupon-view.ts';

/**
 * Locks a coupon for a checkout, or renews the lock. The token is a fencing number: it grows with each grant. A lock is
 * refused where a redeem would be, except that it wants no lock. It reserves the coupon only: nothing of the limits.
 * @throws CouponError `coupon-not-found`, `coupon-void`, `held-by-another-user`, `book-not-active`,
 *   `book-outside-window`, `coupon-expired`, `code-locked`, `lock-expired`, `code-already-redeemed`,
 *   `redemption-limit-reached`, `user-limit-reached`, `no-codes-left` (by a public code), `idempotency-key-reused`,
 *   `unavailable`
 */
export async function lockCoupon(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
  input: LockInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<LockedCouponView>> {
  const { userId, ttlSeconds = null, lockToken = null } = input;
  const command = { op: 'lock' as const, caller, keyed, code, userId, ttlSeconds, lockToken };
  const outcome = await batches.changeCoupon(command);
  return outcome as Outcome<LockedCouponView>;
}
