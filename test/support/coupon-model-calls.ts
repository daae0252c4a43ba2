import { Readable } from 'node:stream';
import type { Caller } from '../../core/caller.ts';
import type { Core } from '../../core/core.ts';
import { voidDeck } from '../../core/decks/void-deck.ts';
import {
  assignBatch,
  assignCode,
  assignCoupon,
  CouponError,
  changeBook,
  eraseUser,
  generateCodes,
  type KeyedRequest,
  listCouponEvents,
  listUserCoupons,
  lockCoupon,
  readBook,
  readCoupon,
  redeemCoupon,
  reverseRedemption,
  unlockCoupon,
  validateCoupon,
  voidCoupon,
} from '../../core/index.ts';
import { uploadCodes } from '../../core/uploads/upload-codes.ts';
import { codesOfDeck } from './coupon-model-codes.ts';
import { keyed } from './keyed.ts';

/** Where a book's window lies; the times themselves are so far off that no clock matters. */
export type Window = 'open' | 'bounded' | 'future' | 'past';

/** The times of each window. */
export const windows: Record<Window, { startsAt: string | null; endsAt: string | null }> = {
  open: { startsAt: null, endsAt: null },
  bounded: { startsAt: '2001-01-01T00:00:00.000Z', endsAt: '2999-01-01T00:00:00.000Z' },
  future: { startsAt: '2998-01-01T00:00:00.000Z', endsAt: '2999-01-01T00:00:00.000Z' },
  past: { startsAt: '2000-01-01T00:00:00.000Z', endsAt: '2001-01-01T00:00:00.000Z' },
};

/** What a call may change of a book. */
export interface BookChanges {
  status?: 'active' | 'paused' | 'closed';
  window?: Window;
  maxCodesPerUser?: number | null;
  maxRedemptionsPerCode?: number | null;
  maxRedemptionsPerUser?: number | null;
  maxRedemptions?: number | null;
  requireLock?: boolean;
  selfService?: boolean;
}

/** Whose token comes with a call: an administrator's, or the customer's own who is its userId. */
export type By = 'admin' | 'customer';

/** One call of an operation with everything that it says; books are named by their place in the model. */
export type Call =
  | { op: 'patch'; book: number; changes: BookChanges }
  | { op: 'generate'; book: number; count: number; pattern: string }
  | { op: 'upload'; book: number; codes: string[] }
  | { op: 'voidDeck'; book: number; deckId: string }
  | { op: 'erase'; userId: string }
  | { op: 'draw'; book: number; userId: string; by: By; key: string | null }
  | { op: 'drawBatch'; book: number; userIds: string[]; key: string | null }
  | { op: 'take'; code: string; userId: string; key: string | null }
  | { op: 'void'; code: string; reason: string | null; key: string | null }
  | { op: 'reverse'; redemptionId: string; key: string | null }
  | {
      op: 'lock';
      code: string;
      userId: string;
      by: By;
      ttlSeconds: number | null;
      lockToken: string | null;
      key: string | null;
    }
  | { op: 'unlock'; code: string; userId: string; by: By; lockToken: string; key: string | null }
  | {
      op: 'redeem';
      code: string;
      userId: string;
      by: By;
      lockToken: string | null;
      reference: string | null;
      key: string | null;
    }
  | { op: 'validate'; code: string; userId: string; by: By }
  | { op: 'read'; code: string; userId: string; by: By }
  | { op: 'events'; code: string }
  | { op: 'list'; userId: string; by: By }
  | { op: 'count'; book: number }
  | { op: 'expireLocks' };

/** What a call answered. */
export type Reply =
  | { refused: string; rev?: number | undefined }
  | {
      body: Record<string, unknown>;
      replayed: boolean /** The codes of a deck that the call made. */;
      codes?: string[];
    };

/** A tenant of the database with the public ids of the books, which the model numbers. */
export interface World {
  tenantId: number;
  books: string[];
}

/**
 * Makes the call on a core and returns its answer; a refusal is an answer, anything else that is thrown is thrown on.
 */
export async function makeCall(core: Core, world: World, call: Call): Promise<Reply> {
  try {
    return await send(core, world, call);
  } catch (error) {
    if (!(error instanceof CouponError)) throw error;
    const { kind, rev } = error.refusal;
    return rev === undefined ? { refused: kind } : { refused: kind, rev };
  }
}

async function send(core: Core, world: World, call: Call): Promise<Reply> {
  const admin: Caller = { tenantId: world.tenantId, role: 'admin', actor: 'root', customerId: null };
  const callerOf = ({ by, userId }: { by: By; userId: string }): Caller =>
    by === 'admin' ? admin : { tenantId: world.tenantId, role: 'customer', actor: 'customer', customerId: userId };
  const named = (path: string, body: object): KeyedRequest | null => {
    if (!('key' in call) || call.key === null) return null;
    return keyed(call.key, path, body, 'by' in call ? callerOf(call) : admin);
  };
  const fresh = (body: object): Reply => ({ body: { ...body }, replayed: false });
  switch (call.op) {
    case 'patch': {
      const { window, ...changes } = call.changes;
      const input = window === undefined ? changes : { ...changes, ...windows[window] };
      return fresh(await changeBook(core, admin, world.books[call.book]!, input, null));
    }
    case 'generate': {
      const input = { count: call.count, pattern: call.pattern };
      const { body } = await generateCodes(core, admin, world.books[call.book]!, input, null);
      return { ...fresh(body), codes: await codesOfDeck(core, world.tenantId, body.deckId) };
    }
    case 'upload': {
      const body = Readable.from([JSON.stringify({ codes: call.codes })]);
      const upload = { format: 'json' as const, body };
      const outcome = await uploadCodes(core, admin, world.books[call.book]!, upload, null);
      const { deckId, accepted, rejected, duplicates } = outcome.body;
      return fresh({ deckId, accepted, rejected, duplicates });
    }
    case 'voidDeck':
      return outcomeOf(await voidDeck(core, admin, world.books[call.book]!, call.deckId, null));
    case 'erase':
      await eraseUser(core, admin, call.userId);
      return fresh({});
    case 'draw': {
      const input = { bookId: world.books[call.book]!, userId: call.userId };
      return outcomeOf(await assignCoupon(core, callerOf(call), input, named('coupons/assign', input)));
    }
    case 'drawBatch': {
      const input = { bookId: world.books[call.book]!, userIds: call.userIds };
      return outcomeOf(await assignBatch(core, admin, input, named('coupons/assign-batch', input)));
    }
    case 'take': {
      const input = { userId: call.userId };
      return outcomeOf(await assignCode(core, admin, call.code, input, named(`coupons/${call.code}/assign`, input)));
    }
    case 'void': {
      const input = given({ reason: call.reason });
      return outcomeOf(await voidCoupon(core, admin, call.code, input, named(`coupons/${call.code}/void`, input)));
    }
    case 'reverse': {
      const { redemptionId } = call;
      const path = `redemptions/${redemptionId}/reverse`;
      return outcomeOf(await reverseRedemption(core, admin, redemptionId, {}, named(path, {})));
    }
    case 'lock': {
      const { code, userId, ttlSeconds, lockToken } = call;
      const input = { userId, ...given({ ttlSeconds }), ...given({ lockToken }) };
      return outcomeOf(await lockCoupon(core, callerOf(call), code, input, named(`coupons/${code}/lock`, input)));
    }
    case 'unlock': {
      const { code, userId, lockToken } = call;
      const input = { userId, lockToken };
      return outcomeOf(await unlockCoupon(core, callerOf(call), code, input, named(`coupons/${code}/unlock`, input)));
    }
    case 'redeem': {
      const { code, userId, lockToken, reference } = call;
      const input = { userId, ...given({ lockToken }), ...given({ reference }) };
      return outcomeOf(await redeemCoupon(core, callerOf(call), code, input, named(`coupons/${code}/redeem`, input)));
    }
    case 'validate':
      return fresh(await validateCoupon(core, callerOf(call), call.code, { userId: call.userId }));
    case 'read':
      return fresh(await readCoupon(core, callerOf(call), call.code));
    case 'events': {
      const { data } = await listCouponEvents(core, admin, call.code);
      return fresh({ data: data.map(({ rev, kind, userId }) => ({ rev, kind, userId })) });
    }
    case 'list': {
      const { data, nextCursor } = await listUserCoupons(core, callerOf(call), call.userId);
      return fresh({ data: data.sort((a, b) => (a.code < b.code ? -1 : 1)), nextCursor });
    }
    case 'count':
      return fresh((await readBook(core, admin, world.books[call.book]!)).counts);
    case 'expireLocks':
      return fresh({ expired: await expireLocks(core, world.tenantId) });
  }
}

function outcomeOf({ body, replayed }: { body: object; replayed: boolean }): Reply {
  return { body: { ...body }, replayed };
}

/** The fields that are not null. */
function given<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** Lets every lock of the tenant run out now, by setting it back with the event that it stands in. */
async function expireLocks(core: Core, tenantId: number) {
  const { rows } = await core.pool.query<{ code: string; rev: number; lockedUntil: Date }>(
    `with live as (
        update coupons set lock_expires_at = date_trunc('milliseconds', clock_timestamp())
        where tenant_id = $1 and lock_expires_at > clock_timestamp() returning *)
      update events e set lock_expires_at = live.lock_expires_at from live
      where (e.tenant_id, e.deck_id, e.pos, e.rev) = (live.tenant_id, live.deck_id, live.pos, live.rev)
      returning live.code, live.rev, live.lock_expires_at as "lockedUntil"`,
    [tenantId],
  );
  return rows.map(({ code, rev, lockedUntil }) => ({ code, rev, lockedUntil: lockedUntil.toISOString() }));
}
