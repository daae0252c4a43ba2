import { plainArray } from '../../db/array-text.ts';
import { ofTenant } from '../../db/of-tenant.ts';
import type { Transaction } from '../../db/transaction.ts';

const carryRedemptionsSql = `update holders h set carried_redemptions = h.carried_redemptions + n.change
      from unnest($2::bigint[], $3::int[]) as n (holder_id, change)
      cross join lateral (select ctid from holders where tenant_id = $1 and holder_id = n.holder_id limit 1) as place
      where h.ctid = place.ctid and h.${ofTenant}`;

/**
 * Changes what holders carry beside the redemptions of the coupons in their hands: a redemption counts for the user who
 * made it, wherever its coupon is now. Their rows must be locked, or their book's gate be closed.
 * @param changes by holder; what adds up to nothing is not written
 */
export function carryRedemptions(tx: Transaction, tenantId: number, changes: ReadonlyMap<number, number>): void {
  const written = [...changes].filter(([, change]) => change !== 0).sort(([a], [b]) => a - b);
  if (written.length === 0) return;
  tx.send({
    name: 'carry-redemptions',
    text: carryRedemptionsSql,
    values: [
      tenantId,
      plainArray(written.map(([holderId]) => holderId)),
      plainArray(written.map(([, change]) => change)),
    ],
  });
}
