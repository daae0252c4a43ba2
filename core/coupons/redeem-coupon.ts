import type { Caller, Outcome } from '../caller.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import type { RedeemedCouponView } from './rules/coupon-view.ts';

/** One use of a coupon. `reference` and `metadata` are the caller's own: an order's number, a till, what it likes. */
export interface RedeemInput {
  userId: string;
  lockToken?: string;
  /** At most limits.referenceMaxChars characters. */
  reference?: string;
  /** At most limits.metadataMaxBytes bytes of JSON. */
  metadata?: Record<string, unknown>;
}

/**
 * Redeems a coupon once and ends its lock.
 * @throws CouponError `coupon-not-found`, `coupon-void`, `held-by-another-user`, `book-not-active`,
 *   `book-outside-window`, `code-locked`, `lock-expired`, `lock-required`, `code-already-redeemed`,
 *   `redemption-limit-reached`, `user-limit-reached`, `idempotency-key-reused`, `unavailable`
 */
export async function redeemCoupon(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
  input: RedeemInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<RedeemedCouponView>> {
  const { userId, lockToken = null, reference = null, metadata = null } = input;
  const command = { op: 'redeem' as const, caller, keyed, code, userId, lockToken, reference, metadata };
  const outcome = await batches.changes.push(caller.tenantId, command);
  return outcome as Outcome<RedeemedCouponView>;
}
