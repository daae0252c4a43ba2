import { ofTenant } from '../../db/of-tenant.ts';

/** The own coupon of a holder of tenant $1. */
export function ownCoupon(holderId: string): string {
  return `select deck_id, pos, code, rev, voided from (
          select deck_id, pos, code, rev, voided from coupons where holder_id = ${holderId} and ${ofTenant} offset 0) as held
        order by voided, deck_id, pos limit 1`;
}
