import type { CouponState } from './coupon-state.ts';

/**
 * Which form a lock's token has is kept in the moment of its end. Versions before 0.2 gave the grant's number alone,
 * and wrote whole milliseconds, as everything here counts in them. A lock with an unguessable token ends one
 * microsecond later, which no decision sees. So a lock that an earlier version gives, or renews, during an upgrade
 * keeps its own form, and no table needs a column more.
 */
const markMicros = 1;
const mark = String(markMicros).padStart(3, '0');

/** The ends of locks as their column keeps them, for timestamptz[]. */
export function lockExpiryArray(coupons: readonly Pick<CouponState, 'lockExpiresAt' | 'hasPlainToken'>[]): string {
  return `{${coupons.map(lockExpiryText).join(',')}}`;
}

function lockExpiryText({
  lockExpiresAt,
  hasPlainToken,
}: Pick<CouponState, 'lockExpiresAt' | 'hasPlainToken'>): string {
  if (lockExpiresAt === null) return 'NULL';
  const text = lockExpiresAt.toISOString();
  return hasPlainToken ? text : `${text.slice(0, -1)}${mark}Z`;
}

/** SQL: whether a lock has the plain token of an earlier version; false where there is no lock. */
export const hasPlainTokenSql = (column: string) =>
  `(coalesce(extract(microseconds from ${column})::int % 1000, ${markMicros}) <> ${markMicros})`;
