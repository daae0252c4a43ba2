import { plainArray, textArray, timeArray } from '../../db/array-text.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { CouponState } from '../rules/coupon-state.ts';
import { lockExpiryArray } from '../rules/lock-expiry.ts';

/**
 * Writes coupons that a deal has made, at revision 1 or as later changes of the same transaction left them. To be
 * called under their book's dealer lock.
 */
export function insertCoupons(tx: Transaction, tenantId: number, coupons: CouponState[]): void {
  const made = [
    plainArray(coupons.map((coupon) => coupon.deckKey)),
    plainArray(coupons.map((coupon) => coupon.pos)),
    textArray(coupons.map((coupon) => coupon.code)),
    plainArray(coupons.map((coupon) => coupon.holderId)),
    timeArray(coupons.map((coupon) => coupon.assignedAt)),
    plainArray(coupons.map((coupon) => coupon.maxRedemptions)),
    plainArray(coupons.map((coupon) => coupon.voided)),
    timeArray(coupons.map((coupon) => coupon.validUntil)),
  ];
  if (coupons.every(({ rev }) => rev === 1)) {
    tx.send({
      name: 'insert-coupons',
      text: `insert into coupons (tenant_id, rev, deck_id, pos, code, holder_id, assigned_at, max_redemptions, voided,
          valid_until)
        select $1::int, 1, * from unnest($2::int[], $3::bigint[], $4::text[], $5::bigint[], $6::timestamptz[], $7::int[],
          $8::boolean[], $9::timestamptz[])`,
      values: [tenantId, ...made],
    });
    return;
  }
  tx.send({
    name: 'insert-used-coupons',
    text: `insert into coupons (tenant_id, deck_id, pos, code, holder_id, assigned_at, max_redemptions, voided,
        valid_until, rev, redemptions, fence, lock_expires_at)
      select $1::int, * from unnest($2::int[], $3::bigint[], $4::text[], $5::bigint[], $6::timestamptz[], $7::int[],
        $8::boolean[], $9::timestamptz[], $10::int[], $11::int[], $12::int[], $13::timestamptz[])`,
    values: [
      tenantId,
      ...made,
      plainArray(coupons.map((coupon) => coupon.rev)),
      plainArray(coupons.map((coupon) => coupon.redemptions)),
      plainArray(coupons.map((coupon) => coupon.fence)),
      lockExpiryArray(coupons),
    ],
  });
}
