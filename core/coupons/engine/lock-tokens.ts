import { hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Queryable } from '../../db/pool.ts';
import type { Random } from '../../random.ts';
import { openShortHmac } from '../../short-hmac.ts';
import type { CouponState } from '../rules/coupon-state.ts';

/** What of a coupon its lock's token is made of. */
export type LockOfCoupon = Pick<CouponState, 'deckKey' | 'pos' | 'fence' | 'hasPlainToken'>;

/** Makes and checks the tokens of locks. Pure once it is open, and the same in every task of an installation. */
export interface LockTokens {
  /**
   * The token of the coupon's last lock: 11 to 20 digits, or the grant's number alone where an earlier version gave it.
   */
  tokenOf(tenantId: number, coupon: LockOfCoupon): string;
  /** Whether this is the token of the coupon's last lock, compared in constant time. */
  isTokenOf(tenantId: number, coupon: LockOfCoupon, token: string): boolean;
}

/** A grant's number has up to 10 digits (int4), and a token up to 20. One guess in 10^10 is right. */
const unguessableDigits = 10;
const keyBytes = 32;
const secretBytes = 32;

/**
 * Opens the tokens of an installation. A token is the number of the grant, so that it grows with each, followed by
 * digits of HMAC-SHA-256 over tenant, place and number: whoever knows a coupon's earlier tokens still can't tell the
 * next one, and so can't let go a lock that somebody else holds on the same coupon.
 *
 * The key is derived from the check value of the installation's first CODE_SECRET, or from what renewLockTokens put
 * before it. Every task reads the same one, it is never shown, and it stays when the secret is rotated: a lock lives
 * through a rotation.
 * @throws Error where the database has no check value yet (checkCodeSecret stores it)
 */
export async function openLockTokens(db: Queryable): Promise<LockTokens> {
  const { rows } = await db.query<{ checkValue: Buffer }>({
    name: 'read-first-code-secret',
    text: 'select check_value as "checkValue" from code_secrets order by key_version limit 1',
    values: [],
  });
  const first = rows[0];
  if (first === undefined) throw new Error('the database has no check value of CODE_SECRET');
  return makeLockTokens(first.checkValue);
}

/**
 * Gives all locks from now on other tokens, of which every task learns when it starts. To be called when the database
 * has gone back in time: the grants are numbered again as they were, and whoever had a token then would have one now.
 */
export async function renewLockTokens(db: Queryable, random: Pick<Random, 'bytes'>): Promise<void> {
  await db.query({
    name: 'renew-lock-tokens',
    // Version 0 comes before every CODE_SECRET's, which begin at 1.
    text: `insert into code_secrets (key_version, check_value, created_at) values (0, $1, clock_timestamp())
      on conflict (key_version) do update set check_value = excluded.check_value`,
    values: [random.bytes(secretBytes)],
  });
}

/** The same from a secret of at least 16 bytes. */
export function makeLockTokens(secret: Uint8Array): LockTokens {
  const hmac = openShortHmac(Buffer.from(hkdfSync('sha256', secret, '', 'qurable lock tokens', keyBytes)));

  const tokenOf = (tenantId: number, { deckKey, pos, fence, hasPlainToken }: LockOfCoupon): string => {
    if (hasPlainToken) return String(fence);
    const digest = hmac(`${tenantId} ${deckKey} ${pos} ${fence}`);
    const digits = digest.readBigUInt64BE(0) % 10n ** BigInt(unguessableDigits);
    return `${fence}${digits.toString().padStart(unguessableDigits, '0')}`;
  };

  return {
    tokenOf,
    isTokenOf(tenantId, coupon, token) {
      const wanted = Buffer.from(tokenOf(tenantId, coupon));
      const given = Buffer.from(token);
      return wanted.length === given.length && timingSafeEqual(wanted, given);
    },
  };
}
