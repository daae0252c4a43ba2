/**
 * The own coupon of a holder, looked up by the holder alone: asked for the tenant too, PostgreSQL may read all of the
 * tenant's coupons while a fast growing table has no statistics yet.
 */
export function ownCoupon(holderId: string): string {
  return `select deck_id, pos, code, rev, voided from (
          select tenant_id, deck_id, pos, code, rev, voided from coupons where holder_id = ${holderId} offset 0) as held
        where tenant_id = $1 order by voided, deck_id, pos limit 1`;
}
