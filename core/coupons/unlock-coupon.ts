import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { laneOfCode } from './coupon-batches.ts';
import type { CouponView } from './coupon-view.ts';

/**
 * Ends a live lock before its time.
 * @throws CouponError `coupon-not-found`, `coupon-void`, `held-by-another-user`, `code-locked` (another token's lock
 *   is live), `lock-expired` (none is), `idempotency-key-reused`, `unavailable`
 */
export async function unlockCoupon(
  core: Core,
  caller: Caller,
  code: string,
  input: { userId: string; lockToken: string },
  keyed: KeyedRequest | null = null,
): Promise<Outcome<CouponView>> {
  const command = { op: 'unlock' as const, caller, keyed, code, ...input };
  return core.batches.changes.push(caller.tenantId, laneOfCode(code), command);
}
