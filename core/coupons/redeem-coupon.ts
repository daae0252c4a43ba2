import type { Caller, Outcome } from '../caller.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { refuseLargeMetadata } from '../input/metadata-rules.ts';
import type { RedeemInput } from './coupon-inputs.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import type { RedeemedCouponView } from './rules/coupon-view.ts';

/**
 * Redeems a coupon once and ends its lock.
 * @throws CouponError `invalid-input` (metadata), `coupon-not-found`, `coupon-void`, `held-by-another-user`,
 *   `book-not-active`, `book-outside-window`, `coupon-expired`, `code-locked`, `lock-expired`, `lock-required`,
 *   `code-already-redeemed`, `redemption-limit-reached`, `user-limit-reached`, `no-codes-left` (by a public code),
 *   `idempotency-key-reused`, `unavailable`
 */
export async function redeemCoupon(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
  input: RedeemInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<RedeemedCouponView>> {
  refuseLargeMetadata(input.metadata);
  const { userId, lockToken = null, reference = null, metadata = null } = input;
  const command = { op: 'redeem' as const, caller, keyed, code, userId, lockToken, reference, metadata };
  const outcome = await batches.changeCoupon(command);
  return outcome as Outcome<RedeemedCouponView>;
}
