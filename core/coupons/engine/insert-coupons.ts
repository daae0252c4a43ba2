import { plainArray, textArray, timeArray } from '../../db/array-text.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { CouponState } from '../rules/coupon-state.ts';

/** Writes coupons that a deal has made, at revision 1. To be called under their book's dealer lock. */
export function insertCoupons(tx: Transaction, tenantId: number, coupons: CouponState[]): void {
  tx.send({
    name: 'insert-coupons',
    text: `insert into coupons (tenant_id, rev, deck_id, pos, code, holder_id, assigned_at, max_redemptions, voided,
        valid_until)
      select $1::int, 1, * from unnest($2::int[], $3::bigint[], $4::text[], $5::bigint[], $6::timestamptz[], $7::int[],
        $8::boolean[], $9::timestamptz[])`,
    values: [
      tenantId,
      plainArray(coupons.map((coupon) => coupon.deckKey)),
      plainArray(coupons.map((coupon) => coupon.pos)),
      textArray(coupons.map((coupon) => coupon.code)),
      plainArray(coupons.map((coupon) => coupon.holderId)),
      timeArray(coupons.map((coupon) => coupon.assignedAt)),
      plainArray(coupons.map((coupon) => coupon.maxRedemptions)),
      plainArray(coupons.map((coupon) => coupon.voided)),
      timeArray(coupons.map((coupon) => coupon.validUntil)),
    ],
  });
}
