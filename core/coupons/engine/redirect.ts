import type { PublicLocation } from '../../decks/locate-codes.ts';
import { CouponError } from '../../errors.ts';

/**
 * Says that a request belongs into another batch than the one it is in: nothing was done for it. Only changeCoupon sees
 * it; whoever else would is told to repeat the request.
 */
export class Redirect extends CouponError {
  /** By which public code a coupon is to be dealt first; null: the coupon is there, and is to be found anew. */
  readonly dealBy: PublicLocation | null;

  constructor(dealBy: PublicLocation | null) {
    const detail = 'The coupon changed hands again and again. Repeat the request with the same Idempotency-Key.';
    super({ kind: 'unavailable', outcome: 'not-begun', detail, retryAfterSeconds: 1 });
    this.dealBy = dealBy;
  }
}
