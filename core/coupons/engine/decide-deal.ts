import type { BookRules } from '../../books/read-book-rules.ts';
import { type DealtDeck, drawPlace, takePlace } from '../../decks/draw-rules.ts';
import type { Location } from '../../decks/locate-codes.ts';
import { placeMapKey } from '../../decks/place.ts';
import { CouponError, type Refusal, refuse } from '../../errors.ts';
import type { KeyedRequest } from '../../idempotency/key-hash.ts';
import type { BookKey, DeckKey } from '../../keys.ts';
import type { Random } from '../../random.ts';
import { assignRefusal, type Decision, refuseMoreCodes, voidRefusal } from '../rules/coupon-rules.ts';
import type { Change, CouponState } from '../rules/coupon-state.ts';
import { missingCoupon } from '../rules/missing-coupon.ts';
import { newCoupon, undrawn } from '../rules/new-coupon.ts';
import type { DealCommand } from './commands.ts';
import { type DealtChange, type DealtCoupon, dealCoupon, dealOf, noteChange, openValidity } from './dealt-coupon.ts';
import type { BatchCore } from './decide-batch.ts';
import { decideChange } from './decide-change.ts';
import { type Holder, holderMapKey } from './holders.ts';
import type { ClockAndKeys } from './read-clock-and-keys.ts';
import { Redirect } from './redirect.ts';
import { addToUsage, type Usage } from './usage-sums.ts';

type DecideCore = Pick<BatchCore, 'random' | 'lockTokens'>;

/** A command, and what was found out about it before anything was locked. */
export interface DealTarget {
  readonly command: DealCommand;
  readonly bookKey: BookKey | null;
  /** Where a code that is named stands. */
  readonly location: Location | null;
  /** The code that was named, where it was found to be the book's public one: as it is stored. */
  readonly publicCode: string | null;
}

/** What of a coupon decides whether its code may be taken: one of the database's, or one made by the batch. */
type TakenCode = Pick<CouponState, 'rev' | 'voided'>;

/** What the database says under the batch's locks. */
export interface DealSeen extends ClockAndKeys {
  books: Map<BookKey, BookRules>;
  decks: Map<DeckKey, DealtDeck & { bookKey: BookKey }>;
  holders: Map<string, Holder>;
  coupons: Map<string, TakenCode>;
  /** Redemptions of books that limit them, where a member may redeem or lock. */
  redemptions: Map<BookKey, number>;
}

/** Everything that the batch decides on, kept up to date as its members take codes. */
export interface DealState extends DealSeen {
  decksOfBook: Map<BookKey, DealtDeck[]>;
  dealt: DealtCoupon[];
  /** In books with a public code: what the batch has dealt to a holder, by holderMapKey. */
  dealtTo: Map<string, DealtCoupon>;
  usage: Usage;
  validityOf: (book: BookRules) => Date | null;
}

/** What the members are decided on, as the batch finds it. */
export function openDealState(seen: DealSeen): DealState {
  const decksOfBook = groupByBook(seen.decks.values());
  // Whoever is dealt a coupon by a public code has no other one.
  const byHolder = new Map([...seen.holders.values()].map(({ holderId, carried }) => [holderId, carried]));
  const usage = { byBook: seen.redemptions, byHolder };
  return { ...seen, decksOfBook, usage, dealt: [], dealtTo: new Map(), validityOf: openValidity(seen.now) };
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

/** Decides a member on what those before it left, and makes its deal true for those that follow. */
export function decideDeal(
  core: DecideCore,
  tenantId: number,
  state: DealState,
  { command, location, publicCode, bookKey }: DealTarget,
): DealtChange | CouponError {
  switch (command.op) {
    case 'draw':
      return draw(core, state, command, command);
    case 'use':
      return use(core, tenantId, state, command);
    case 'take':
      return publicCode === null ? take(state, command, location) : takeOwn(core, state, command, bookKey!, publicCode);
    case 'discard':
      return discard(state, command, location);
  }
}

function draw(
  core: DecideCore,
  state: DealState,
  command: DealCommand,
  { bookKey, userId }: { bookKey: BookKey | null; userId: string },
): DealtChange | CouponError {
  const book = bookKey === null ? undefined : state.books.get(bookKey);
  if (book === undefined) return refuse('book-not-found', 'There is no such book.');
  const forbidden = refuseClaim(state, command);
  if (forbidden !== null) return forbidden;
  const holder = state.holders.get(holderMapKey(book.bookKey, userId))!;
  const refused = refuseAssign(state, book, holder);
  if (refused !== null) return refused;
  const drawn = drawFor(core.random, state, book, holder);
  return drawn instanceof CouponError ? drawn : noteChange(drawn, dealOf(drawn, command), command.keyed);
}

/** Deals a code of the book at random. */
function drawFor(random: Random, state: DealState, book: BookRules, holder: Holder): DealtCoupon | CouponError {
  const place = drawPlace(state.decksOfBook.get(book.bookKey) ?? [], random);
  if (place === null) return refuse('no-codes-left', 'Every code of the book has been handed out or voided.');
  return deal(state, dealCoupon(place, null, book, holder, state.now, state.validityOf(book)));
}

/** Deals a coupon by a public code, for the redeem or lock in its `use`. */
type DealForUse = DealCommand & { op: 'use' };

/**
 * Lets a user redeem or lock by a public code. The user may have been dealt a coupon by this batch, or hold one since
 * before it, or have none yet; only a user who has none is dealt one here.
 */
function use(core: DecideCore, tenantId: number, state: DealState, command: DealForUse): DealtChange | CouponError {
  const { caller, bookKey, publicCode, userId } = command;
  const book = bookOfPublicCode(state, bookKey, publicCode);
  if (book === null) return new CouponError(missingCoupon(caller, undefined, false)!);
  const dealt = state.dealtTo.get(holderMapKey(bookKey, userId));
  if (dealt !== undefined) return useDealt(core, tenantId, state, command, dealt);
  const holder = state.holders.get(holderMapKey(bookKey, userId))!;
  // The queue of changes locks coupons that exist; this one does not.
  if (holder.own !== null) return new Redirect(null);
  return dealAndUse(core, tenantId, state, command, book, holder);
}

/** Uses a coupon that this batch has dealt for an earlier command. */
function useDealt(
  core: DecideCore,
  tenantId: number,
  state: DealState,
  command: DealForUse,
  dealt: DealtCoupon,
): DealtChange | CouponError {
  const decision = decideUse(core, tenantId, state, command, dealt.coupon);
  return 'refusal' in decision
    ? new CouponError(decision.refusal)
    : noteUse(state, dealt, decision.change, command.keyed);
}

/** Deals a coupon and uses it. The use is decided first: if it is refused, nothing is dealt. */
function dealAndUse(
  core: DecideCore,
  tenantId: number,
  state: DealState,
  command: DealForUse,
  book: BookRules,
  holder: Holder,
): DealtChange | CouponError {
  const coupon = newCoupon(undrawn, book, holder, state.now, state.validityOf(book));
  const decision = decideUse(core, tenantId, state, command, coupon);
  if ('refusal' in decision) return new CouponError(ofNoCoupon(decision.refusal));
  const dealt = drawFor(core.random, state, book, holder);
  if (dealt instanceof CouponError) return dealt;
  // The idempotency key belongs to the use, whose answer the request gets.
  noteChange(dealt, dealOf(dealt, command), null);
  return noteUse(state, dealt, decision.change, command.keyed);
}

function decideUse(
  core: DecideCore,
  tenantId: number,
  state: DealState,
  { use: command }: DealForUse,
  coupon: CouponState,
): Decision {
  return decideChange(core, tenantId, { ...state, reversed: noReversals }, { command, redemption: null }, coupon);
}

function noteUse(state: DealState, dealt: DealtCoupon, change: Change, keyed: KeyedRequest | null): DealtChange {
  const used = change.next.redemptions - dealt.coupon.redemptions;
  addToUsage(state.usage, dealt.book.bookKey, dealt.holder!.holderId, used);
  return noteChange(dealt, change, keyed);
}

const noReversals: ReadonlySet<string> = new Set();

/** The refusal without a revision: it was decided on a coupon that does not exist. */
function ofNoCoupon({ rev: _ofNone, ...refusal }: Refusal): Refusal {
  return refusal as Refusal;
}

/** The book, where this is its public code still: a draft's may be changed behind whoever found it. */
function bookOfPublicCode({ books }: DealState, bookKey: BookKey, publicCode: string): BookRules | null {
  const book = books.get(bookKey);
  return book?.publicCode === publicCode ? book : null;
}

/** Assigns the user its own coupon of a book, whose public code was named: one drawn at random. */
function takeOwn(
  core: DecideCore,
  state: DealState,
  command: DealCommand & { op: 'take' },
  bookKey: BookKey,
  publicCode: string,
): DealtChange | CouponError {
  if (bookOfPublicCode(state, bookKey, publicCode) === null) {
    return new CouponError(missingCoupon(command.caller, undefined, false)!);
  }
  const holderKey = holderMapKey(bookKey, command.userId);
  const own = state.dealtTo.get(holderKey)?.coupon ?? state.holders.get(holderKey)?.own ?? null;
  if (own?.voided) return new CouponError(voidRefusal(own));
  if (own !== null) {
    return refuse('code-already-assigned', 'The user has a coupon of the book already.', { rev: own.rev });
  }
  return draw(core, state, command, { bookKey, userId: command.userId });
}

/** Why a customer may not draw from this book, or null: only where the book lets it, and no other role is asked. */
export function refuseClaim(state: DealState, command: DealCommand): CouponError | null {
  if (command.op !== 'draw' || command.caller.customerId === null || command.bookKey === null) return null;
  if (state.books.get(command.bookKey)?.selfService !== false) return null;
  return refuse('forbidden', 'The book does not let customers claim codes by themselves.');
}

function take(
  state: DealState,
  command: DealCommand & { op: 'take' },
  location: Location | null,
): DealtChange | CouponError {
  const refusedCode = refuseTaken(state, command, location);
  if (refusedCode !== null) return refusedCode;
  const book = state.books.get(location!.bookKey)!;
  const holder = state.holders.get(holderMapKey(book.bookKey, command.userId))!;
  const refused = refuseAssign(state, book, holder);
  if (refused !== null) return refused;
  takePlace(state.decks.get(location!.deckKey)!, location!.pos);
  const taken = deal(state, dealCoupon(location!, location!.code, book, holder, state.now, state.validityOf(book)));
  return noteChange(taken, dealOf(taken, command), command.keyed);
}

function discard(
  state: DealState,
  command: DealCommand & { op: 'discard' },
  location: Location | null,
): DealtChange | CouponError {
  const refused = refuseTaken(state, command, location);
  if (refused !== null) return refused;
  const deck = state.decks.get(location!.deckKey)!;
  takePlace(deck, location!.pos);
  deck.voided += 1;
  const book = state.books.get(location!.bookKey)!;
  const discarded = deal(state, dealCoupon(location!, location!.code, book, null, state.now, null));
  return noteChange(discarded, dealOf(discarded, command), command.keyed);
}

/** Why this code can't be taken out of its deck, or null: somebody has it, or it is void, or it never was. */
function refuseTaken(state: DealState, { caller }: DealCommand, location: Location | null): CouponError | null {
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

function refuseAssign(state: DealState, book: BookRules, holder: Holder): CouponError | null {
  const refusal = assignRefusal(book, state.now) ?? refuseMoreCodes(book, holder);
  return refusal === null ? null : new CouponError(refusal);
}

/** Puts a code on the list of what is dealt, and makes it true for the members that follow. */
function deal(state: DealState, dealt: DealtCoupon): DealtCoupon {
  const { place, holder, book, coupon } = dealt;
  if (holder !== null) {
    holder.codes += 1;
    if (book.publicCode !== null) state.dealtTo.set(holderMapKey(book.bookKey, holder.userId), dealt);
  }
  state.coupons.set(placeMapKey(place), coupon);
  state.dealt.push(dealt);
  return dealt;
}
