import { Readable } from 'node:stream';
import type { Caller } from '../../../core/caller.ts';
import type { Core } from '../../../core/core.ts';
import { voidDeck } from '../../../core/decks/void-deck.ts';
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
  listRedemptions,
  listUserCoupons,
  lockCoupon,
  readBook,
  readCoupon,
  redeemCoupon,
  reverseRedemption,
  transferCoupon,
  unlockCoupon,
  validateCoupon,
  voidCoupon,
} from '../../../core/index.ts';
import type { Page } from '../../../core/paging.ts';
import { uploadCodes } from '../../../core/uploads/upload-codes.ts';
import { codesOfDeck } from '../coupon-model-codes.ts';
import { keyed } from '../keyed.ts';
import { patiently } from '../patiently.ts';

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
  validForDays?: number | null;
  timeZone?: string;
  requireLock?: boolean;
  selfService?: boolean;
}

/** Whose token comes with a call: an administrator's, or the customer's own who is its userId. */
export type By = 'admin' | 'customer';

/** A request that names a coupon, as it is typed where that is not how the code is kept. */
interface OfCode {
  code: string;
  typed?: string | null;
}

/** A request that changes something, under its idempotency key. */
interface Keyed {
  key: string | null;
}

interface OfUser {
  userId: string;
  by: By;
}

/** One call of an operation with everything that it says; books are named by their place in the model. */
export type Call =
  | { op: 'patch'; book: number; changes: BookChanges }
  | { op: 'generate'; book: number; count: number; pattern: string }
  | { op: 'upload'; book: number; codes: string[] }
  | { op: 'voidDeck'; book: number; deckId: string }
  | { op: 'erase'; userId: string }
  | ({ op: 'draw'; book: number } & OfUser & Keyed)
  | ({ op: 'drawBatch'; book: number; userIds: string[] } & Keyed)
  | ({ op: 'take'; userId: string } & OfCode & Keyed)
  | ({ op: 'void'; reason: string | null } & OfCode & Keyed)
  | ({ op: 'transfer'; userId: string; reason: string | null } & OfCode & Keyed)
  | ({ op: 'reverse'; redemptionId: string } & Keyed)
  | ({ op: 'lock'; ttlSeconds: number | null; lockToken: string | null } & OfCode & OfUser & Keyed)
  | ({ op: 'unlock'; lockToken: string } & OfCode & OfUser & Keyed)
  | ({ op: 'forceUnlock'; reason: string | null } & OfCode & Keyed)
  | ({ op: 'redeem'; lockToken: string | null; reference: string | null } & OfCode & OfUser & Keyed)
  | ({ op: 'validate' } & OfCode & OfUser)
  | ({ op: 'read' } & OfCode & OfUser)
  | { op: 'events'; code: string }
  | ({ op: 'list' } & OfUser)
  | {
      op: 'redemptions';
      book: number | null;
      userId: string | null;
      code: string | null;
      reference: string | null;
      limit: number;
    }
  | { op: 'count'; book: number }
  | { op: 'age'; to: Age };

/** How time passes: every lock runs out, or coupons with a time of their own come near its end, or pass it. */
export type Age = 'unlocked' | 'old' | 'over';

/** The calls of one operation. */
export type CallOf<Op extends Call['op']> = Call & { op: Op };

/** What a call answered. */
export type Reply =
  | { refused: string; rev?: number | undefined }
  | {
      body: Record<string, unknown>;
      replayed: boolean;
      /** The codes of a deck that the call made. */
      codes?: string[];
    };

/** A tenant of the database with the public ids of the books, which the model numbers. */
export interface World {
  tenantId: number;
  books: string[];
}

/**
 * Makes the call on a core and returns its answer; a refusal is an answer, anything else that is thrown is thrown on.
 * What a busy machine turned away is asked again: that it has no time is nothing that a model knows.
 */
export async function makeCall(core: Core, world: World, call: Call): Promise<Reply> {
  try {
    return await patiently(() => send(core, world, call));
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
      return outcomeOf(await voidDeck(core, admin, world.books[call.book]!, call.deckId, {}, null));
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
      return outcomeOf(await assignCode(core, admin, typed(call), input, named(`coupons/${call.code}/assign`, input)));
    }
    case 'void': {
      const input = given({ reason: call.reason });
      return outcomeOf(await voidCoupon(core, admin, typed(call), input, named(`coupons/${call.code}/void`, input)));
    }
    case 'transfer': {
      const input = { userId: call.userId, ...given({ reason: call.reason }) };
      const request = named(`coupons/${call.code}/transfer`, input);
      return outcomeOf(await transferCoupon(core, admin, typed(call), input, request));
    }
    case 'reverse': {
      const { redemptionId } = call;
      const path = `redemptions/${redemptionId}/reverse`;
      return outcomeOf(await reverseRedemption(core, admin, redemptionId, {}, named(path, {})));
    }
    case 'lock': {
      const { code, userId, ttlSeconds, lockToken } = call;
      const input = { userId, ...given({ ttlSeconds }), ...given({ lockToken }) };
      const request = named(`coupons/${code}/lock`, input);
      return outcomeOf(await lockCoupon(core, callerOf(call), typed(call), input, request));
    }
    case 'unlock': {
      const { code, userId, lockToken } = call;
      const input = { userId, lockToken };
      const request = named(`coupons/${code}/unlock`, input);
      return outcomeOf(await unlockCoupon(core, callerOf(call), typed(call), input, request));
    }
    case 'forceUnlock': {
      const input = { force: true, ...given({ reason: call.reason }) };
      return outcomeOf(
        await unlockCoupon(core, admin, typed(call), input, named(`coupons/${call.code}/unlock`, input)),
      );
    }
    case 'redeem': {
      const { code, userId, lockToken, reference } = call;
      const input = { userId, ...given({ lockToken }), ...given({ reference }) };
      const request = named(`coupons/${code}/redeem`, input);
      return outcomeOf(await redeemCoupon(core, callerOf(call), typed(call), input, request));
    }
    case 'validate':
      return fresh(await validateCoupon(core, callerOf(call), typed(call), { userId: call.userId }));
    case 'read':
      return fresh(await readCoupon(core, callerOf(call), typed(call)));
    case 'events': {
      const { data } = await listCouponEvents(core, admin, call.code);
      return fresh({ data: data.map(({ rev, kind, userId }) => ({ rev, kind, userId })) });
    }
    case 'list': {
      const { data, nextCursor } = await listUserCoupons(core, callerOf(call), call.userId);
      return fresh({ data: data.sort((a, b) => (a.code < b.code ? -1 : 1)), nextCursor });
    }
    case 'redemptions':
      return fresh(await listAllRedemptions(core, admin, world, call));
    case 'count':
      return fresh((await readBook(core, admin, world.books[call.book]!)).counts);
    case 'age':
      return fresh({ coupons: await passTime(core, world.tenantId, call.to) });
  }
}

function typed({ code, typed }: OfCode): string {
  return typed ?? code;
}

/** Reads the list to its end, and says how long each page was. */
async function listAllRedemptions(core: Core, admin: Caller, world: World, call: CallOf<'redemptions'>) {
  const { book, userId, code, reference, limit } = call;
  const filters = { bookId: book === null ? null : world.books[book]!, userId, code, reference, limit };
  const data: object[] = [];
  const sizes: number[] = [];
  for (let cursor: string | null = null; cursor !== null || sizes.length === 0; ) {
    const page: Page<object> = await listRedemptions(core, admin, { ...filters, cursor });
    data.push(...page.data);
    sizes.push(page.data.length);
    cursor = page.nextCursor;
  }
  return { data, sizes };
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

/** Which coupons time passes for, when their locks run out at the latest, and when they do themselves. */
const passing: Record<Age, { coupons: string; locksEnd: string; validUntil: string }> = {
  unlocked: { coupons: 'lock_expires_at > now.at', locksEnd: 'now.at', validUntil: 'valid_until' },
  old: {
    coupons: 'valid_until > now.at',
    locksEnd: `least(valid_until, now.at + interval '10 minutes')`,
    validUntil: `least(valid_until, now.at + interval '10 minutes')`,
  },
  over: { coupons: 'valid_until > now.at', locksEnd: 'now.at', validUntil: 'now.at' },
};

/**
 * Lets time pass for coupons of the tenant by setting their times back, with the events in which these stand. A lock's
 * end is marked as locks with an unguessable token are.
 */
async function passTime(core: Core, tenantId: number, age: Age) {
  const { coupons, locksEnd, validUntil } = passing[age];
  // Everything that happened before is over by then, to the millisecond.
  await core.pool.query('select pg_sleep(0.002)');
  const { rows } = await core.pool.query<{ code: string; lockedUntil: Date; validUntil: Date | null }>(
    `with now as materialized (select date_trunc('milliseconds', clock_timestamp()) as at),
      passed as (
        update coupons c set valid_until = ${validUntil}, lock_expires_at = case
            when lock_expires_at > ${locksEnd} then ${locksEnd} + interval '1 microsecond' else lock_expires_at end
        from now where tenant_id = $1 and ${coupons}
        returning c.deck_id, c.pos, c.code, c.valid_until, ${locksEnd} as locks_end),
      written as (
        update events e set lock_expires_at = passed.locks_end + interval '1 microsecond' from passed
        where e.tenant_id = $1 and (e.deck_id, e.pos) = (passed.deck_id, passed.pos)
          and e.lock_expires_at > passed.locks_end)
      select code, locks_end as "lockedUntil", valid_until as "validUntil" from passed`,
    [tenantId],
  );
  return rows.map(({ code, lockedUntil, validUntil }) => {
    return { code, lockedUntil: lockedUntil.toISOString(), validUntil: validUntil?.toISOString() ?? null };
  });
}
