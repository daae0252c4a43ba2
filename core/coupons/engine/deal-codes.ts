import type { MemberAnswer } from '../../batching/batch.ts';
import { readBooksForDecision } from '../../books/read-book-rules.ts';
import { type LockWait, setLockWait } from '../../db/lock-wait.ts';
import { together } from '../../db/together.ts';
import type { Transaction } from '../../db/transaction.ts';
import { type CodeSource, codesAt } from '../../decks/codes-at.ts';
import { readDealtDecks, writeDealtDecks } from '../../decks/dealt-decks.ts';
import type { DeckMarks, Mark } from '../../decks/deck-marks.ts';
import { isPublic, type LocateCore, locateCodes } from '../../decks/locate-codes.ts';
import type { BookKey } from '../../keys.ts';
import type { CouponAnswer, PendingChange } from '../rules/recorded-change.ts';
import type { DealCommand } from './commands.ts';
import { changesWithCode, type DealtChange, recordDealt } from './dealt-coupon.ts';
import {
  areFree,
  type BatchCompanion,
  type BatchCore,
  type BatchKind,
  decideBatch,
  type RecordOf,
} from './decide-batch.ts';
import {
  type DealSeen,
  type DealState,
  type DealTarget,
  decideDeal,
  openDealState,
  refuseClaim,
} from './decide-deal.ts';
import { drawStripe } from './draw-stripe.ts';
import { findDealObstacles } from './find-obstacles.ts';
import { insertHolders, readHolders } from './holders.ts';
import { insertCoupons } from './insert-coupons.ts';
import { readCouponStates } from './locks/coupons.ts';
import { takeLock } from './locks/lock-order.ts';
import { nameOf } from './obstacles.ts';
import { readClockAndKeys } from './read-clock-and-keys.ts';
import { sumByBook } from './usage-sums.ts';
import { lastOf, writeChanges } from './write-changes.ts';

/** What dealing works with. */
export interface DealCore extends BatchCore, CodeSource {
  readonly deckMarks: DeckMarks;
}

/**
 * Assigns random codes, assigns codes by name, and voids codes that nobody has: one transaction for the whole batch
 * (decideBatch). Locked are the gates of the books, then their dealers, under which every code leaves its deck. So what
 * is left is exact, a code can't be dealt twice, and a user's coupons can be counted. A coupon that is dealt by a
 * public code is locked or redeemed in the same transaction. Nobody else sees it yet, so only its book's counter is
 * locked for that. Proved by test/integration/races.test.ts.
 * @param hasTimedOut whether a transaction of these members has timed out on a lock before; then it waits only a short
 *   time
 * @param companion what is committed with them
 */
export function dealCodes(
  core: DealCore,
  tenantId: number,
  commands: DealCommand[],
  hasTimedOut = false,
  companion?: BatchCompanion<DealCommand>,
): Promise<MemberAnswer<CouponAnswer>[]> {
  return decideBatch(core, tenantId, commands, dealsOf(core, tenantId), hasTimedOut, companion);
}

/** Which of these commands, which were held up, nothing holds up any more. */
export function areDealsFree(core: DealCore, tenantId: number, commands: DealCommand[]): Promise<boolean[]> {
  return areFree(core, commands, dealsOf(core, tenantId));
}

function dealsOf(
  core: DealCore,
  tenantId: number,
): BatchKind<DealCommand, DealTarget, DealSeen, DealState, DealtChange> {
  return {
    find: (commands) => findTargets(core, tenantId, commands),
    needsOf,
    findHeld: (targets) => findDealObstacles(core.pool, tenantId, booksOf(targets), booksOf(targets.filter(redeems))),
    read: (tx, targets, lockWait) => read(tx, tenantId, targets, lockWait),
    prepare: async (_tx, _targets, seen) => openDealState(seen),
    refuseFirst: (state, { command }) => refuseClaim(state, command),
    decide: (state, target) => decideDeal(core, tenantId, state, target),
    write: (tx, state) => write(core, tx, tenantId, state),
  };
}

function booksOf(targets: DealTarget[]): BookKey[] {
  return [...new Set(targets.flatMap(({ bookKey }) => bookKey ?? []))];
}

/** Whether a member may redeem the coupon that it is dealt. */
function redeems({ command }: DealTarget): boolean {
  return command.op === 'use' && command.use.op === 'redeem';
}

function needsOf(target: DealTarget): string[] {
  const { bookKey } = target;
  if (bookKey === null) return [];
  const needs = [nameOf.gate(bookKey), nameOf.dealer(bookKey)];
  return redeems(target) ? [...needs, nameOf.counter(bookKey)] : needs;
}

async function findTargets(core: LocateCore, tenantId: number, commands: DealCommand[]): Promise<DealTarget[]> {
  const named = commands.flatMap((command) => ('code' in command ? [command.code] : []));
  const found = (await locateCodes(core, tenantId, named, { always: false })).values();
  return commands.map((command) => {
    if (!('code' in command)) {
      const publicCode = command.op === 'use' ? command.publicCode : null;
      return { command, bookKey: command.bookKey, location: null, publicCode };
    }
    const located = found.next().value ?? null;
    if (isPublic(located)) {
      return { command, bookKey: located.publicBook, location: null, publicCode: located.code };
    }
    return { command, bookKey: located?.bookKey ?? null, location: located, publicCode: null };
  });
}

async function read(tx: Transaction, tenantId: number, targets: DealTarget[], lockWait: LockWait): Promise<DealSeen> {
  const bookKeys = booksOf(targets);
  const redeemedBooks = booksOf(targets.filter(redeems));
  const wanted = targets.flatMap(({ location }) => location ?? []);
  const deckKeys = [...new Set(wanted.map(({ deckKey }) => deckKey))];
  const keyHashes = targets.flatMap(({ command }) => command.keyed?.keyHash ?? []);
  const [, , books, , , decks, holders, coupons, redemptions, clockAndKeys] = await together([
    setLockWait(tx, lockWait),
    takeLock.gates(tx, tenantId, bookKeys),
    readBooksForDecision(tx, tenantId, bookKeys),
    takeLock.dealers(tx, tenantId, bookKeys),
    takeLock.counters(tx, tenantId, [], redeemedBooks),
    readDealtDecks(tx, tenantId, { bookKeys, deckKeys, members: targets.length, wanted }),
    readHolders(tx, tenantId, targets.flatMap(wantedHolder), targets.some(bringsPublicCode)),
    // Coupons are read before the keys: they change without the dealer's lock, and a batch that sees a change must see
    // its key too.
    readCouponStates(tx, tenantId, wanted),
    // Needed for a lock too, which is refused wherever a redeem would be.
    sumByBook(tx, tenantId, booksOf(targets.filter(({ command }) => command.op === 'use'))),
    readClockAndKeys(tx, tenantId, keyHashes),
  ]);
  return { books, decks, holders, coupons, redemptions, ...clockAndKeys };
}

/** Whether it depends on the coupon that the user has already. */
function bringsPublicCode({ publicCode }: DealTarget): boolean {
  return publicCode !== null;
}

function wantedHolder({ command, bookKey }: DealTarget): { bookKey: BookKey; userId: string }[] {
  return command.op === 'discard' || bookKey === null ? [] : [{ bookKey, userId: command.userId }];
}

async function write(
  core: DealCore,
  tx: Transaction,
  tenantId: number,
  state: DealState,
): Promise<RecordOf<DealtChange>> {
  const { dealt, now } = state;
  const drawn = dealt.filter(({ namedCode }) => namedCode === null).map(({ place }) => place);
  // COMMIT is sent together with the writes, so the marks have to be out before both.
  const [, codes] = await together([markDealt(core.deckMarks, tenantId, state), codesAt(core, tx, tenantId, drawn)]);
  const drawnCodes = codes.values();
  const changesOf = new Map(dealt.map((one) => [one, changesWithCode(one, one.namedCode ?? drawnCodes.next().value!)]));
  writeDeals(core, tx, tenantId, state, [...changesOf.values()].flat());
  return (made) => ('coupon' in made ? made : recordDealt(made, changesOf.get(made.dealt)!, now));
}

/**
 * Notes outside the database how far the batch deals its decks, and what it takes ahead of the deal. A mark too many
 * voids a code after a restore, one too few deals it twice. Proved by test/integration/restore-kills.test.ts.
 */
async function markDealt(deckMarks: DeckMarks, tenantId: number, { dealt, decks }: DealState): Promise<void> {
  if (dealt.length === 0) return;
  const touched = [...new Set(dealt.map(({ place }) => place.deckKey))].map((deckKey) => decks.get(deckKey)!);
  await deckMarks.write({
    decks: touched.map(({ deckKey, nextPos }): Mark => [tenantId, deckKey, nextPos]),
    taken: dealt.flatMap(({ namedCode, place: { deckKey, pos } }): Mark[] =>
      namedCode !== null && pos >= decks.get(deckKey)!.nextPos ? [[tenantId, deckKey, pos]] : [],
    ),
  });
}

function writeDeals(
  core: Pick<BatchCore, 'random' | 'obstacles'>,
  tx: Transaction,
  tenantId: number,
  state: DealState,
  pending: PendingChange[],
): void {
  const { dealt, decks, now, books } = state;
  if (dealt.length === 0) return;
  const holders = new Set(dealt.flatMap(({ holder }) => (holder?.isNew ? [holder] : [])));
  const coupons = lastOf(pending);
  const touched = new Set(dealt.map(({ place }) => place.deckKey));
  insertHolders(tx, tenantId, [...holders]);
  insertCoupons(tx, tenantId, [...coupons.values()]);
  writeDealtDecks(
    tx,
    tenantId,
    [...decks.values()].filter(({ deckKey }) => touched.has(deckKey)),
  );
  const isUsed = pending.length > dealt.length;
  const stripe = isUsed ? drawStripe(core, [...books.keys()]) : 0;
  writeChanges(tx, tenantId, { now, books, pending, stripe, made: new Set(coupons.keys()) });
}
