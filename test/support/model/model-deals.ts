import type { CallOf, Reply } from './calls.ts';
import { endOfDays } from './end-of-days.ts';
import {
  type Check,
  codesLeft,
  couponsOf,
  firstOf,
  fresh,
  holderOf,
  type ModelBook,
  type ModelCoupon,
  type ModelState,
  moment,
  ownCoupon,
  publicBookOf,
  type Seen,
  view,
} from './model-state.ts';

function assignChecks({ status, window }: ModelBook): Check[] {
  return [
    ['book-not-active', status !== 'active'],
    ['book-outside-window', window === 'past'],
  ];
}

/** Whether a user has as many codes of a book as it allows. With a public code that is one, whatever else it says. */
export function isAtCodeLimit(state: ModelState, book: number, userId: string): boolean {
  const { maxCodesPerUser, publicCode } = state.books[book]!;
  const most = publicCode === null ? maxCodesPerUser : 1;
  if (most === null) return false;
  return couponsOf(state, holderOf(state, book, userId)).filter(({ coupon }) => !coupon.voided).length >= most;
}

/** Whether a caller may not draw a code at all: a customer draws for itself where the book lets it. */
export function forbidden(state: ModelState, { book, by }: CallOf<'draw'>): Reply | null {
  return by === 'customer' && !state.books[book]!.selfService ? { refused: 'forbidden' } : null;
}

/** Assigns one of the codes that are left. */
export function draw(state: ModelState, { book, userId }: { book: number; userId: string }, seen: Seen): Reply {
  const refused = firstOf([
    ...assignChecks(state.books[book]!),
    ['user-limit-reached', isAtCodeLimit(state, book, userId)],
    ['no-codes-left', codesLeft(state, book).length === 0],
  ]);
  if (refused !== null) return refused;
  const drawn = drawnCode(state, book, seen);
  if (drawn === null) return { refused: `nothing: one of ${codesLeft(state, book).join(', ')} was to come` };
  return fresh(makeCoupon(state, drawn, userId, seen));
}

/** The code that was drawn, if it is one of those left. */
export function drawnCode(state: ModelState, book: number, seen: Seen): string | null {
  return codesLeft(state, book).find((code) => code === seen.code) ?? null;
}

/** Assigns one code to each user, each on what those before it left. */
export function drawBatch(state: ModelState, call: CallOf<'drawBatch'>, seen: Seen): Reply {
  const results = Array.isArray(seen.results) ? (seen.results as Record<string, unknown>[]) : [];
  const expected = call.userIds.map((userId, index) => {
    const result = results[index] ?? {};
    const reply = draw(state, { book: call.book, userId }, result);
    if ('body' in reply) return reply.body;
    const refusal = result.refusal as Record<string, unknown> | undefined;
    return { refusal: { ...refusal, kind: reply.refused } };
  });
  return fresh({ results: expected });
}

/** Assigns the code that is named; by a public code, a random one to a user who has none. */
export function take(state: ModelState, { code, userId }: CallOf<'take'>, given: Reply): Reply {
  const seen = 'body' in given ? given.body : {};
  const publicBook = publicBookOf(state, code);
  if (publicBook !== null) return takeOwn(state, publicBook, userId, given);
  const known = state.codes[code];
  if (known === undefined) return { refused: 'coupon-not-found' };
  const taken: Check[] = [
    ['coupon-void', known.state === 'void' || known.coupon?.voided === true],
    ['code-already-assigned', known.state === 'coupon'],
  ];
  const refused =
    firstOf(taken, known.coupon?.rev) ??
    firstOf([
      ...assignChecks(state.books[known.book]!),
      ['user-limit-reached', isAtCodeLimit(state, known.book, userId)],
    ]);
  return refused ?? fresh(makeCoupon(state, code, userId, seen));
}

function takeOwn(state: ModelState, book: number, userId: string, given: Reply): Reply {
  const rev = 'refused' in given ? given.rev : undefined;
  const own = ownCoupon(state, book, userId, (_code, coupon) => coupon.rev === rev);
  if (own !== null)
    return { refused: own.coupon.voided ? 'coupon-void' : 'code-already-assigned', rev: own.coupon.rev };
  return draw(state, { book, userId }, 'body' in given ? given.body : {});
}

/** A coupon as it is made for a user; null: for nobody, voided at once. */
export function newCoupon(
  state: ModelState,
  index: number,
  userId: string | null,
  assignedAt: string | null,
): ModelCoupon {
  const { maxRedemptionsPerCode, validForDays, timeZone } = state.books[index]!;
  const holder = userId === null ? null : holderOf(state, index, userId);
  return {
    holder,
    assignedAt,
    maxRedemptions: maxRedemptionsPerCode,
    validUntil: assignedAt === null || validForDays === null ? null : endOfDays(assignedAt, validForDays, timeZone),
    age: 'young',
    redemptions: 0,
    rev: 1,
    lastSeq: 0,
    tokens: [],
    lockedUntil: null,
    voided: userId === null,
    events: [{ kind: userId === null ? 'voided' : 'assigned', holder }],
  };
}

/** Makes a coupon of a code that is left. */
export function makeCoupon(
  state: ModelState,
  code: string,
  userId: string | null,
  seen: Seen,
): Record<string, unknown> {
  const known = state.codes[code]!;
  known.state = 'coupon';
  known.coupon = newCoupon(state, known.book, userId, userId === null ? null : moment(seen.assignedAt));
  return view(state, code);
}
