import type pg from 'pg';
import { readBooksForDecision } from '../../books/read-book-rules.ts';
import type { Caller } from '../../caller.ts';
import { groupStatements } from '../../db/group-statements.ts';
import { together } from '../../db/together.ts';
import { withConnection } from '../../db/with-connection.ts';
import type { CodeSource } from '../../decks/codes-at.ts';
import { type Location, locateCodes, nowhere } from '../../decks/locate-codes.ts';
import { placeMapKey } from '../../decks/place.ts';
import { CouponError } from '../../errors.ts';
import type { Standing } from '../rules/coupon-rules.ts';
import type { CouponState } from '../rules/coupon-state.ts';
import { missingCoupon } from '../rules/missing-coupon.ts';
import type { LockTokens } from './lock-tokens.ts';
import { readCouponStates } from './locks/coupons.ts';
import { readClockAndKeys } from './read-clock-and-keys.ts';
import { readUsage, standingOf } from './usage-sums.ts';
import { findVoidPlaces } from './void-places.ts';

/** What a look works with. */
export interface LookCore extends CodeSource {
  readonly pool: pg.Pool;
  readonly lockTokens: LockTokens;
}

/** Somebody wants to see a coupon. */
export interface CouponQuestion {
  caller: Caller;
  code: string;
}

/** A coupon as it stands, with what a decision about it would look at. */
export interface SeenCoupon {
  coupon: CouponState;
  standing: Standing;
}

/**
 * Looks at coupons without a lock or a transaction: one look-up a table for the whole batch. The answer is true at a
 * moment between question and answer, and binds nobody.
 */
export async function lookAtCoupons(
  core: LookCore,
  tenantId: number,
  questions: CouponQuestion[],
): Promise<(SeenCoupon | CouponError)[]> {
  const always = questions.some(({ caller }) => caller.customerId !== null);
  const codes = questions.map(({ code }) => code);
  const located = await locateCodes(core, tenantId, codes, { always });
  const locations = questions.map(({ caller }, index) => {
    return located[index] ?? (caller.customerId === null ? null : nowhere);
  });
  const { coupons, books, usage, now } = await look(
    core.pool,
    tenantId,
    locations.flatMap((location) => location ?? []),
  );
  // Customers are not told that a code is void, and so nothing is looked up for that.
  const explained = locations.filter((_, index) => questions[index]!.caller.customerId === null);
  const bare = explained
    .flatMap((location) => location ?? [])
    .filter((location) => !coupons.has(placeMapKey(location)));
  const voidPlaces = await findVoidPlaces(core.pool, tenantId, bare);
  return questions.map(({ caller }, index) => {
    const location = locations[index] ?? null;
    const coupon = location === null ? undefined : coupons.get(placeMapKey(location));
    const missing = missingCoupon(caller, coupon, isVoid(voidPlaces, location));
    if (missing !== null) return new CouponError(missing);
    const isLockToken = (token: string) => core.lockTokens.isTokenOf(tenantId, coupon!, token);
    return { coupon: coupon!, standing: standingOf(coupon!, { books, usage, now }, isLockToken) };
  });
}

/** Sends every statement at once over one connection. */
function look(pool: pg.Pool, tenantId: number, found: Location[]) {
  return withConnection(pool, async ({ connection }) => {
    const statements = groupStatements(connection);
    const [coupons, books, usage, { now }] = await together([
      readCouponStates(statements, tenantId, found),
      readBooksForDecision(statements, tenantId, [...new Set(found.map(({ bookKey }) => bookKey))]),
      readUsage(statements, tenantId, found),
      readClockAndKeys(statements, tenantId, []),
    ]);
    return { coupons, books, usage, now };
  });
}

function isVoid(voidPlaces: Set<string>, location: Location | null): boolean {
  return location !== null && voidPlaces.has(placeMapKey(location));
}
