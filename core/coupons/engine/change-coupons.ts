import type { MemberAnswer } from '../../batching/batch.ts';
import { type BookRules, readBooksForDecision } from '../../books/read-book-rules.ts';
import { type LockWait, setLockWait } from '../../db/lock-wait.ts';
import { together } from '../../db/together.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { CodeSource } from '../../decks/codes-at.ts';
import type { Location } from '../../decks/locate-codes.ts';
import { placeMapKey } from '../../decks/place.ts';
import { CouponError, type Refusal } from '../../errors.ts';
import type { BookKey } from '../../keys.ts';
import { type CouponState, expiryOf } from '../rules/coupon-state.ts';
import { missingCoupon, ofPublicCode, publicCodeRefusal } from '../rules/missing-coupon.ts';
import { type CouponAnswer, type PendingChange, type RecordedChange, recordOf } from '../rules/recorded-change.ts';
import { carryRedemptions } from './carried-redemptions.ts';
import { type ChangeTarget, findChangeTargets, mayCount, needsOfChange, redirectToDeal } from './change-targets.ts';
import { type ChangeCommand, isUse } from './commands.ts';
import { areFree, type BatchCompanion, type BatchCore, type BatchKind, decideBatch } from './decide-batch.ts';
import { decideChange } from './decide-change.ts';
import { drawStripe } from './draw-stripe.ts';
import { findChangeObstacles } from './find-obstacles.ts';
import { readReversed } from './find-redemptions.ts';
import type { ReversedPlace } from './locks/holders.ts';
import { takeLock } from './locks/lock-order.ts';
import { type ClockAndKeys, readClockAndKeys } from './read-clock-and-keys.ts';
import { Redirect } from './redirect.ts';
import { addToUsage, readUsage, type Usage } from './usage-sums.ts';
import { findVoidPlaces } from './void-places.ts';
import { writeChanges } from './write-changes.ts';

/** What changes of coupons work with. */
export interface ChangeCore extends BatchCore, CodeSource {}

/** What the database says under the batch's locks. */
interface Seen extends ClockAndKeys {
  books: Map<BookKey, BookRules>;
  coupons: Map<string, CouponState>;
  reversed: Set<string>;
  usage: Usage;
}

/** Everything that the batch decides on, kept up to date as its members change it. */
interface State extends Seen {
  voidPlaces: Set<string>;
  pending: PendingChange[];
  /** Changes of what holders carry, for reversals of redemptions that a former holder made. */
  carried: Map<number, number>;
}

/**
 * Locks, unlocks, redeems, voids and reverses: one transaction for the whole batch (decideBatch). Locked are the gates
 * of the books, holders, coupons and counters. Proved by test/integration/races.test.ts, and by the mutants that take
 * out each lock in turn.
 * @param hasTimedOut whether a transaction of these members has timed out on a lock before; then it waits only a short
 *   time
 * @param companion what is committed with them
 */
export function changeCoupons(
  core: ChangeCore,
  tenantId: number,
  commands: ChangeCommand[],
  hasTimedOut = false,
  companion?: BatchCompanion<ChangeCommand>,
): Promise<MemberAnswer<CouponAnswer>[]> {
  return decideBatch(core, tenantId, commands, changesOf(core, tenantId), hasTimedOut, companion);
}

/** Which of these commands, which were held up, nothing holds up any more. */
export function areChangesFree(core: ChangeCore, tenantId: number, commands: ChangeCommand[]): Promise<boolean[]> {
  return areFree(core, commands, changesOf(core, tenantId));
}

function changesOf(
  core: ChangeCore,
  tenantId: number,
): BatchKind<ChangeCommand, ChangeTarget, Seen, State, RecordedChange> {
  return {
    find: (commands) => findChangeTargets(core, tenantId, commands),
    redirect: redirectToDeal,
    needsOf: needsOfChange,
    findHeld: (targets) => findChangeObstacles(core.pool, tenantId, locationsOf(targets)),
    read: (tx, targets, lockWait) => read(tx, tenantId, targets, lockWait),
    prepare: (tx, targets, seen) => prepare(tx, tenantId, targets, seen),
    decide: (state, target) => decideMember(core, tenantId, state, target),
    write: async (tx, { now, books, pending, carried }) => {
      carryRedemptions(tx, tenantId, carried);
      writeChanges(tx, tenantId, { now, books, pending, stripe: drawStripe(core, [...books.keys()]) });
      return (recorded) => recorded;
    },
  };
}

async function read(tx: Transaction, tenantId: number, targets: ChangeTarget[], lockWait: LockWait): Promise<Seen> {
  const locations = locationsOf(targets);
  const bookKeys = [...new Set(locations.map(({ bookKey }) => bookKey))];
  const redemptionIds = targets.flatMap(({ redemption }) => redemption?.id ?? []);
  const [, , books, limited, locked, , reversed, usage, clockAndKeys] = await together([
    setLockWait(tx, lockWait),
    takeLock.gates(tx, tenantId, bookKeys),
    readBooksForDecision(tx, tenantId, bookKeys),
    takeLock.holders(tx, tenantId, locations, targets.flatMap(reversedPlace)),
    takeLock.coupons(tx, tenantId, locations),
    takeLock.counters(tx, tenantId, targets.flatMap(countedPlace)),
    readReversed(tx, tenantId, redemptionIds),
    readUsage(tx, tenantId, locations),
    readClockAndKeys(tx, tenantId, usedKeyHashes(targets)),
  ]);
  return { books, coupons: withHolderLocked(locked, limited, books), reversed, usage, ...clockAndKeys };
}

/**
 * The coupons that may be decided on. A coupon that was made after the holders were locked is left out: its holder is
 * not locked, and no holder may be locked after a coupon. The request came before the coupon existed, and is told that
 * there is none.
 */
function withHolderLocked(
  coupons: Map<string, CouponState>,
  limited: Set<string>,
  books: Map<BookKey, BookRules>,
): Map<string, CouponState> {
  const isLimited = ({ bookKey }: CouponState) => (books.get(bookKey)?.maxRedemptionsPerUser ?? null) !== null;
  return new Map([...coupons].filter(([name, coupon]) => !isLimited(coupon) || limited.has(name)));
}

function locationsOf(targets: ChangeTarget[]): Location[] {
  return targets.flatMap(({ location }) => location ?? []);
}

/** Where a command may change its book's counter. */
function countedPlace({ command, location }: ChangeTarget): Location[] {
  return mayCount(command) && location !== null ? [location] : [];
}

function reversedPlace({ redemption }: ChangeTarget): ReversedPlace[] {
  return redemption === null ? [] : [{ ...redemption.location, redeemerId: redemption.redeemerId }];
}

function usedKeyHashes(targets: ChangeTarget[]): string[] {
  return targets.flatMap(({ command }) => command.keyed?.keyHash ?? []);
}

async function prepare(tx: Transaction, tenantId: number, targets: ChangeTarget[], seen: Seen): Promise<State> {
  const withoutCoupon = explained(targets).filter((location) => !seen.coupons.has(placeMapKey(location)));
  const voidPlaces = await findVoidPlaces(tx, tenantId, withoutCoupon);
  // Voiding a deck takes none of these locks. A batch that sees codes voided must also see the idempotency key under
  // which they were, so the keys are read again.
  const last: ClockAndKeys =
    withoutCoupon.length === 0 ? seen : await readClockAndKeys(tx, tenantId, usedKeyHashes(targets));
  return { ...seen, now: last.now, usedKeys: last.usedKeys, voidPlaces, pending: [], carried: new Map() };
}

/** The places of which a caller may learn that their codes are void: customers are not told. */
function explained(targets: ChangeTarget[]): Location[] {
  return targets.flatMap(({ command, location }) =>
    location === null || command.caller.customerId !== null ? [] : [location],
  );
}

function decideMember(
  core: Pick<BatchCore, 'random' | 'lockTokens'>,
  tenantId: number,
  state: State,
  target: ChangeTarget,
): RecordedChange | CouponError {
  const { location } = target;
  const coupon = location === null ? undefined : state.coupons.get(placeMapKey(location));
  if (hasChangedHands(target, coupon)) return new Redirect(null);
  const missing = refuseMissing(state, target, coupon);
  if (missing !== null) return new CouponError(missing);
  const decision = decideChange(core, tenantId, state, target, coupon!);
  if ('refusal' in decision) return new CouponError(decision.refusal);
  return carryOut(state, target, coupon!, decision.change);
}

/**
 * A coupon that was found by a public code belongs to the user, unless it has changed hands since. Then the user's own
 * coupon is looked for again, whoever asks. A redeem or lock comes here only if a coupon was found.
 */
function hasChangedHands({ command, publicLocation }: ChangeTarget, coupon: CouponState | undefined): boolean {
  if (publicLocation === null || !('userId' in command)) return false;
  return coupon === undefined ? isUse(command) : coupon.userId !== command.userId;
}

/** To a customer, a code that is not there, is void or is another user's looks the same. */
function refuseMissing(
  state: State,
  { command, location, publicLocation }: ChangeTarget,
  coupon: CouponState | undefined,
): Refusal | null {
  if (publicLocation !== null && !('userId' in command)) return publicCodeRefusal(publicLocation.code);
  if (command.op === 'reverse') {
    if (coupon !== undefined) return null;
    return { kind: 'redemption-not-found', detail: `There is no redemption ${command.redemptionId}.` };
  }
  const voidPlace = location !== null && state.voidPlaces.has(placeMapKey(location));
  const missing = missingCoupon(command.caller, coupon, voidPlace);
  if (missing === null || publicLocation === null) return missing;
  return coupon === undefined ? noLockRefusal : ofPublicCode(missing);
}

/** With a public code only an unlock can find no coupon: other changes deal one first. */
const noLockRefusal: Refusal = { kind: 'lock-expired', detail: 'No lock is live: the user has no coupon of the book.' };

/** Makes the change true for the members that follow, and puts it on the list of what is written. */
function carryOut(
  state: State,
  { command, redemption }: ChangeTarget,
  before: CouponState,
  change: PendingChange['change'],
): RecordedChange {
  const { next } = change;
  const book = state.books.get(next.bookKey)!;
  const pending = { change, expiresAt: expiryOf(next, book.endsAt), keyed: command.keyed };
  state.coupons.set(placeMapKey(next), next);
  state.pending.push(pending);
  if (change.reversedRedemptionId !== null) state.reversed.add(change.reversedRedemptionId);
  const used = next.redemptions - before.redemptions;
  const holderId = next.holderId ?? 0;
  const redeemerId = redemption?.redeemerId ?? holderId;
  addToUsage(state.usage, next.bookKey, redeemerId, used);
  if (redeemerId !== holderId) {
    // The coupon's count is one lower now for its present holder, although this redemption never counted for that
    // holder.
    state.carried.set(redeemerId, (state.carried.get(redeemerId) ?? 0) + used);
    state.carried.set(holderId, (state.carried.get(holderId) ?? 0) - used);
  }
  return recordOf(pending, book, state.now);
}
