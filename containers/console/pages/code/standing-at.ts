import type { BookRevision, CouponEvent } from '../../calls/types.ts';

/** What stood in the way of using a coupon at a moment, as far as its story and its book tell. */
export type Reason =
  | { kind: 'notAssigned' | 'usedUp' | 'voided' | 'nothing' | 'notYet' | 'bookDraft' | 'bookPaused' | 'bookClosed' }
  | { kind: 'locked' | 'expired' | 'bookNotYet' | 'bookEnded' | 'givenThen'; at: string };

/** What the coupon's view says that no event does. */
interface Limits {
  maxRedemptions: number | null;
  expiresAt: string | null;
}

/** What a book was from a moment on. */
type BookThen = Pick<BookRevision, 'at' | 'status' | 'startsAt' | 'endsAt'>;

const statusReasons = { draft: 'bookDraft', paused: 'bookPaused', closed: 'bookClosed' } as const;

/** People say a time to the minute, and what happened within it counts. */
const minuteMillis = 60_000;

/**
 * Why a coupon was refused in the minute that begins at a moment: every reason that its events, and its book as it then
 * was, give for any instant of it, and `nothing` where they give none. What limits the book and the user had reached
 * then, nothing here tells.
 * @param events the coupon's, by rev
 * @param book what it has been, newest first; of a moment before all of them the oldest counts
 * @param now in milliseconds since 1970: of a minute that has not come, nothing is known but that
 */
export function reasonsAt(
  moment: Date,
  events: readonly CouponEvent[],
  limits: Limits,
  book: readonly BookThen[],
  now: number,
): Reason[] {
  const [first, last] = [moment.getTime(), Math.min(now, moment.getTime() + minuteMillis - 1)];
  if (first > now) return [{ kind: 'notYet' }];
  const turns = [...events, ...book].map(({ at }) => Date.parse(at)).filter((at) => at > first && at <= last);
  const found = new Map<string, Reason>();
  for (const instant of [first, ...turns, last]) {
    for (const reason of reasonsIn(instant, events, limits, book)) {
      if (!found.has(reason.kind)) found.set(reason.kind, reason);
    }
  }
  // Nobody had it at first, and somebody at the end: both alone would contradict one another.
  const given = events.find(({ kind, at }) => kind === 'assigned' && Date.parse(at) > first && Date.parse(at) <= last);
  if (given !== undefined) found.set('notAssigned', { kind: 'givenThen', at: given.at });
  return found.size === 0 ? [{ kind: 'nothing' }] : [...found.values()];
}

/** A user who was erased since, whose id is gone. */
export const erased = Symbol('erased');

/** Whose the coupon was at the end of the minute that begins at a moment; null: nobody's. */
export function holderAt(moment: Date, events: readonly CouponEvent[]): string | typeof erased | null {
  const end = moment.getTime() + minuteMillis;
  const latest = events.findLast(
    ({ kind, at }) => (kind === 'assigned' || kind === 'transferred') && Date.parse(at) < end,
  );
  if (latest === undefined) return null;
  const receiver = latest.kind === 'assigned' ? latest.userId : latest.data['toUserId'];
  return typeof receiver === 'string' ? receiver : erased;
}

function reasonsIn(
  instant: number,
  events: readonly CouponEvent[],
  { maxRedemptions, expiresAt }: Limits,
  book: readonly BookThen[],
): Reason[] {
  const isPast = (time: string | null) => time !== null && Date.parse(time) <= instant;
  const before = events.filter(({ at }) => isPast(at));
  const reasons: Reason[] = [];
  const then = book.find(({ at }) => isPast(at)) ?? book.at(-1);
  if (then !== undefined && then.status !== 'active') reasons.push({ kind: statusReasons[then.status] });
  if (then?.startsAt != null && !isPast(then.startsAt)) reasons.push({ kind: 'bookNotYet', at: then.startsAt });
  if (then?.endsAt != null && isPast(then.endsAt)) reasons.push({ kind: 'bookEnded', at: then.endsAt });
  else if (expiresAt !== null && isPast(expiresAt)) reasons.push({ kind: 'expired', at: expiresAt });
  if (!before.some(({ kind }) => kind === 'assigned')) reasons.push({ kind: 'notAssigned' });
  if (before.some(({ kind }) => kind === 'voided')) reasons.push({ kind: 'voided' });
  const count = (wanted: CouponEvent['kind']) => before.filter(({ kind }) => kind === wanted).length;
  if (maxRedemptions !== null && count('redeemed') - count('reversed') >= maxRedemptions)
    reasons.push({ kind: 'usedUp' });
  const lock = before.findLast(({ kind }) => kind !== 'reversed');
  const until = lock?.data['lockedUntil'];
  if ((lock?.kind === 'locked' || lock?.kind === 'lock-renewed') && typeof until === 'string' && !isPast(until))
    reasons.push({ kind: 'locked', at: until });
  return reasons;
}
