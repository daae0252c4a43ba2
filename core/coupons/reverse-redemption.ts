import type { Caller, Outcome } from '../caller.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import type { ReasonInput } from './coupon-inputs.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import type { CouponView } from './rules/coupon-view.ts';

/**
 * Gives a redemption back, whatever the book's state: an order is cancelled when it is cancelled.
 * @throws CouponError `redemption-not-found`, `coupon-void`, `conflict` (it was given back before),
 *   `idempotency-key-reused`, `unavailable`
 */
export async function reverseRedemption(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  redemptionId: string,
  { reason }: ReasonInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<CouponView>> {
  const id = redemptionId.toLowerCase();
  const command = { op: 'reverse' as const, caller, keyed, redemptionId: id, reason: reason ?? null };
  return batches.changes.push(caller.tenantId, command);
}
