import type { Caller, Outcome } from '../caller.ts';
import { CouponError, type ErrorKind } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import type { ReasonInput } from './coupon-inputs.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import type { CouponView } from './rules/coupon-view.ts';

/**
 * Voids a coupon, or a code that nobody has yet, which then becomes a coupon without a user. Which of the two it is may
 * change between the look and the lock, but only once and only one way: a code that was assigned stays assigned. So two
 * tries at each settle it.
 * @throws CouponError `coupon-not-found`, `coupon-void`, `conflict` (a public code), `idempotency-key-reused`,
 *   `unavailable`
 */
export async function voidCoupon(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
  { reason }: ReasonInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<CouponView>> {
  const command = { caller, keyed, code, reason: reason ?? null };
  const voidHeld = () => batches.changes.push(caller.tenantId, { op: 'void', ...command });
  const discard = () => batches.deals.push(caller.tenantId, { op: 'discard', ...command });
  return voidHeld().catch(unless('coupon-not-found', () => discard().catch(unless('code-already-assigned', voidHeld))));
}

/** Goes on with `next` after a refusal of this kind, and passes on anything else. */
function unless<T>(kind: ErrorKind, next: () => Promise<T>): (error: unknown) => Promise<T> {
  return (error) => {
    if (error instanceof CouponError && error.kind === kind) return next();
    throw error;
  };
}
