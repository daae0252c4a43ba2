import type pg from 'pg';
import { type BookRules, readBooksForDecision } from '../../books/read-book-rules.ts';
import type { Caller } from '../../caller.ts';
import { groupStatements } from '../../db/group-statements.ts';
import { together } from '../../db/together.ts';
import { withConnection } from '../../db/with-connection.ts';
import type { CodeSource } from '../../decks/codes-at.ts';
import { countLeft } from '../../decks/count-left.ts';
import {
  isPublic,
  type LocateCore,
  type Located,
  type Location,
  locateCodes,
  nowhere,
  type PublicLocation,
} from '../../decks/locate-codes.ts';
import { placeMapKey } from '../../decks/place.ts';
import { CouponError } from '../../errors.ts';
import type { DecisionContext } from '../rules/coupon-rules.ts';
import type { CouponState } from '../rules/coupon-state.ts';
import { missingCoupon, ofPublicCode, publicCodeRefusal } from '../rules/missing-coupon.ts';
import { newCoupon, undrawn } from '../rules/new-coupon.ts';
import { openValidity } from './dealt-coupon.ts';
import { holderMapKey } from './holders.ts';
import type { LockTokens } from './lock-tokens.ts';
import { readCouponStates } from './locks/coupons.ts';
import { type BookUser, findOwnCoupons } from './own-coupons.ts';
import { readClockAndKeys } from './read-clock-and-keys.ts';
import { contextOf, readUsage } from './usage-sums.ts';
import { findVoidPlaces } from './void-places.ts';

/** What lookAtCoupons works with. */
export interface LookCore extends CodeSource {
  readonly pool: pg.Pool;
  readonly lockTokens: LockTokens;
}

/** A caller asks for a coupon by its code, or by the public code of its book. */
export interface CouponQuery {
  caller: Caller;
  code: string;
  /** The user whose coupon is meant if the code is a public one; null: no user was named. */
  userId: string | null;
}

/** A coupon and what a decision about it needs to know, as both were when they were read. */
export interface CouponSnapshot {
  coupon: CouponState;
  context: DecisionContext;
  /**
   * Null: the coupon exists. A number: the user has none yet, `coupon` is the one that a redeem by the public code
   * would deal, and so many codes are left for it.
   */
  leftToDeal: number | null;
}

/** What a query asks for, as far as that is known before the coupons are read. */
interface QueryTarget {
  query: CouponQuery;
  /** Null: the caller is told that there is no such coupon. */
  location: Location | null;
  /** The book whose public code was given; else null. */
  publicLocation: PublicLocation | null;
  /** The user whom a redeem by the public code would deal a coupon; else null. */
  newHolder: NewHolder | null;
}

/** A user of a book with a public code who has no coupon of it. */
interface NewHolder extends BookUser {
  /** As OwnCoupon has it. */
  carried: number;
}

/**
 * Reads coupons without a lock or a transaction: one statement for each table, whatever the number of queries. A
 * snapshot was true at a moment between query and answer; it may be out of date when it is used.
 */
export async function lookAtCoupons(
  core: LookCore,
  tenantId: number,
  queries: CouponQuery[],
): Promise<(CouponSnapshot | CouponError)[]> {
  const targets = await findTargets(core, tenantId, queries);
  const rows = await readRows(core.pool, tenantId, targets);
  const voidPlaces = await findVoidPlaces(core.pool, tenantId, placesWithoutCoupon(targets, rows.coupons));
  const validityOf = openValidity(rows.now);
  return targets.map((target) =>
    target.newHolder === null
      ? existingCoupon(core.lockTokens, tenantId, target, rows, voidPlaces)
      : couponToDeal(target.newHolder, rows, validityOf),
  );
}

/** The places whose code may be void. Customers are not told that a code is void, so theirs are left out. */
function placesWithoutCoupon(targets: QueryTarget[], coupons: ReadRows['coupons']): Location[] {
  return targets
    .filter(({ query }) => query.caller.customerId === null)
    .flatMap(({ location }) => location ?? [])
    .filter((location) => !coupons.has(placeMapKey(location)));
}

/** The coupon that the user would be dealt now. */
function couponToDeal(
  { bookKey, userId, carried }: NewHolder,
  { books, usage, now, left }: ReadRows,
  validityOf: (book: BookRules) => Date | null,
): CouponSnapshot {
  const book = books.get(bookKey)!;
  const coupon = newCoupon(undrawn, book, { holderId: null, userId }, now, validityOf(book));
  const context = contextOf(coupon, { books, usage, now }, () => false);
  return { coupon, context: { ...context, holderRedemptions: carried }, leftToDeal: left.get(bookKey) ?? 0 };
}

function existingCoupon(
  lockTokens: LockTokens,
  tenantId: number,
  { query, location, publicLocation }: QueryTarget,
  { coupons, books, usage, now }: ReadRows,
  voidPlaces: Set<string>,
): CouponSnapshot | CouponError {
  if (publicLocation !== null && userOf(query) === null) {
    return new CouponError(publicCodeRefusal(publicLocation.code));
  }
  const coupon = location === null ? undefined : coupons.get(placeMapKey(location));
  const missing = missingCoupon(query.caller, coupon, isVoid(voidPlaces, location));
  if (missing !== null) return new CouponError(publicLocation === null ? missing : ofPublicCode(missing));
  const isLockToken = (token: string) => lockTokens.isTokenOf(tenantId, coupon!, token);
  return { coupon: coupon!, context: contextOf(coupon!, { books, usage, now }, isLockToken), leftToDeal: null };
}

/** The user whose coupon a public code means; null: nobody's. */
function userOf({ caller, userId }: CouponQuery): string | null {
  return userId ?? caller.customerId;
}

async function findTargets(core: LocateCore, tenantId: number, queries: CouponQuery[]): Promise<QueryTarget[]> {
  const hasCustomer = queries.some(({ caller }) => caller.customerId !== null);
  const codes = queries.map(({ code }) => code);
  const located = await locateCodes(core, tenantId, codes, { always: hasCustomer });
  const users = queries.map((query, index) => bookUserOf(query, located[index] ?? null));
  const ownCoupons = await findOwnCoupons(
    core.pool,
    tenantId,
    users.flatMap((user) => user ?? []),
  );
  return queries.map((query, index) => {
    const found = located[index] ?? null;
    const elsewhere = query.caller.customerId === null ? null : nowhere;
    if (!isPublic(found)) return { query, location: found ?? elsewhere, publicLocation: null, newHolder: null };
    const user = users[index] ?? null;
    const { location = null, carried = 0 } = (user && ownCoupons.get(holderMapKey(user.bookKey, user.userId))) ?? {};
    // A query that names no user only reads: nothing would be dealt for it.
    const isNew = user !== null && location === null && query.userId !== null;
    const newHolder = isNew ? { ...user, carried } : null;
    return { query, location: location ?? (isNew ? null : elsewhere), publicLocation: found, newHolder };
  });
}

function bookUserOf(query: CouponQuery, found: Located | null): BookUser | null {
  const userId = userOf(query);
  return isPublic(found) && userId !== null ? { bookKey: found.publicBook, userId } : null;
}

type ReadRows = Awaited<ReturnType<typeof readRows>>;

/** Sends every statement at once over one connection. */
function readRows(pool: pg.Pool, tenantId: number, targets: QueryTarget[]) {
  const found = targets.flatMap(({ location }) => location ?? []);
  const dealtFrom = [...new Set(targets.flatMap(({ newHolder }) => newHolder?.bookKey ?? []))];
  const bookKeys = [...new Set([...found.map(({ bookKey }) => bookKey), ...dealtFrom])];
  return withConnection(pool, async ({ connection }) => {
    const statements = groupStatements(connection);
    const [coupons, books, usage, left, { now }] = await together([
      readCouponStates(statements, tenantId, found),
      readBooksForDecision(statements, tenantId, bookKeys),
      readUsage(statements, tenantId, found, dealtFrom),
      countLeft(statements, tenantId, dealtFrom),
      readClockAndKeys(statements, tenantId, []),
    ]);
    return { coupons, books, usage, now, left };
  });
}

function isVoid(voidPlaces: Set<string>, location: Location | null): boolean {
  return location !== null && voidPlaces.has(placeMapKey(location));
}
