import type { Caller, Outcome } from '../caller.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import type { UnlockInput } from './coupon-inputs.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import type { CouponView } from './rules/coupon-view.ts';

/**
 * Ends a live lock before its time.
 * @throws CouponError `coupon-not-found`, `coupon-void`, `held-by-another-user`, `code-locked` (another token's lock
 *   is live), `lock-expired` (none is), `idempotency-key-reused`, `unavailable`
 */
export async function unlockCoupon(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
  input: UnlockInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<CouponView>> {
  const command = { op: 'unlock' as const, caller, keyed, code, ...input };
  return batches.changes.push(caller.tenantId, command);
}
