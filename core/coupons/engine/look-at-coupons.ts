import type pg from 'pg';
import { readBooksForDecision } from '../../books/read-book-rules.ts';
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
} from '../../decks/locate-codes.ts';
import { placeMapKey } from '../../decks/place.ts';
import type { PublicCode } from '../../decks/public-code-row.ts';
import { CouponError } from '../../errors.ts';
import type { BookKey } from '../../keys.ts';
import type { Standing } from '../rules/coupon-rules.ts';
import type { CouponState } from '../rules/coupon-state.ts';
import { missingCoupon, ofPublicCode, publicCodeRefusal } from '../rules/missing-coupon.ts';
import { newCoupon, undrawn } from '../rules/new-coupon.ts';
import { openValidity } from './dealt-coupon.ts';
import { holderMapKey } from './holders.ts';
import type { LockTokens } from './lock-tokens.ts';
import { readCouponStates } from './locks/coupons.ts';
import { findOwnCoupons } from './own-coupons.ts';
import { readClockAndKeys } from './read-clock-and-keys.ts';
import { readUsage, standingOf } from './usage-sums.ts';
import { findVoidPlaces } from './void-places.ts';

/** What a look at coupons works with. */
export interface LookCore extends CodeSource {
  readonly pool: pg.Pool;
  readonly lockTokens: LockTokens;
}

/** Somebody wants to see a coupon. */
export interface CouponQuestion {
  caller: Caller;
  code: string;
  /** Whose coupon is meant where the code is a public one; null: nobody's in particular. */
  userId: string | null;
}

/** A coupon as it stands, with what a decision about it would look at. */
export interface SeenCoupon {
  coupon: CouponState;
  standing: Standing;
  /**
   * Of a user who has none and brought a public code: `coupon` is the one that would be dealt, and this is how many
   * codes are left for it. Null where the coupon is there.
   */
  leftToDeal: number | null;
}

/** What is looked at for a question. */
interface Sight {
  question: CouponQuestion;
  /** Null: the caller is told that there is no such coupon. */
  location: Location | null;
  publicCode: PublicCode | null;
  /** Whom a coupon would be dealt to. */
  newcomer: Newcomer | null;
}

interface Newcomer {
  userId: string;
  bookKey: BookKey;
  carried: number;
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
  const sights = await findSights(core, tenantId, questions);
  const { coupons, books, usage, now, left } = await look(core.pool, tenantId, sights);
  // Customers are not told that a code is void, and so nothing is looked up for that.
  const bare = sights
    .flatMap(({ question, location }) => (location === null || question.caller.customerId !== null ? [] : [location]))
    .filter((location) => !coupons.has(placeMapKey(location)));
  const voidPlaces = await findVoidPlaces(core.pool, tenantId, bare);
  const validityOf = openValidity(now);
  return sights.map(({ question, location, publicCode, newcomer }) => {
    if (newcomer !== null) {
      const { bookKey, userId, carried } = newcomer;
      const book = books.get(bookKey)!;
      const coupon = newCoupon(undrawn, book, { holderId: null, userId }, now, validityOf(book));
      const standing = standingOf(coupon, { books, usage, now }, () => false);
      return { coupon, standing: { ...standing, holderRedemptions: carried }, leftToDeal: left.get(bookKey) ?? 0 };
    }
    const { caller } = question;
    if (publicCode !== null && whose(question) === null) return new CouponError(publicCodeRefusal(publicCode.code));
    const coupon = location === null ? undefined : coupons.get(placeMapKey(location));
    const missing = missingCoupon(caller, coupon, isVoid(voidPlaces, location));
    if (missing !== null) return new CouponError(publicCode === null ? missing : ofPublicCode(missing));
    const isLockToken = (token: string) => core.lockTokens.isTokenOf(tenantId, coupon!, token);
    return { coupon: coupon!, standing: standingOf(coupon!, { books, usage, now }, isLockToken), leftToDeal: null };
  });
}

/** The user whose coupon a public code means. */
function whose({ caller, userId }: CouponQuestion): string | null {
  return userId ?? caller.customerId;
}

async function findSights(core: LocateCore, tenantId: number, questions: CouponQuestion[]): Promise<Sight[]> {
  const always = questions.some(({ caller }) => caller.customerId !== null);
  const codes = questions.map(({ code }) => code);
  const located = await locateCodes(core, tenantId, codes, { always });
  const owners = questions.map((question, index) => ownerOf(question, located[index] ?? null));
  const own = await findOwnCoupons(
    core.pool,
    tenantId,
    owners.flatMap((owner) => owner ?? []),
  );
  return questions.map((question, index) => {
    const found = located[index] ?? null;
    const missing = question.caller.customerId === null ? null : nowhere;
    if (!isPublic(found)) return { question, location: found ?? missing, publicCode: null, newcomer: null };
    const owner = owners[index] ?? null;
    const { location = null, carried = 0 } = (owner && own.get(holderMapKey(owner.bookKey, owner.userId))) ?? {};
    // Whoever only reads has no coupon until it is dealt.
    const isNew = owner !== null && location === null && question.userId !== null;
    const newcomer = isNew ? { ...owner, carried } : null;
    return { question, location: location ?? (isNew ? null : missing), publicCode: found, newcomer };
  });
}

function ownerOf(question: CouponQuestion, found: Located | null): { bookKey: BookKey; userId: string } | null {
  const userId = whose(question);
  return isPublic(found) && userId !== null ? { bookKey: found.publicBook, userId } : null;
}

/** Sends every statement at once over one connection. */
function look(pool: pg.Pool, tenantId: number, sights: Sight[]) {
  const found = sights.flatMap(({ location }) => location ?? []);
  const dealtFrom = [...new Set(sights.flatMap(({ newcomer }) => newcomer?.bookKey ?? []))];
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
