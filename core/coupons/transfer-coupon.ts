import { closeBookGate } from '../books/book-gate.ts';
import { readBooksForDecision } from '../books/read-book-rules.ts';
import type { Caller, Outcome } from '../caller.ts';
import { type ColdCore, inColdTransaction } from '../db/cold-transaction.ts';
import { together } from '../db/together.ts';
import type { Transaction } from '../db/transaction.ts';
import { isPublic, type LocateCore, type Location, locateCodes, type PublicLocation } from '../decks/locate-codes.ts';
import { placeMapKey } from '../decks/place.ts';
import { CouponError } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import type { TransferInput } from './coupon-inputs.ts';
import { carryRedemptions } from './engine/carried-redemptions.ts';
import { type Holder, holderMapKey, insertHolders, readHolders } from './engine/holders.ts';
import { openIdempotencyMemory } from './engine/idempotency-memory.ts';
import type { LockTokens } from './engine/lock-tokens.ts';
import { takeLock } from './engine/locks/lock-order.ts';
import { readClockAndKeys } from './engine/read-clock-and-keys.ts';
import { findVoidPlaces } from './engine/void-places.ts';
import { writeEvents } from './engine/write-events.ts';
import { decideTransfer } from './rules/coupon-rules.ts';
import { type Change, type CouponState, expiryOf } from './rules/coupon-state.ts';
import type { CouponView } from './rules/coupon-view.ts';
import { missingCoupon, publicCodeRefusal } from './rules/missing-coupon.ts';
import { answerOf, type RecordedChange, recordOf } from './rules/recorded-change.ts';

/** What a transfer works with. */
export interface TransferCore extends ColdCore, LocateCore {
  readonly lockTokens: LockTokens;
}

/** Who asks for which coupon to go to which user. */
interface TransferRequest {
  readonly userId: string;
  readonly reason: string | null;
  readonly caller: Caller;
  readonly keyed: KeyedRequest | null;
  /** Where the code stands, which never changes; null where there is no such code, and for a public one. */
  readonly location: Location | null;
  /** Where a public code was named, which is nobody's coupon in particular: its book; else null. */
  readonly publicLocation: PublicLocation | null;
}

/**
 * Puts a coupon into another user's hands: the giver's slot is free, and the receiver's is taken. What was redeemed of
 * it before still counts for whoever redeemed it.
 *
 * Who holds a coupon is relied on by everything inside the book's gate. So a transfer closes it, as a change of the
 * book does: it waits for the transactions that are inside and holds up later ones until it is committed. Beside it
 * nothing happens to coupons and holders of the book. Proved by "a redeem that began before its coupon changed hands"
 * in test/integration/transfer-coupon.test.ts.
 * @throws CouponError `coupon-not-found`, `coupon-void`, `code-already-assigned` (that user has it already),
 *   `book-not-active`, `book-outside-window` (the book has ended), `coupon-expired`, `code-locked`,
 *   `code-already-redeemed`, `user-limit-reached` (the receiver has as many codes as allowed), `conflict` (a public
 *   code), `idempotency-key-reused`, `unavailable`
 */
export async function transferCoupon(
  core: TransferCore,
  caller: Caller,
  code: string,
  { userId, reason }: TransferInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<CouponView>> {
  const { tenantId } = caller;
  const [located = null] = await locateCodes(core, tenantId, [code], { always: false });
  const [location, publicLocation] = isPublic(located) ? [null, located] : [located, null];
  const request = { caller, keyed, location, publicLocation, userId, reason: reason ?? null };
  const { recorded, replayed } = await inColdTransaction(core, tenantId, (tx) => transfer(tx, request));
  return { body: answerOf(recorded, (coupon) => core.lockTokens.tokenOf(tenantId, coupon)), replayed };
}

async function transfer(
  tx: Transaction,
  request: TransferRequest,
): Promise<{ recorded: RecordedChange; replayed: boolean }> {
  const { caller, keyed, location, userId } = request;
  const { tenantId, actor } = caller;
  if (location !== null) await closeBookGate(tx, tenantId, location.bookKey);
  const places = location === null ? [] : [location];
  const bookKeys = places.map(({ bookKey }) => bookKey);
  const [, coupons, books, holders, voidPlaces, { now, usedKeys }] = await together([
    takeLock.dealers(tx, tenantId, bookKeys),
    takeLock.coupons(tx, tenantId, places),
    readBooksForDecision(tx, tenantId, bookKeys),
    readHolders(
      tx,
      tenantId,
      places.map(({ bookKey }) => ({ bookKey, userId })),
    ),
    findVoidPlaces(tx, tenantId, places),
    readClockAndKeys(tx, tenantId, keyed === null ? [] : [keyed.keyHash]),
  ]);
  const memory = await openIdempotencyMemory<RecordedChange>(tx, tenantId, usedKeys);
  const remembered = memory.recall(keyed);
  if (remembered instanceof CouponError) throw remembered;
  if (remembered !== null) return { recorded: remembered, replayed: true };
  if (request.publicLocation !== null) throw new CouponError(publicCodeRefusal(request.publicLocation.code));

  const coupon = location === null ? undefined : coupons.get(placeMapKey(location));
  const missing = missingCoupon(caller, coupon, voidPlaces.size > 0);
  if (missing !== null) throw new CouponError(missing);
  const book = books.get(coupon!.bookKey)!;
  const receiver = holders.get(holderMapKey(book.bookKey, userId))!;
  const decision = decideTransfer(coupon!, { book, now }, { actor, receiver, reason: request.reason });
  if ('refusal' in decision) throw new CouponError(decision.refusal);
  const pending = { change: decision.change, expiresAt: expiryOf(coupon!, book.endsAt), keyed };
  write(tx, tenantId, coupon!, receiver, decision.change);
  writeEvents(tx, tenantId, now, [pending]);
  return { recorded: recordOf(pending, book, now), replayed: false };
}

/** The coupon's row, the receiver's if it is new, and what the giver leaves behind: a trace and its redemptions. */
function write(tx: Transaction, tenantId: number, before: CouponState, receiver: Holder, { next }: Change): void {
  if (receiver.isNew) insertHolders(tx, tenantId, [receiver]);
  tx.send({
    name: 'transfer-coupon',
    text: `update coupons set holder_id = $4, rev = $5, lock_expires_at = null
      where tenant_id = $1 and deck_id = $2 and pos = $3`,
    values: [tenantId, next.deckKey, next.pos, next.holderId, next.rev],
  });
  tx.send({
    name: 'note-former-holder',
    text: `insert into former_holders (tenant_id, deck_id, pos, holder_id) values ($1, $2, $3, $4) on conflict do nothing`,
    values: [tenantId, next.deckKey, next.pos, before.holderId],
  });
  const made = before.redemptions;
  carryRedemptions(
    tx,
    tenantId,
    new Map([
      [before.holderId!, made],
      [receiver.holderId, -made],
    ]),
  );
}
