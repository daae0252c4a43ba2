import type { CallOf, Reply } from './calls.ts';
import {
  codesLeft,
  firstOf,
  fresh,
  type ModelState,
  moment,
  publicBookOf,
  type Seen,
  userOf,
  view,
} from './model-state.ts';
import { find, redeemChecks } from './model-uses.ts';

/** What a redeem would say, and nothing is changed by it: nothing is dealt either. */
export function validate(state: ModelState, call: CallOf<'validate'>, given: Reply): Reply {
  const found = find(state, call, given);
  if ('refused' in found) return found;
  const checks = redeemChecks(state, found, { ...call, lockToken: null });
  const isNew = 'isNew' in found;
  if (isNew) checks.push(['no-codes-left', codesLeft(state, found.index).length === 0]);
  const reason = firstOf(checks)?.refused ?? null;
  const { publicCode } = found.book;
  return fresh({
    redeemable: reason === null,
    ...(reason === null ? {} : { reason }),
    ...(publicCode === null || isNew ? {} : { code: found.code }),
    ...(publicCode === null ? {} : { publicCode }),
    rev: isNew ? 0 : found.coupon.rev,
  });
}

/** A coupon. A public code names none, but to a customer, who means its own. */
export function read(state: ModelState, call: CallOf<'read'>, given: Reply): Reply {
  const isPublic = publicBookOf(state, call.code) !== null;
  if (isPublic && call.by !== 'customer') return { refused: 'conflict' };
  const found = find(state, call, given);
  if ('refused' in found) return found;
  return 'isNew' in found ? { refused: 'coupon-not-found' } : fresh(view(state, found.code));
}

/** What happened to a coupon, and who had it then. */
export function events(state: ModelState, code: string): Reply {
  if (publicBookOf(state, code) !== null) return { refused: 'conflict' };
  const coupon = state.codes[code]?.coupon ?? null;
  if (coupon === null) return { refused: state.codes[code]?.state === 'void' ? 'coupon-void' : 'coupon-not-found' };
  const data = coupon.events.map(({ kind, holder }, index) => ({
    rev: index + 1,
    kind,
    userId: userOf(state, holder),
  }));
  return fresh({ data });
}

/** A user's coupons, by their codes; a customer's void ones do not exist for it. */
export function list(state: ModelState, { userId, by }: CallOf<'list'>): Reply {
  const codes = Object.entries(state.codes)
    .filter(([, { coupon }]) => coupon !== null && userOf(state, coupon.holder) === userId)
    .filter(([, { coupon }]) => by === 'admin' || !coupon!.voided)
    .map(([code]) => code)
    .sort();
  return fresh({ data: codes.map((code) => view(state, code)), nextCursor: null });
}

/** The redemptions that pass every filter, newest first, in pages that are full but for the last. */
export function redemptions(state: ModelState, call: CallOf<'redemptions'>, seen: Seen): Reply {
  const { book, userId, code, reference, limit } = call;
  const publicBook = code === null ? null : publicBookOf(state, code);
  const found = Object.entries(state.redemptions)
    .map(([id, redemption]) => ({ id, ...redemption, index: state.codes[redemption.code]!.book }))
    .filter(({ index }) => book === null || index === book)
    .filter(({ holder }) => userId === null || userOf(state, holder) === userId)
    .filter((one) => code === null || (publicBook === null ? one.code === code : one.index === publicBook))
    .filter((one) => reference === null || one.reference === reference)
    .sort((a, b) => (a.id < b.id ? 1 : -1));
  const shown = (seen.data ?? []) as { reversedAt: unknown }[];
  const data = found.map(({ id, code, index, holder, seq, at, reference, reversed }, place) => ({
    id,
    code,
    bookId: state.bookIds[index],
    userId: userOf(state, holder),
    seq,
    at,
    reference,
    metadata: null,
    reversedAt: reversed ? moment(shown[place]?.reversedAt) : null,
  }));
  const pages = Math.max(1, Math.ceil(data.length / limit));
  const sizes = Array.from({ length: pages }, (_, page) => Math.min(limit, data.length - page * limit));
  return fresh({ data, sizes });
}

/**
 * Time passes: locks run out, and coupons with a time of their own come near its end or pass it. It is the database's
 * clock that decides, so the moments are taken from what was done there. A replay of a request in whose answer such a
 * lock stands shows when the lock ended.
 */
export function age(state: ModelState, { to }: CallOf<'age'>, seen: Seen): Reply {
  const done = (seen.coupons ?? []) as { code: string; lockedUntil: unknown; validUntil: unknown }[];
  const isMeant = (code: string) => {
    const { validUntil = null, lockedUntil = null, age = 'young' } = state.codes[code]?.coupon ?? {};
    return to === 'unlocked' ? lockedUntil !== null : validUntil !== null && age !== 'over';
  };
  const meant = Object.keys(state.codes).filter(isMeant);
  const order = (code: string) => done.findIndex((one) => one.code === code);
  const coupons = meant
    .sort((a, b) => order(a) - order(b))
    .map((code) => {
      const row = done.find((one) => one.code === code);
      const end = moment(row?.lockedUntil);
      const coupon = state.codes[code]!.coupon!;
      if (to !== 'unlocked') Object.assign(coupon, { age: to, validUntil: moment(row?.validUntil) });
      if (to !== 'old') coupon.lockedUntil = null;
      else if (coupon.lockedUntil !== null && coupon.lockedUntil > end) coupon.lockedUntil = end;
      for (const known of Object.values(state.keys)) shorten(known.body, code, end);
      return { code, lockedUntil: end, validUntil: to === 'unlocked' ? (row?.validUntil ?? null) : coupon.validUntil };
    });
  return fresh({ coupons });
}

function shorten(body: Record<string, unknown>, code: string, end: string): void {
  if (body.code === code && typeof body.lockedUntil === 'string' && body.lockedUntil > end) body.lockedUntil = end;
}
