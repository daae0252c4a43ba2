import { CouponError } from '../../errors.ts';
import type { BookKey } from '../../keys.ts';

/**
 * Says that a request belongs into another batch than the one it is in: nothing was done for it. Only changeCoupon sees
 * it; whoever else would is told to repeat the request.
 */
export class Redirect extends CouponError {
  /** The book from which a coupon is to be dealt first; null: the coupon is there, and is to be found anew. */
  readonly dealFrom: BookKey | null;

  constructor(dealFrom: BookKey | null) {
    const detail = 'The coupon changed hands again and again. Repeat the request with the same Idempotency-Key.';
    super({ kind: 'unavailable', outcome: 'not-begun', detail, retryAfterSeconds: 1 });
    this.dealFrom = dealFrom;
  }
}
