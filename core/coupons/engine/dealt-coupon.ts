import type { BookRules } from '../../books/read-book-rules.ts';
import type { Place } from '../../decks/place.ts';
import type { BookKey } from '../../keys.ts';
import { type Change, type CouponState, expiryOf } from '../rules/coupon-state.ts';
import { newCoupon, undrawn } from '../rules/new-coupon.ts';
import type { PendingChange, RecordedChange } from '../rules/recorded-change.ts';
import { recordOf } from '../rules/recorded-change.ts';
import { endOfValidity } from '../rules/validity.ts';
import type { DealCommand } from './commands.ts';
import type { Holder } from './holders.ts';

/**
 * A code that leaves its deck and becomes a coupon. What was drawn is a place only: which code stands there is computed
 * or read once the whole batch is decided, and until then the coupon has none.
 */
export interface DealtCoupon {
  readonly place: Place;
  /** As it is stored, where the code was named; null where it was drawn. */
  readonly namedCode: string | null;
  readonly book: BookRules;
  /** Null for a code that is voided. */
  readonly holder: Holder | null;
  /** As its changes so far have left it. */
  coupon: CouponState;
  /** What is written of it, the deal first. */
  readonly changes: PendingChange[];
}

/** A change of a coupon that the batch deals. */
export interface DealtChange {
  readonly dealt: DealtCoupon;
  /** Which of its changes. */
  readonly at: number;
}

/** The coupon that a code becomes when it leaves its deck: assigned to the holder, or void where there is none. */
export function dealCoupon(
  place: Place,
  namedCode: string | null,
  book: BookRules,
  holder: Holder | null,
  now: Date,
  validUntil: Date | null,
): DealtCoupon {
  const { deckKey, pos } = place;
  const coupon = newCoupon({ deckKey, pos, code: namedCode ?? undrawn.code }, book, holder, now, validUntil);
  return { place, namedCode, book, holder, coupon, changes: [] };
}

/** The first change of a coupon that was dealt, as the command wants it written. */
export function dealOf({ coupon, holder }: DealtCoupon, { caller, ...command }: DealCommand): Change {
  return {
    kind: holder === null ? 'voided' : 'assigned',
    next: coupon,
    actor: caller.actor,
    reason: command.op === 'discard' ? command.reason : null,
    redemption: null,
    reversedRedemptionId: null,
  };
}

/**
 * Notes a change of a coupon that was dealt, and makes it true for the members that follow.
 * @param keyed of the member whose change it is; null where another change of that member has it
 */
export function noteChange(dealt: DealtCoupon, change: Change, keyed: PendingChange['keyed']): DealtChange {
  const { deckKey, pos, code } = dealt.coupon;
  const next = { ...change.next, deckKey, pos, code };
  dealt.coupon = next;
  dealt.changes.push({ change: { ...change, next }, expiresAt: expiryOf(next, dealt.book.endsAt), keyed });
  return { dealt, at: dealt.changes.length - 1 };
}

/** The changes of a coupon whose code is known, to be written. */
export function changesWithCode({ changes }: DealtCoupon, code: string): PendingChange[] {
  return changes.map((pending) => {
    const { change } = pending;
    return { ...pending, change: { ...change, next: { ...change.next, code } } };
  });
}

/** How the change of a coupon is recorded, of which these are all the changes. */
export function recordDealt({ dealt, at }: DealtChange, changes: PendingChange[], now: Date): RecordedChange {
  return recordOf(changes[at]!, dealt.book, now);
}

/** When a coupon's own time ends that is assigned now; null where its book gives it none. Computed once a book. */
export function openValidity(now: Date): (book: BookRules) => Date | null {
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
