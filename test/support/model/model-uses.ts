import type { By, CallOf, Reply } from './calls.ts';
import { drawnCode, isAtCodeLimit, makeCoupon, newCoupon } from './model-deals.ts';
import {
  type Check,
  codesLeft,
  countsOf,
  expiryOf,
  firstOf,
  fresh,
  type ModelBook,
  type ModelCoupon,
  type ModelState,
  moment,
  ownCoupon,
  publicBookOf,
  type Seen,
  userOf,
  view,
} from './model-state.ts';

/** A coupon, with the book that it is of. */
export interface Found {
  code: string;
  coupon: ModelCoupon;
  book: ModelBook;
  index: number;
}

/** A user without a coupon, who brought a public code: the coupon that would be dealt, which is not there yet. */
export interface Newcomer {
  isNew: true;
  coupon: ModelCoupon;
  book: ModelBook;
  index: number;
}

/** The coupon that a caller means by a code, or why there is none for this caller. */
export function find(
  state: ModelState,
  { code, userId, by }: { code: string; userId: string; by: By },
  given: Reply,
): Found | Newcomer | { refused: string } {
  const publicBook = publicBookOf(state, code);
  if (publicBook !== null) return findOwn(state, publicBook, { userId, by }, given);
  const known = state.codes[code];
  const coupon = known?.coupon ?? null;
  const isHidden = coupon === null || coupon.voided || userOf(state, coupon.holder) !== userId;
  if (by === 'customer' && isHidden) return { refused: 'coupon-not-found' };
  if (coupon === null) return { refused: known?.state === 'void' ? 'coupon-void' : 'coupon-not-found' };
  return { code, coupon, book: state.books[known!.book]!, index: known!.book };
}

function findOwn(
  state: ModelState,
  index: number,
  { userId, by }: { userId: string; by: By },
  given: Reply,
): Found | Newcomer | { refused: string } {
  const book = state.books[index]!;
  const { rev, code } = 'refused' in given ? { rev: given.rev, code: undefined } : given.body;
  const isMeant = (own: string, coupon: ModelCoupon) => coupon.rev === rev && (code === undefined || code === own);
  const own = ownCoupon(state, index, userId, isMeant);
  if (own === null) return { isNew: true, coupon: newCoupon(state, index, userId, null), book, index };
  if (own.coupon.voided && by === 'customer') return { refused: 'coupon-not-found' };
  return { ...own, book, index };
}

function ownChecks(state: ModelState, { voided, holder }: ModelCoupon, asked: string): Check[] {
  return [
    ['coupon-void', voided],
    ['held-by-another-user', userOf(state, holder) !== asked],
  ];
}

function lockChecks({ lockedUntil, tokens }: ModelCoupon, lockToken: string | null): Check[] {
  return [
    ['code-locked', lockedUntil !== null && lockToken !== tokens.at(-1)],
    ['lock-expired', lockedUntil === null && lockToken !== null],
  ];
}

/**
 * Why a redeem would be refused now. A lock is refused for the same reasons, except that it wants no lock before it.
 */
export function redeemChecks(
  state: ModelState,
  { coupon, book, index }: Pick<Found, 'coupon' | 'book' | 'index'>,
  { userId, lockToken, op }: { userId: string; lockToken: string | null; op: string },
): Check[] {
  const { status, window, requireLock, maxRedemptions, maxRedemptionsPerUser } = book;
  const ofHolder = Object.values(state.redemptions).filter(
    ({ holder, reversed }) => holder === coupon.holder && !reversed,
  ).length;
  return [
    ...ownChecks(state, coupon, userId),
    ['book-not-active', status !== 'active'],
    ['book-outside-window', window === 'past' || window === 'future'],
    ['coupon-expired', coupon.age === 'over'],
    ...lockChecks(coupon, lockToken),
    ['lock-required', op !== 'lock' && requireLock && lockToken === null],
    ['code-already-redeemed', coupon.maxRedemptions !== null && coupon.redemptions >= coupon.maxRedemptions],
    ['redemption-limit-reached', maxRedemptions !== null && countsOf(state, index).redemptions >= maxRedemptions],
    ['user-limit-reached', maxRedemptionsPerUser !== null && ofHolder >= maxRedemptionsPerUser],
  ];
}

/** What a redeem or a lock acts on: the caller's coupon, dealt at this moment where a public code says so. */
function use(state: ModelState, call: CallOf<'lock'> | CallOf<'redeem'>, given: Reply): Found | Reply {
  const found = find(state, call, given);
  if ('refused' in found) return found;
  if (!('isNew' in found)) return firstOf(redeemChecks(state, found, call), found.coupon.rev) ?? found;
  const { index, book } = found;
  const left: Check = ['no-codes-left', codesLeft(state, index).length === 0];
  const refused = firstOf([...redeemChecks(state, found, call), left]);
  if (refused !== null) return refused;
  const seen = 'body' in given ? given.body : {};
  const code = drawnCode(state, index, seen);
  if (code === null) return { refused: `nothing: one of ${codesLeft(state, index).join(', ')} was to be dealt` };
  makeCoupon(state, code, call.userId, seen);
  return { code, coupon: state.codes[code]!.coupon!, book, index };
}

function change(state: ModelState, { code, coupon }: Pick<Found, 'code' | 'coupon'>, kind: string, fields: object) {
  Object.assign(coupon, fields, { rev: coupon.rev + 1 });
  coupon.events.push({ kind, holder: coupon.holder });
  return view(state, code);
}

/** Locks a coupon, or renews the lock whose token is given. */
export function lock(state: ModelState, call: CallOf<'lock'>, given: Reply): Reply {
  const found = use(state, call, given);
  if (!('coupon' in found)) return found;
  const seen = 'body' in given ? given.body : {};
  const { coupon, book } = found;
  const renewal = call.lockToken !== null;
  const lockedUntil = lockEnd(moment(seen.lockedUntil), call.ttlSeconds, coupon, expiryOf(book, coupon));
  const tokens = renewal ? coupon.tokens : [...coupon.tokens, grantedToken(coupon, seen.lockToken)];
  const body = change(state, found, renewal ? 'lock-renewed' : 'locked', { tokens, lockedUntil });
  return fresh({ ...body, lockToken: tokens.at(-1) });
}

/** Never after the coupon's end; and at its end, where the coupon is old and the lock was to last longer. */
function lockEnd(seen: string, ttlSeconds: number | null, { age }: ModelCoupon, expiry: string | null): string {
  if (expiry === null) return seen;
  const isCut = age === 'old' && ttlSeconds !== null;
  return seen > expiry || isCut ? expiry : seen;
}

/** The token of a new grant: the grant's number, then digits that nobody can tell before. */
function grantedToken({ tokens }: ModelCoupon, seen: unknown): string {
  const number = tokens.length + 1;
  const isPossible = typeof seen === 'string' && new RegExp(`^${number}\\d{10}$`).test(seen);
  return isPossible ? seen : `${number} and ten digits`;
}

/** Lets a lock go by its token. */
export function unlock(state: ModelState, call: CallOf<'unlock'>, given: Reply): Reply {
  const found = find(state, call, given);
  if ('refused' in found) return found;
  if ('isNew' in found) return { refused: 'lock-expired' };
  const { coupon } = found;
  const checks = [...ownChecks(state, coupon, call.userId), ...lockChecks(coupon, call.lockToken)];
  return firstOf(checks, coupon.rev) ?? fresh(change(state, found, 'unlocked', { lockedUntil: null }));
}

/** Ends a lock whosever it is: an operator's. */
export function forceUnlock(state: ModelState, { code }: CallOf<'forceUnlock'>, given: Reply): Reply {
  const found = findByCode(state, code, given);
  if ('refused' in found) return found;
  const { coupon } = found;
  const checks: Check[] = [
    ['coupon-void', coupon.voided],
    ['lock-expired', coupon.lockedUntil === null],
  ];
  return firstOf(checks, coupon.rev) ?? fresh(change(state, found, 'unlocked', { lockedUntil: null }));
}

/** For those who name a coupon and no user: a public code names none. */
function findByCode(state: ModelState, code: string, given: Reply): Found | { refused: string } {
  if (publicBookOf(state, code) !== null) return { refused: 'conflict' };
  return find(state, { code, userId: '', by: 'admin' }, given) as Found | { refused: string };
}

/** Redeems once, which ends the lock. */
export function redeem(state: ModelState, call: CallOf<'redeem'>, given: Reply): Reply {
  const found = use(state, call, given);
  if (!('coupon' in found)) return found;
  const { code, coupon } = found;
  const redemptions = coupon.redemptions + 1;
  const seq = coupon.lastSeq + 1;
  const body = change(state, found, 'redeemed', { redemptions, lastSeq: seq, lockedUntil: null });
  const seen = ('body' in given ? (given.body.redemption ?? {}) : {}) as Seen;
  const isNew = state.redemptions[String(seen.id)] === undefined;
  const id = isNew ? String(seen.id) : 'a new id';
  const { reference } = call;
  const at = moment(seen.at);
  state.redemptions[id] = { code, holder: coupon.holder!, seq, at, reference, reversed: false };
  return fresh({ ...body, redemption: { id, seq, at, reference } });
}

/** Gives a redemption back, to whoever made it. */
export function reverse(state: ModelState, { redemptionId }: CallOf<'reverse'>): Reply {
  const redemption = state.redemptions[redemptionId];
  if (redemption === undefined) return { refused: 'redemption-not-found' };
  const { code } = redemption;
  const coupon = state.codes[code]!.coupon!;
  const checks: Check[] = [
    ['coupon-void', coupon.voided],
    ['conflict', redemption.reversed],
  ];
  const refused = firstOf(checks, coupon.rev);
  if (refused !== null) return refused;
  redemption.reversed = true;
  return fresh(change(state, { code, coupon }, 'reversed', { redemptions: coupon.redemptions - 1 }));
}

/** Voids a code, whoever has it. */
export function voidCode(state: ModelState, { code }: CallOf<'void'>): Reply {
  if (publicBookOf(state, code) !== null) return { refused: 'conflict' };
  const known = state.codes[code];
  if (known === undefined) return { refused: 'coupon-not-found' };
  const { coupon } = known;
  const refused = firstOf([['coupon-void', known.state === 'void' || coupon?.voided === true]], coupon?.rev);
  if (refused !== null) return refused;
  if (coupon === null) return fresh(makeCoupon(state, code, null, {}));
  return fresh(change(state, { code, coupon }, 'voided', { voided: true, lockedUntil: null }));
}

/** Puts a coupon into another user's hands, where that user could be assigned it. */
export function transfer(state: ModelState, { code, userId }: CallOf<'transfer'>, given: Reply): Reply {
  const found = findByCode(state, code, given);
  if ('refused' in found) return found;
  const { coupon, book, index } = found;
  const checks: Check[] = [
    ['coupon-void', coupon.voided],
    ['code-already-assigned', userOf(state, coupon.holder) === userId],
    ['book-not-active', book.status !== 'active'],
    ['book-outside-window', book.window === 'past'],
    ['coupon-expired', coupon.age === 'over'],
    ['code-locked', coupon.lockedUntil !== null],
    ['code-already-redeemed', coupon.maxRedemptions !== null && coupon.redemptions >= coupon.maxRedemptions],
    ['user-limit-reached', isAtCodeLimit(state, index, userId)],
  ];
  const refused = firstOf(checks, coupon.rev);
  if (refused !== null) return refused;
  const { holder } = newCoupon(state, index, userId, null);
  return fresh(change(state, found, 'transferred', { holder, lockedUntil: null }));
}
