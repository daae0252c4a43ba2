import { type Static, Type } from 'typebox';
import type { KnownBooks } from '../books/known-books.ts';
import type { Caller } from '../caller.ts';
import { ofTenant } from '../db/of-tenant.ts';
import type { Queryable } from '../db/pool.ts';
import { Id, strictObject } from '../input/shapes.ts';
import type { BookKey } from '../keys.ts';
import { limits } from '../limits.ts';
import { type Cursors, type ListParameters, type Page, pageLimit, pageParameters } from '../paging.ts';
import { expiryOf } from './rules/coupon-state.ts';
import {
  CouponStatus,
  type CouponView,
  couponStatus,
  type ShownBook,
  type ShownCoupon,
  viewCoupon,
} from './rules/coupon-view.ts';

/** Which of a user's coupons, and which page of them. */
export const UserCouponsRequest = strictObject({
  bookId: Type.Optional(Id),
  status: Type.Optional(CouponStatus),
  ...pageParameters,
});
export type UserCouponsRequest = ListParameters<Static<typeof UserCouponsRequest>>;

interface Row extends ShownCoupon, ShownBook {
  endsAt: Date | null;
  now: Date;
}

/**
 * A user's coupons, book by book in the order of the books' making, and in a book by place; read from the replica where
 * there is one. A customer does not see its void coupons, which for it do not exist. A page that is filtered by status
 * looks at limits.pageScanMaxRows coupons at most and may then be short, with a cursor to go on.
 * @throws CouponError `invalid-input` (cursor). An unknown book or user has no coupons: an empty list.
 */
export async function listUserCoupons(
  core: { readPool: Queryable; knownBooks: KnownBooks; cursors: Cursors },
  caller: Caller,
  userId: string,
  request: UserCouponsRequest = {},
): Promise<Page<CouponView>> {
  const limit = pageLimit(request);
  const { tenantId } = caller;
  const { bookId = null, status = null } = request;
  const list = { kind: 'user-coupons/1', tenantId, filters: { userId, bookId, status } };
  let after = request.cursor == null ? [0, 0, -1] : core.cursors.open(list, request.cursor).map(Number);
  const bookKey = bookId === null ? null : await core.knownBooks.bookKeyOf(tenantId, bookId);
  if (bookId !== null && bookKey === null) return { data: [], nextCursor: null };

  const data: CouponView[] = [];
  for (let looked = 0; looked < limits.pageScanMaxRows; ) {
    const rows = await readRows(core.readPool, tenantId, userId, bookKey, after, limit + 1);
    for (const row of rows.slice(0, limit)) {
      if (data.length === limit) return { data, nextCursor: core.cursors.seal(list, after) };
      after = [row.holderId!, row.deckKey, row.pos];
      if (isWanted(row, status, caller)) data.push(viewCoupon(row, row, expiryOf(row, row.endsAt), row.now));
    }
    if (rows.length <= limit) return { data, nextCursor: null };
    looked += limit;
    if (data.length === limit) break;
  }
  return { data, nextCursor: core.cursors.seal(list, after) };
}

function isWanted(row: Row, status: CouponStatus | null, caller: Caller): boolean {
  if (row.voided && caller.customerId !== null) return false;
  return status === null || couponStatus(row, expiryOf(row, row.endsAt), row.now) === status;
}

/** Holder by holder, each one's coupons in their order. */
const listSql = `select c.deck_id as "deckKey", c.pos, h.book_id as "bookKey", c.code, c.holder_id as "holderId",
        h.user_id as "userId", c.assigned_at as "assignedAt", c.max_redemptions as "maxRedemptions",
        c.valid_until as "validUntil", c.rev,
        c.redemptions, c.lock_expires_at as "lockExpiresAt", c.voided, b.id as "bookId",
        b.public_code as "publicCode", b.ends_at as "endsAt", date_trunc('milliseconds', clock_timestamp()) as now
      from (
        select holder_id, book_id, user_id from holders
        where tenant_id = $1 and user_id = $2 and ($3::int is null or book_id = $3) and holder_id >= $4::bigint
        order by holder_id) as h
      cross join lateral (
        select * from coupons
        where holder_id = h.holder_id and ${ofTenant} and (holder_id, deck_id, pos) > ($4::bigint, $5::int, $6::bigint)
        order by deck_id, pos limit $7) as c
      cross join lateral (select id, ends_at, public_code from books where book_id = h.book_id and ${ofTenant} offset 0) as b
      order by c.holder_id, c.deck_id, c.pos limit $7`;

async function readRows(
  db: Queryable,
  tenantId: number,
  userId: string,
  bookKey: BookKey | null,
  after: readonly number[],
  limit: number,
): Promise<Row[]> {
  const { rows } = await db.query<Row>({
    name: 'list-user-coupons',
    text: listSql,
    values: [tenantId, userId, bookKey, after[0], after[1], after[2], limit],
  });
  return rows;
}
