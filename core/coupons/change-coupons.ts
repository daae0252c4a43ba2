import type { MemberAnswer } from '../batching/micro-batcher.ts';
import { enterBookGate } from '../books/book-gate.ts';
import { type BookRules, readBooksForDecision } from '../books/read-book-rules.ts';
import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import { type Patience, waitForLocks } from '../db/lock-patience.ts';
import { retryTransaction } from '../db/retry-transaction.ts';
import { together } from '../db/together.ts';
import { inTwoSteps, type Transaction } from '../db/transaction.ts';
import { type Location, locateCodes, nowhere } from '../decks/locate-codes.ts';
import { CouponError, type Refusal } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { type Moment, readMoment } from '../idempotency/read-keys.ts';
import type { BookKey } from '../keys.ts';
import { limits } from '../limits.ts';
import { uuidv7 } from '../random.ts';
import { type Decision, decideLock, decideRedeem, decideReverse, decideUnlock, decideVoid } from './coupon-rules.ts';
import type { CouponState } from './coupon-state.ts';
import { findChangeObstacles } from './find-obstacles.ts';
import { findRedemptions, type KnownRedemption, readReversed } from './find-redemptions.ts';
import { type KeyMemory, openKeyMemory } from './key-memory.ts';
import { missingCoupon } from './missing-coupon.ts';
import { thing } from './obstacles.ts';
import { findFree, type Passage, passObstacles } from './pass-obstacles.ts';
import { lockCoupons, placeName, readCouponStates } from './read-coupon-states.ts';
import { type ChangeAnswer, outcomeOf, type PendingChange, recordOf, type Success } from './recorded-change.ts';
import { lockCounters, lockHolders, readUsage, standingOf, type Usage } from './usage-counts.ts';
import { findVoidPlaces } from './void-places.ts';
import { writeChanges } from './write-changes.ts';

/** What every command brings. */
interface Command {
  caller: Caller;
  keyed: KeyedRequest | null;
}

/** A change of a coupon that exists. */
export type CouponCommand = Command &
  (
    | { op: 'lock'; code: string; userId: string; ttlSeconds: number | null; lockToken: string | null }
    | { op: 'unlock'; code: string; userId: string; lockToken: string }
    | {
        op: 'redeem';
        code: string;
        userId: string;
        lockToken: string | null;
        reference: string | null;
        metadata: object | null;
      }
    | { op: 'void'; code: string; reason: string | null }
    | { op: 'reverse'; redemptionId: string; reason: string | null }
  );

/** What a change answers once it is committed. */
export type CouponAnswer = Outcome<ChangeAnswer>;

/** A command with the coupon's place, which never changes and so is found before anything is locked. */
interface Target {
  command: CouponCommand;
  location: Location | null;
  redemption: KnownRedemption | null;
}

/** What the database says under the batch's locks. */
interface Seen {
  books: Map<BookKey, BookRules>;
  coupons: Map<string, CouponState>;
  reversed: Set<string>;
  usage: Usage;
  moment: Moment;
}

/** Everything that the batch decides on, kept up to date as its members change it. */
interface Bench extends Omit<Seen, 'moment'> {
  core: Core;
  tenantId: number;
  now: Date;
  keys: KeyMemory;
  voidPlaces: Set<string>;
  pending: PendingChange[];
}

/**
 * Locks, unlocks, redeems, voids and reverses: one transaction for the whole batch. Locks are taken in the order of
 * the house: gates of the books, holders, coupons, counters; then the clock and the keys are read; then each member is
 * decided in the order of arrival on what the members before it left; then everything is written, set by set.
 * Proved by test/integration/races.test.ts, and by the mutants that take out each lock in turn.
 *
 * Members that need what another session holds are left out, and answered `heldUp`: proved by
 * test/integration/held-up.test.ts.
 * @param isApart whether these members have met a held lock before, and wait for the next one shortly only
 */
export async function changeCoupons(
  core: Core,
  tenantId: number,
  commands: CouponCommand[],
  isApart = false,
): Promise<MemberAnswer<CouponAnswer>[]> {
  const targets = await findTargets(core, tenantId, commands);
  return passObstacles(core.obstacles, targets, passage(core, tenantId), isApart);
}

/** Which of these commands, which were held up, nothing holds up any more. */
export async function areChangesFree(core: Core, tenantId: number, commands: CouponCommand[]): Promise<boolean[]> {
  return findFree(core.obstacles, await findTargets(core, tenantId, commands), passage(core, tenantId));
}

function passage(core: Core, tenantId: number): Passage<Target, CouponAnswer> {
  return {
    needsOf,
    look: (targets) => findChangeObstacles(core, tenantId, locationsOf(targets)),
    run: (targets, patience) => change(core, tenantId, targets, patience),
  };
}

/** The holder is known by its coupon, once that was looked at, and by the user who is named. */
function needsOf({ command, location }: Target): string[] {
  if (location === null) return [];
  const { bookKey } = location;
  const needs = [thing.gate(bookKey), thing.coupon(location), thing.holderOf(location)];
  if ('userId' in command) needs.push(thing.holder(bookKey, command.userId));
  if (mayCount(command)) needs.push(thing.counter(bookKey));
  return needs;
}

async function change(
  core: Core,
  tenantId: number,
  targets: Target[],
  patience: Patience,
): Promise<(CouponAnswer | CouponError)[]> {
  const steps = {
    read: (tx: Transaction) => read(tx, tenantId, targets, patience),
    write: async (tx: Transaction, seen: Seen) => {
      const bench = await prepare(core, tx, tenantId, targets, seen);
      const tokenOf = (coupon: CouponState) => core.lockTokens.tokenOf(tenantId, coupon);
      const answers = targets.map((target) => answerMember(bench, target));
      const stripe = drawStripe(core, [...bench.books.keys()]);
      writeChanges(tx, tenantId, { now: bench.now, books: bench.books, pending: bench.pending, stripe });
      return answers.map((answer) => (answer instanceof CouponError ? answer : outcomeOf(answer, tokenOf)));
    },
  };
  return retryTransaction(core.random, () => inTwoSteps(core.pool, steps));
}

/** A stripe at random; the next one that is known to be free where somebody holds rows of the books' counters. */
function drawStripe({ random, obstacles }: Core, bookKeys: BookKey[]): number {
  const drawn = random.below(limits.bookCounterStripes);
  if (obstacles.isEmpty) return drawn;
  const inTurn = Array.from({ length: limits.bookCounterStripes }, (_, k) => (drawn + k) % limits.bookCounterStripes);
  const free = inTurn.find((stripe) => obstacles.areFree(bookKeys.map((bookKey) => thing.stripe(bookKey, stripe))));
  return free ?? drawn;
}

async function findTargets(core: Core, tenantId: number, commands: CouponCommand[]): Promise<Target[]> {
  const reversals = commands.flatMap((command) => (command.op === 'reverse' ? [command.redemptionId] : []));
  const redemptions = await findRedemptions(core, tenantId, reversals);
  const codes = commands.map((command) => (command.op === 'reverse' ? '' : command.code));
  // A customer must not learn from the time it takes whether a code is one of the pattern: it is always asked for.
  const always = commands.some((command) => command.caller.customerId !== null);
  const locations = await locateCodes(core, tenantId, codes, { always });
  const targets = commands.map((command, index) => {
    const redemption = command.op === 'reverse' ? (redemptions.get(command.redemptionId) ?? null) : null;
    const missing = command.caller.customerId === null ? null : nowhere;
    return { command, redemption, location: redemption?.location ?? locations[index] ?? missing };
  });
  return always ? hideFromCustomers(core, tenantId, targets) : targets;
}

/**
 * Sends a customer's command to nowhere unless the coupon is its own, before anything is locked. A row that is locked and
 * counted took a sixth longer than one that is not there: some hundred tries told which codes somebody holds. Who holds a
 * coupon does not change; one that comes into the customer's hands meanwhile came after the request.
 */
async function hideFromCustomers(core: Core, tenantId: number, targets: Target[]): Promise<Target[]> {
  const ofCustomers = targets.filter(({ command }) => command.caller.customerId !== null);
  const asked = ofCustomers.flatMap(({ location }) => location ?? []);
  const coupons = await readCouponStates(core.pool, tenantId, asked);
  return targets.map((target) => {
    const { customerId } = target.command.caller;
    if (customerId === null || target.location === null) return target;
    const isOwn = coupons.get(placeName(target.location))?.userId === customerId;
    return isOwn ? target : { ...target, location: nowhere };
  });
}

/** Every statement is sent at once, and finds the locks of those before it taken and their owners' changes made. */
async function read(tx: Transaction, tenantId: number, targets: Target[], patience: Patience): Promise<Seen> {
  const locations = locationsOf(targets);
  const bookKeys = [...new Set(locations.map(({ bookKey }) => bookKey))];
  const redemptionIds = targets.flatMap(({ redemption }) => redemption?.id ?? []);
  const [, , books, limited, locked, , reversed, usage, moment] = await together([
    waitForLocks(tx, patience),
    enterBookGate(tx, bookKeys),
    readBooksForDecision(tx, tenantId, bookKeys),
    lockHolders(tx, tenantId, locations),
    lockCoupons(tx, tenantId, locations),
    lockCounters(tx, tenantId, targets.flatMap(countedPlace)),
    readReversed(tx, tenantId, redemptionIds),
    readUsage(tx, tenantId, locations),
    readMoment(tx, tenantId, usedKeyHashes(targets)),
  ]);
  return { books, coupons: withHolderLocked(locked, limited, books), reversed, usage, moment };
}

/**
 * The coupons that may be decided on. One that came to its place since the holders were looked for is left out: its
 * holder is not locked, and can't be once coupons are. Its request was here before the coupon, and is told that there
 * is none.
 */
function withHolderLocked(
  coupons: Map<string, CouponState>,
  limited: Set<string>,
  books: Map<BookKey, BookRules>,
): Map<string, CouponState> {
  const isLimited = ({ bookKey }: CouponState) => (books.get(bookKey)?.maxRedemptionsPerUser ?? null) !== null;
  return new Map([...coupons].filter(([name, coupon]) => !isLimited(coupon) || limited.has(name)));
}

function locationsOf(targets: Target[]): Location[] {
  return targets.flatMap(({ location }) => location ?? []);
}

/** Where a command may change its book's counter. */
function countedPlace({ command, location }: Target): Location[] {
  return mayCount(command) && location !== null ? [location] : [];
}

function mayCount({ op }: CouponCommand): boolean {
  return op === 'redeem' || op === 'reverse' || op === 'void';
}

function usedKeyHashes(targets: Target[]): string[] {
  return targets.flatMap(({ command }) => command.keyed?.keyHash ?? []);
}

async function prepare(
  core: Core,
  tx: Transaction,
  tenantId: number,
  targets: Target[],
  { moment: first, ...seen }: Seen,
): Promise<Bench> {
  const bare = explained(targets).filter((location) => !seen.coupons.has(placeName(location)));
  const voidPlaces = await findVoidPlaces(tx, tenantId, bare);
  // A deck is voided without these locks, and whoever sees that must see its key too: the keys are read again.
  const moment = bare.length === 0 ? first : await readMoment(tx, tenantId, usedKeyHashes(targets));
  return {
    ...seen,
    core,
    tenantId,
    now: moment.now,
    keys: await openKeyMemory(tx, tenantId, moment.usedKeys),
    voidPlaces,
    pending: [],
  };
}

/** The places of which a caller may learn that their codes are void: customers are not told. */
function explained(targets: Target[]): Location[] {
  return targets.flatMap(({ command, location }) =>
    location === null || command.caller.customerId !== null ? [] : [location],
  );
}

function answerMember(bench: Bench, target: Target): Success | CouponError {
  const { command, location } = target;
  const remembered = bench.keys.recall(command.keyed);
  if (remembered !== null) return remembered;
  const coupon = location === null ? undefined : bench.coupons.get(placeName(location));
  const missing = refuseMissing(bench, target, coupon);
  if (missing !== null) return new CouponError(missing);
  const decision = decide(bench, target, coupon!);
  if ('refusal' in decision) return new CouponError(decision.refusal);
  return carryOut(bench, target, coupon!, decision.change);
}

/** To a customer, a code that is not there, is void or is another user's looks the same. */
function refuseMissing(bench: Bench, { command, location }: Target, coupon: CouponState | undefined): Refusal | null {
  if (command.op === 'reverse') {
    if (coupon !== undefined) return null;
    return { kind: 'redemption-not-found', detail: `There is no redemption ${command.redemptionId}.` };
  }
  return missingCoupon(command.caller, coupon, location !== null && bench.voidPlaces.has(placeName(location)));
}

function decide(bench: Bench, { command, redemption }: Target, coupon: CouponState): Decision {
  const { actor } = command.caller;
  const isLockToken = (token: string) => bench.core.lockTokens.isTokenOf(bench.tenantId, coupon, token);
  const standing = standingOf(coupon, bench, isLockToken);
  switch (command.op) {
    case 'lock':
      return decideLock(coupon, standing, { ...command, actor });
    case 'unlock':
      return decideUnlock(coupon, standing, { ...command, actor });
    case 'redeem': {
      const { reference, metadata } = command;
      const id = uuidv7(bench.now.getTime(), bench.core.random);
      return decideRedeem(coupon, standing, { ...command, actor, redemption: { id, reference, metadata } });
    }
    case 'void':
      return decideVoid(coupon, { ...command, actor });
    case 'reverse': {
      const { id } = redemption!;
      return decideReverse(coupon, { id, reversed: bench.reversed.has(id) }, { ...command, actor });
    }
  }
}

/** Makes the change true for the members that follow, and puts it on the list of what is written. */
function carryOut(bench: Bench, { command }: Target, before: CouponState, change: PendingChange['change']): Success {
  const { next } = change;
  const book = bench.books.get(next.bookKey)!;
  const pending = { change, expiresAt: book.endsAt, keyed: command.keyed };
  bench.coupons.set(placeName(next), next);
  bench.pending.push(pending);
  if (change.reversedRedemptionId !== null) bench.reversed.add(change.reversedRedemptionId);
  const used = next.redemptions - before.redemptions;
  addTo(bench.usage.byBook, next.bookKey, used);
  addTo(bench.usage.byHolder, next.holderId ?? 0, used);
  const recorded = recordOf(pending, book.bookId, bench.now);
  bench.keys.remember(command.keyed, recorded);
  return { recorded, replayed: false };
}

/** Adds to a sum that is kept; what no limit counts is not kept. */
function addTo(sums: Map<number, number>, key: number, amount: number): void {
  const sum = sums.get(key);
  if (sum !== undefined) sums.set(key, sum + amount);
}
