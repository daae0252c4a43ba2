import type { MemberAnswer } from '../batching/micro-batcher.ts';
import { enterBookGate } from '../books/book-gate.ts';
import { type BookRules, readBooksForDecision } from '../books/read-book-rules.ts';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { type Patience, waitForLocks } from '../db/lock-patience.ts';
import { retryTransaction } from '../db/retry-transaction.ts';
import { together } from '../db/together.ts';
import { inTwoSteps, type Transaction } from '../db/transaction.ts';
import { codesAt } from '../decks/codes-at.ts';
import { lockDealers, readDealtDecks, writeDealtDecks } from '../decks/dealers.ts';
import type { Mark } from '../decks/deck-marks.ts';
import { type DealtDeck, drawPlace, takePlace } from '../decks/draw-rules.ts';
import { type Location, locateCodes } from '../decks/locate-codes.ts';
import { CouponError, refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { type Moment, readMoment } from '../idempotency/read-keys.ts';
import type { BookKey, DeckKey } from '../keys.ts';
import type { CouponAnswer } from './change-coupons.ts';
import { assignRefusal, voidRefusal } from './coupon-rules.ts';
import type { CouponState } from './coupon-state.ts';
import { findDealObstacles } from './find-obstacles.ts';
import { type Holder, holderName, insertHolders, readHolders } from './holders.ts';
import { insertCoupons } from './insert-coupons.ts';
import { type KeyMemory, openKeyMemory } from './key-memory.ts';
import { missingCoupon } from './missing-coupon.ts';
import { thing } from './obstacles.ts';
import { findFree, type Passage, passObstacles } from './pass-obstacles.ts';
import { placeName, readCouponStates } from './read-coupon-states.ts';
import { outcomeOf, type PendingChange, recordOf, type Success } from './recorded-change.ts';
import { writeEvents } from './write-events.ts';

/** What takes a code out of a deck. `bookId` is null for a book that does not exist. */
export type DealCommand = { caller: Caller; keyed: KeyedRequest | null } & (
  | { op: 'draw'; bookKey: BookKey | null; userId: string }
  | { op: 'take'; code: string; userId: string }
  | { op: 'discard'; code: string; reason: string | null }
);

interface Target {
  command: DealCommand;
  bookKey: BookKey | null;
  location: Location | null;
}

/** A coupon about to be made. After a draw, its code is filled in once all are decided. */
interface NewCoupon {
  pending: PendingChange;
  holder: Holder | null;
  /** Taken out of the deal by name, which a restored database must be told of. */
  byName: boolean;
}

/** What the database says under the batch's locks. */
interface Seen {
  books: Map<BookKey, BookRules>;
  decks: Map<DeckKey, DealtDeck & { bookKey: BookKey }>;
  holders: Map<string, Holder>;
  coupons: Map<string, CouponState>;
  moment: Moment;
}

/** Everything that the batch decides on, kept up to date as its members take codes. */
interface Bench extends Omit<Seen, 'moment'> {
  core: Core;
  now: Date;
  keys: KeyMemory;
  decksOfBook: Map<BookKey, DealtDeck[]>;
  made: NewCoupon[];
}

/**
 * Assigns random codes, assigns codes by name, and voids codes that nobody has: one transaction for the whole batch.
 * Locks: gates of the books, then their dealers, under which every code leaves its deck. So what is left is exact, a
 * code can't be dealt twice, and a user's coupons can be counted. Proved by test/integration/races.test.ts.
 *
 * Members that need what another session holds are left out, and answered `heldUp`: proved by
 * test/integration/held-up.test.ts.
 * @param isApart whether these members have met a held lock before, and wait for the next one shortly only
 */
export async function dealCodes(
  core: Core,
  tenantId: number,
  commands: DealCommand[],
  isApart = false,
): Promise<MemberAnswer<CouponAnswer>[]> {
  const targets = await findTargets(core, tenantId, commands);
  return passObstacles(core.obstacles, targets, passage(core, tenantId), isApart);
}

/** Which of these commands, which were held up, nothing holds up any more. */
export async function areDealsFree(core: Core, tenantId: number, commands: DealCommand[]): Promise<boolean[]> {
  return findFree(core.obstacles, await findTargets(core, tenantId, commands), passage(core, tenantId));
}

function passage(core: Core, tenantId: number): Passage<Target, CouponAnswer> {
  return {
    needsOf: ({ bookKey }) => (bookKey === null ? [] : [thing.gate(bookKey), thing.dealer(bookKey)]),
    look: (targets) => findDealObstacles(core, tenantId, booksOf(targets)),
    run: (targets, patience) => deal(core, tenantId, targets, patience),
  };
}

function booksOf(targets: Target[]): BookKey[] {
  return [...new Set(targets.flatMap(({ bookKey }) => bookKey ?? []))];
}

async function deal(
  core: Core,
  tenantId: number,
  targets: Target[],
  patience: Patience,
): Promise<(CouponAnswer | CouponError)[]> {
  const steps = {
    read: (tx: Transaction) => read(tx, tenantId, targets, patience),
    write: async (tx: Transaction, seen: Seen) => {
      const bench = await prepare(core, tx, tenantId, seen);
      const answers = targets.map((target) => answerMember(bench, target));
      // COMMIT goes out with what is written, so the marks are out before either.
      await together([markDealt(tenantId, bench), fillInCodes(tx, tenantId, bench)]);
      write(tx, tenantId, bench);
      return answers;
    },
  };
  const tokenOf = (coupon: CouponState) => core.lockTokens.tokenOf(tenantId, coupon);
  const answers = await retryTransaction(core.random, () => inTwoSteps(core.pool, steps));
  return answers.map((answer) => (answer instanceof CouponError ? answer : outcomeOf(answer, tokenOf)));
}

/**
 * Notes outside the database how far the batch deals its decks, and what it takes ahead of the deal. A mark too many
 * voids a code after a restore, one too few deals it twice. Proved by test/integration/restore-kills.test.ts.
 */
async function markDealt(tenantId: number, { core, made, decks }: Bench): Promise<void> {
  if (made.length === 0) return;
  const places = made.map(({ pending }) => pending.change.next);
  const touched = [...new Set(places.map(({ deckKey }) => deckKey))].map((deckKey) => decks.get(deckKey)!);
  await core.deckMarks.write({
    decks: touched.map(({ deckKey, nextPos }): Mark => [tenantId, deckKey, nextPos]),
    taken: made.flatMap(({ pending, byName }): Mark[] => {
      const { deckKey, pos } = pending.change.next;
      return byName && pos >= decks.get(deckKey)!.nextPos ? [[tenantId, deckKey, pos]] : [];
    }),
  });
}

async function findTargets(core: Core, tenantId: number, commands: DealCommand[]): Promise<Target[]> {
  const named = commands.flatMap((command) => (command.op === 'draw' ? [] : [command.code]));
  const locations = (await locateCodes(core, tenantId, named, { always: false })).values();
  return commands.map((command) => {
    if (command.op === 'draw') return { command, bookKey: command.bookKey, location: null };
    const location = locations.next().value ?? null;
    return { command, bookKey: location?.bookKey ?? null, location };
  });
}

/** Every statement is sent at once, and finds the locks of those before it taken and their owners' changes made. */
async function read(tx: Transaction, tenantId: number, targets: Target[], patience: Patience): Promise<Seen> {
  const bookKeys = booksOf(targets);
  const wanted = targets.flatMap(({ location }) => location ?? []);
  const deckKeys = [...new Set(wanted.map(({ deckKey }) => deckKey))];
  const keyHashes = targets.flatMap(({ command }) => command.keyed?.keyHash ?? []);
  const [, , books, , decks, holders, coupons, moment] = await together([
    waitForLocks(tx, patience),
    enterBookGate(tx, bookKeys),
    readBooksForDecision(tx, tenantId, bookKeys),
    lockDealers(tx, tenantId, bookKeys),
    readDealtDecks(tx, tenantId, { bookKeys, deckKeys, members: targets.length, wanted }),
    readHolders(tx, tenantId, targets.flatMap(wantedHolder)),
    // Before the keys: a coupon is changed without the dealer's lock, and whoever sees a change sees its key too.
    readCouponStates(tx, tenantId, wanted),
    readMoment(tx, tenantId, keyHashes),
  ]);
  return { books, decks, holders, coupons, moment };
}

async function prepare(core: Core, tx: Transaction, tenantId: number, { moment, ...seen }: Seen): Promise<Bench> {
  return {
    ...seen,
    core,
    now: moment.now,
    keys: await openKeyMemory(tx, tenantId, moment.usedKeys),
    decksOfBook: groupByBook(seen.decks.values()),
    made: [],
  };
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

function answerMember(bench: Bench, target: Target): Success | CouponError {
  const remembered = bench.keys.recall(target.command.keyed);
  // Of two refusals, what the caller may not do at all comes before trouble with its key; a replay is no refusal.
  if (remembered instanceof CouponError) return refuseClaim(bench, target.command) ?? remembered;
  if (remembered !== null) return remembered;
  switch (target.command.op) {
    case 'draw':
      return draw(bench, target.command);
    case 'take':
      return take(bench, target.command, target.location);
    case 'discard':
      return discard(bench, target.command, target.location);
  }
}

function draw(bench: Bench, command: DealCommand & { op: 'draw' }): Success | CouponError {
  const book = command.bookKey === null ? undefined : bench.books.get(command.bookKey);
  if (book === undefined) return refuse('book-not-found', 'There is no such book.');
  const forbidden = refuseClaim(bench, command);
  if (forbidden !== null) return forbidden;
  const holder = bench.holders.get(holderName(book.bookKey, command.userId))!;
  const refused = refuseAssign(bench, book, holder);
  if (refused !== null) return refused;
  const decks = bench.decksOfBook.get(book.bookKey) ?? [];
  const place = drawPlace(decks, bench.core.random);
  if (place === null) return refuse('no-codes-left', 'Every code of the book has been handed out or voided.');
  return make(bench, command, book, holder, { ...place, bookKey: book.bookKey, code: '' });
}

/** Why a customer may not draw from this book, or null: only where the book lets it, and no other role is asked. */
function refuseClaim(bench: Bench, command: DealCommand): CouponError | null {
  if (command.op !== 'draw' || command.caller.customerId === null || command.bookKey === null) return null;
  if (bench.books.get(command.bookKey)?.selfService !== false) return null;
  return refuse('forbidden', 'The book does not let customers claim codes by themselves.');
}

function take(bench: Bench, command: DealCommand & { op: 'take' }, location: Location | null): Success | CouponError {
  const refusedCode = refuseTaken(bench, command, location);
  if (refusedCode !== null) return refusedCode;
  const book = bench.books.get(location!.bookKey)!;
  const holder = bench.holders.get(holderName(book.bookKey, command.userId))!;
  const refused = refuseAssign(bench, book, holder);
  if (refused !== null) return refused;
  takePlace(bench.decks.get(location!.deckKey)!, location!.pos);
  return make(bench, command, book, holder, location!);
}

function discard(
  bench: Bench,
  command: DealCommand & { op: 'discard' },
  location: Location | null,
): Success | CouponError {
  const refused = refuseTaken(bench, command, location);
  if (refused !== null) return refused;
  const deck = bench.decks.get(location!.deckKey)!;
  takePlace(deck, location!.pos);
  deck.voided += 1;
  return make(bench, command, bench.books.get(location!.bookKey)!, null, location!);
}

/** Why this code can't be taken out of its deck, or null: somebody has it, or it is void, or it never was. */
function refuseTaken(bench: Bench, { caller }: DealCommand, location: Location | null): CouponError | null {
  if (location === null) return new CouponError(missingCoupon(caller, undefined, false)!);
  const coupon = bench.coupons.get(placeName(location));
  if (coupon?.voided) return new CouponError(voidRefusal(coupon));
  if (coupon !== undefined) {
    return refuse('code-already-assigned', 'The code is in a user’s hands already.', { rev: coupon.rev });
  }
  const deck = bench.decks.get(location.deckKey)!;
  return location.pos < deck.nextPos ? new CouponError(missingCoupon(caller, undefined, true)!) : null;
}

function refuseAssign(bench: Bench, book: BookRules, holder: Holder): CouponError | null {
  const refusal = assignRefusal(book, bench.now);
  if (refusal !== null) return new CouponError(refusal);
  if (book.maxCodesPerUser === null || holder.codes < book.maxCodesPerUser) return null;
  return refuse('user-limit-reached', `The book allows ${book.maxCodesPerUser} codes a user.`);
}

/** Puts a new coupon on the list of what is written, and makes it true for the members that follow. */
function make(
  bench: Bench,
  { caller, keyed, ...command }: DealCommand,
  book: BookRules,
  holder: Holder | null,
  location: Location,
): Success {
  const coupon = newCoupon(location, book, holder, bench.now);
  const pending: PendingChange = {
    change: {
      kind: holder === null ? 'voided' : 'assigned',
      next: coupon,
      actor: caller.actor,
      reason: command.op === 'discard' ? command.reason : null,
      redemption: null,
      reversedRedemptionId: null,
    },
    expiresAt: book.endsAt,
    keyed,
  };
  if (holder !== null) holder.codes += 1;
  bench.coupons.set(placeName(coupon), coupon);
  bench.made.push({ pending, holder, byName: command.op !== 'draw' });
  const recorded = recordOf(pending, book.bookId, bench.now);
  bench.keys.remember(keyed, recorded);
  return { recorded, replayed: false };
}

function newCoupon(
  { deckKey, pos, bookKey, code }: Location,
  book: BookRules,
  holder: Holder | null,
  now: Date,
): CouponState {
  return {
    deckKey,
    pos,
    bookKey,
    code,
    holderId: holder?.holderId ?? null,
    userId: holder?.userId ?? null,
    assignedAt: holder === null ? null : now,
    maxRedemptions: book.maxRedemptionsPerCode,
    rev: 1,
    redemptions: 0,
    reversals: 0,
    fence: 0,
    hasPlainToken: false,
    lockExpiresAt: null,
    voided: holder === null,
  };
}

function write(tx: Transaction, tenantId: number, { made, decks, now }: Bench): void {
  if (made.length === 0) return;
  const holders = new Set(made.flatMap(({ holder }) => (holder?.isNew ? [holder] : [])));
  insertHolders(tx, tenantId, [...holders]);
  const coupons = made.map(({ pending }) => pending.change.next);
  insertCoupons(tx, tenantId, coupons);
  const touched = new Set(coupons.map(({ deckKey }) => deckKey));
  writeDealtDecks(
    tx,
    tenantId,
    [...decks.values()].filter(({ deckKey }) => touched.has(deckKey)),
  );
  writeEvents(
    tx,
    tenantId,
    now,
    made.map(({ pending }) => pending),
  );
}

async function fillInCodes(tx: Transaction, tenantId: number, { core, made }: Bench): Promise<void> {
  const drawn = made.map(({ pending }) => pending.change.next).filter((coupon) => coupon.code === '');
  const codes = await codesAt(core, tx, tenantId, drawn);
  for (const [index, coupon] of drawn.entries()) coupon.code = codes[index]!;
}
