import type { MemberAnswer } from '../../batching/micro-batcher.ts';
import { type BookRules, readBooksForDecision } from '../../books/read-book-rules.ts';
import { type Patience, waitForLocks } from '../../db/lock-patience.ts';
import { together } from '../../db/together.ts';
import type { Transaction } from '../../db/transaction.ts';
import { type CodeSource, codesAt } from '../../decks/codes-at.ts';
import { readDealtDecks, writeDealtDecks } from '../../decks/dealt-decks.ts';
import type { DeckMarks, Mark } from '../../decks/deck-marks.ts';
import { type DealtDeck, drawPlace, takePlace } from '../../decks/draw-rules.ts';
import { type Location, locateCodes } from '../../decks/locate-codes.ts';
import { type Place, placeMapKey } from '../../decks/place.ts';
import { CouponError, refuse } from '../../errors.ts';
import type { BookKey, DeckKey } from '../../keys.ts';
import { assignRefusal, voidRefusal } from '../rules/coupon-rules.ts';
import { type CouponState, expiryOf } from '../rules/coupon-state.ts';
import { missingCoupon } from '../rules/missing-coupon.ts';
import { type CouponAnswer, type PendingChange, recordOf } from '../rules/recorded-change.ts';
import { endOfValidity } from '../rules/validity.ts';
import type { DealCommand } from './commands.ts';
import { areFree, type BatchCore, type BatchKind, decideBatch, type RecordOf } from './decide-batch.ts';
import { findDealObstacles } from './find-obstacles.ts';
import { type Holder, holderMapKey, insertHolders, readHolders } from './holders.ts';
import { insertCoupons } from './insert-coupons.ts';
import { readCouponStates } from './locks/coupons.ts';
import { takeLock } from './locks/lock-order.ts';
import { thing } from './obstacles.ts';
import { type ClockAndKeys, readClockAndKeys } from './read-clock-and-keys.ts';
import { writeEvents } from './write-events.ts';

/** What dealing works with. */
export interface DealCore extends BatchCore, CodeSource {
  readonly deckMarks: DeckMarks;
}

interface Target {
  readonly command: DealCommand;
  readonly bookKey: BookKey | null;
  /** Where a code that is named stands. */
  readonly location: Location | null;
}

/**
 * A code that leaves its deck. What was drawn is a place only: which code stands there is computed or read once the
 * whole batch is decided, and then it becomes a coupon.
 */
interface Deal {
  readonly command: DealCommand;
  readonly place: Place;
  /** As it is stored, where the code was named; null where it was drawn. */
  readonly namedCode: string | null;
  readonly book: BookRules;
  /** Null for a code that is voided. */
  readonly holder: Holder | null;
}

/** What of a coupon decides whether its code may be taken: one of the database's, or one made by the batch. */
type TakenCode = Pick<CouponState, 'rev' | 'voided'>;

/** What the database says under the batch's locks. */
interface Seen extends ClockAndKeys {
  books: Map<BookKey, BookRules>;
  decks: Map<DeckKey, DealtDeck & { bookKey: BookKey }>;
  holders: Map<string, Holder>;
  coupons: Map<string, TakenCode>;
}

/** Everything that the batch decides on, kept up to date as its members take codes. */
interface State extends Seen {
  decksOfBook: Map<BookKey, DealtDeck[]>;
  deals: Deal[];
}

/**
 * Assigns random codes, assigns codes by name, and voids codes that nobody has: one transaction for the whole batch
 * (decideBatch). Locked are the gates of the books, then their dealers, under which every code leaves its deck. So what
 * is left is exact, a code can't be dealt twice, and a user's coupons can be counted. Proved by
 * test/integration/races.test.ts.
 * @param isApart whether these members have met a held lock before, and wait for the next one shortly only
 */
export function dealCodes(
  core: DealCore,
  tenantId: number,
  commands: DealCommand[],
  isApart = false,
): Promise<MemberAnswer<CouponAnswer>[]> {
  return decideBatch(core, tenantId, commands, dealsOf(core, tenantId), isApart);
}

/** Which of these commands, which were held up, nothing holds up any more. */
export function areDealsFree(core: DealCore, tenantId: number, commands: DealCommand[]): Promise<boolean[]> {
  return areFree(core, commands, dealsOf(core, tenantId));
}

function dealsOf(core: DealCore, tenantId: number): BatchKind<DealCommand, Target, Seen, State, Deal> {
  return {
    find: (commands) => findTargets(core, tenantId, commands),
    needsOf: ({ bookKey }) => (bookKey === null ? [] : [thing.gate(bookKey), thing.dealer(bookKey)]),
    findHeld: (targets) => findDealObstacles(core.pool, tenantId, booksOf(targets)),
    read: (tx, targets, patience) => read(tx, tenantId, targets, patience),
    prepare: async (_tx, _targets, seen) => ({ ...seen, decksOfBook: groupByBook(seen.decks.values()), deals: [] }),
    refuseFirst: (state, { command }) => refuseClaim(state, command),
    decide: (state, target) => decideMember(core, state, target),
    write: (tx, state) => write(core, tx, tenantId, state),
  };
}

function booksOf(targets: Target[]): BookKey[] {
  return [...new Set(targets.flatMap(({ bookKey }) => bookKey ?? []))];
}

async function findTargets(core: DealCore, tenantId: number, commands: DealCommand[]): Promise<Target[]> {
  const named = commands.flatMap((command) => (command.op === 'draw' ? [] : [command.code]));
  const locations = (await locateCodes(core, tenantId, named, { always: false })).values();
  return commands.map((command) => {
    if (command.op === 'draw') return { command, bookKey: command.bookKey, location: null };
    const location = locations.next().value ?? null;
    return { command, bookKey: location?.bookKey ?? null, location };
  });
}

async function read(tx: Transaction, tenantId: number, targets: Target[], patience: Patience): Promise<Seen> {
  const bookKeys = booksOf(targets);
  const wanted = targets.flatMap(({ location }) => location ?? []);
  const deckKeys = [...new Set(wanted.map(({ deckKey }) => deckKey))];
  const keyHashes = targets.flatMap(({ command }) => command.keyed?.keyHash ?? []);
  const [, , books, , decks, holders, coupons, clockAndKeys] = await together([
    waitForLocks(tx, patience),
    takeLock.gates(tx, bookKeys),
    readBooksForDecision(tx, tenantId, bookKeys),
    takeLock.dealers(tx, tenantId, bookKeys),
    readDealtDecks(tx, tenantId, { bookKeys, deckKeys, members: targets.length, wanted }),
    readHolders(tx, tenantId, targets.flatMap(wantedHolder)),
    // Before the keys: a coupon is changed without the dealer's lock, and whoever sees a change sees its key too.
    readCouponStates(tx, tenantId, wanted),
    readClockAndKeys(tx, tenantId, keyHashes),
  ]);
  return { books, decks, holders, coupons, ...clockAndKeys };
}

function wantedHolder({ command, bookKey }: Target): { bookKey: BookKey; userId: string }[] {
  return command.op === 'discard' || bookKey === null ? [] : [{ bookKey, userId: command.userId }];
}

function groupByBook(decks: Iterable<DealtDeck & { bookKey: BookKey }>): Map<BookKey, DealtDeck[]> {
  const byBook = new Map<BookKey, DealtDeck[]>();
  for (const deck of decks) {
    const group = byBook.get(deck.bookKey);
    if (group === undefined) byBook.set(deck.bookKey, [deck]);
    else group.push(deck);
  }
  return byBook;
}

function decideMember(core: DealCore, state: State, { command, location }: Target): Deal | CouponError {
  switch (command.op) {
    case 'draw':
      return draw(core, state, command);
    case 'take':
      return take(state, command, location);
    case 'discard':
      return discard(state, command, location);
  }
}

function draw({ random }: DealCore, state: State, command: DealCommand & { op: 'draw' }): Deal | CouponError {
  const book = command.bookKey === null ? undefined : state.books.get(command.bookKey);
  if (book === undefined) return refuse('book-not-found', 'There is no such book.');
  const forbidden = refuseClaim(state, command);
  if (forbidden !== null) return forbidden;
  const holder = state.holders.get(holderMapKey(book.bookKey, command.userId))!;
  const refused = refuseAssign(state, book, holder);
  if (refused !== null) return refused;
  const decks = state.decksOfBook.get(book.bookKey) ?? [];
  const place = drawPlace(decks, random);
  if (place === null) return refuse('no-codes-left', 'Every code of the book has been handed out or voided.');
  return deal(state, { command, place, namedCode: null, book, holder });
}

/** Why a customer may not draw from this book, or null: only where the book lets it, and no other role is asked. */
function refuseClaim(state: State, command: DealCommand): CouponError | null {
  if (command.op !== 'draw' || command.caller.customerId === null || command.bookKey === null) return null;
  if (state.books.get(command.bookKey)?.selfService !== false) return null;
  return refuse('forbidden', 'The book does not let customers claim codes by themselves.');
}

function take(state: State, command: DealCommand & { op: 'take' }, location: Location | null): Deal | CouponError {
  const refusedCode = refuseTaken(state, command, location);
  if (refusedCode !== null) return refusedCode;
  const book = state.books.get(location!.bookKey)!;
  const holder = state.holders.get(holderMapKey(book.bookKey, command.userId))!;
  const refused = refuseAssign(state, book, holder);
  if (refused !== null) return refused;
  takePlace(state.decks.get(location!.deckKey)!, location!.pos);
  return deal(state, { command, place: location!, namedCode: location!.code, book, holder });
}

function discard(
  state: State,
  command: DealCommand & { op: 'discard' },
  location: Location | null,
): Deal | CouponError {
  const refused = refuseTaken(state, command, location);
  if (refused !== null) return refused;
  const deck = state.decks.get(location!.deckKey)!;
  takePlace(deck, location!.pos);
  deck.voided += 1;
  const book = state.books.get(location!.bookKey)!;
  return deal(state, { command, place: location!, namedCode: location!.code, book, holder: null });
}

/** Why this code can't be taken out of its deck, or null: somebody has it, or it is void, or it never was. */
function refuseTaken(state: State, { caller }: DealCommand, location: Location | null): CouponError | null {
  if (location === null) return new CouponError(missingCoupon(caller, undefined, false)!);
  const coupon = state.coupons.get(placeMapKey(location));
  if (coupon?.voided) return new CouponError(voidRefusal(coupon));
  if (coupon !== undefined) {
    return refuse('code-already-assigned', 'The code is in a user’s hands already.', { rev: coupon.rev });
  }
  const deck = state.decks.get(location.deckKey);
  // It was deleted with its book, and this process had known where the code stood.
  if (deck === undefined) return new CouponError(missingCoupon(caller, undefined, false)!);
  return location.pos < deck.nextPos ? new CouponError(missingCoupon(caller, undefined, true)!) : null;
}

function refuseAssign(state: State, book: BookRules, holder: Holder): CouponError | null {
  const refusal = assignRefusal(book, state.now);
  if (refusal !== null) return new CouponError(refusal);
  if (book.maxCodesPerUser === null || holder.codes < book.maxCodesPerUser) return null;
  return refuse('user-limit-reached', `The book allows ${book.maxCodesPerUser} codes a user.`);
}

/** Puts a code on the list of what is dealt, and makes it true for the members that follow. */
function deal(state: State, made: Deal): Deal {
  const { place, holder } = made;
  if (holder !== null) holder.codes += 1;
  state.coupons.set(placeMapKey(place), holder === null ? discardedHere : assignedHere);
  state.deals.push(made);
  return made;
}

const assignedHere: TakenCode = { rev: 1, voided: false };
const discardedHere: TakenCode = { rev: 1, voided: true };

async function write(core: DealCore, tx: Transaction, tenantId: number, state: State): Promise<RecordOf<Deal>> {
  const { deals, now } = state;
  const drawn = deals.filter(({ namedCode }) => namedCode === null).map(({ place }) => place);
  // COMMIT goes out with what is written, so the marks are out before either.
  const [, codes] = await together([markDealt(core, tenantId, state), codesAt(core, tx, tenantId, drawn)]);
  const drawnCodes = codes.values();
  const validity = validityAt(now);
  const pending = deals.map((made) => couponOf(made, made.namedCode ?? drawnCodes.next().value!, now, validity));
  writeDeals(tx, tenantId, state, pending);
  const records = new Map(deals.map((made, index) => [made, recordOf(pending[index]!, made.book.bookId, now)]));
  return (made) => ('coupon' in made ? made : records.get(made)!);
}

/**
 * Notes outside the database how far the batch deals its decks, and what it takes ahead of the deal. A mark too many
 * voids a code after a restore, one too few deals it twice. Proved by test/integration/restore-kills.test.ts.
 */
async function markDealt({ deckMarks }: DealCore, tenantId: number, { deals, decks }: State): Promise<void> {
  if (deals.length === 0) return;
  const touched = [...new Set(deals.map(({ place }) => place.deckKey))].map((deckKey) => decks.get(deckKey)!);
  await deckMarks.write({
    decks: touched.map(({ deckKey, nextPos }): Mark => [tenantId, deckKey, nextPos]),
    taken: deals.flatMap(({ namedCode, place: { deckKey, pos } }): Mark[] =>
      namedCode !== null && pos >= decks.get(deckKey)!.nextPos ? [[tenantId, deckKey, pos]] : [],
    ),
  });
}

/** When a coupon's own time ends that is assigned now; null where its book gives it none. Computed once a book. */
function validityAt(now: Date): (book: BookRules) => Date | null {
  const ends = new Map<BookKey, Date>();
  return ({ bookKey, validForDays, timeZone }) => {
    if (validForDays === null) return null;
    const known = ends.get(bookKey);
    if (known !== undefined) return known;
    const end = endOfValidity(now, validForDays, timeZone);
    ends.set(bookKey, end);
    return end;
  };
}

/** The coupon that a code becomes, at its first revision. */
function couponOf(
  { command, place, book, holder }: Deal,
  code: string,
  now: Date,
  validityOf: (book: BookRules) => Date | null,
): PendingChange {
  const next: CouponState = {
    deckKey: place.deckKey,
    pos: place.pos,
    bookKey: book.bookKey,
    code,
    holderId: holder?.holderId ?? null,
    userId: holder?.userId ?? null,
    assignedAt: holder === null ? null : now,
    maxRedemptions: book.maxRedemptionsPerCode,
    validUntil: holder === null ? null : validityOf(book),
    rev: 1,
    redemptions: 0,
    reversals: 0,
    fence: 0,
    hasPlainToken: false,
    lockExpiresAt: null,
    voided: holder === null,
  };
  return {
    change: {
      kind: holder === null ? 'voided' : 'assigned',
      next,
      actor: command.caller.actor,
      reason: command.op === 'discard' ? command.reason : null,
      redemption: null,
      reversedRedemptionId: null,
    },
    expiresAt: expiryOf(next, book.endsAt),
    keyed: command.keyed,
  };
}

function writeDeals(tx: Transaction, tenantId: number, { deals, decks, now }: State, pending: PendingChange[]): void {
  if (deals.length === 0) return;
  const holders = new Set(deals.flatMap(({ holder }) => (holder?.isNew ? [holder] : [])));
  insertHolders(tx, tenantId, [...holders]);
  insertCoupons(
    tx,
    tenantId,
    pending.map(({ change }) => change.next),
  );
  const touched = new Set(deals.map(({ place }) => place.deckKey));
  writeDealtDecks(
    tx,
    tenantId,
    [...decks.values()].filter(({ deckKey }) => touched.has(deckKey)),
  );
  writeEvents(tx, tenantId, now, pending);
}
