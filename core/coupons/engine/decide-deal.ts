import type { BookRules } from '../../books/read-book-rules.ts';
import { type DealtDeck, drawPlace, takePlace } from '../../decks/draw-rules.ts';
import type { Location } from '../../decks/locate-codes.ts';
import { placeMapKey } from '../../decks/place.ts';
import { CouponError, type Refusal, refuse } from '../../errors.ts';
import type { BookKey, DeckKey } from '../../keys.ts';
import type { Random } from '../../random.ts';
import { assignRefusal, refuseMoreCodes, voidRefusal } from '../rules/coupon-rules.ts';
import type { CouponState } from '../rules/coupon-state.ts';
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

/**
 * Deals a coupon to a user who brings a public code, and does what the user came for; where that is refused, nothing is
 * dealt. A user who has a coupon is sent back to where coupons are changed.
 */
function use(
  core: DecideCore,
  tenantId: number,
  state: DealState,
  command: DealCommand & { op: 'use' },
): DealtChange | CouponError {
  const { caller, keyed, bookKey, publicCode, userId, use: wanted } = command;
  const book = bookOfPublicCode(state, bookKey, publicCode);
  if (book === null) return new CouponError(missingCoupon(caller, undefined, false)!);
  const holder = state.holders.get(holderMapKey(bookKey, userId))!;
  const before = state.dealtTo.get(holderMapKey(bookKey, userId));
  if (before === undefined && holder.own !== null) return new Redirect(null);
  const coupon = before?.coupon ?? newCoupon(undrawn, book, holder, state.now, state.validityOf(book));
  const surroundings = { ...state, reversed: noReversals };
  const decision = decideChange(core, tenantId, surroundings, { command: wanted, redemption: null }, coupon);
  if ('refusal' in decision)
    return new CouponError(before === undefined ? ofNoCoupon(decision.refusal) : decision.refusal);
  const dealt = before ?? drawFor(core.random, state, book, holder);
  if (dealt instanceof CouponError) return dealt;
  if (before === undefined) noteChange(dealt, dealOf(dealt, command), null);
  const { change } = decision;
  addToUsage(state.usage, bookKey, holder.holderId, change.next.redemptions - coupon.redemptions);
  return noteChange(dealt, change, keyed);
}

const noReversals: ReadonlySet<string> = new Set();

/** There is no coupon whose revision could be told. */
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
