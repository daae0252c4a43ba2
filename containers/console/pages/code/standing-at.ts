import type { BookRevision, CouponEvent } from '../../calls/types.ts';

/** What stood in the way of using a coupon at a moment, as far as its story and its book tell. */
export type Reason =
  | { kind: 'notAssigned' | 'usedUp' | 'voided' | 'nothing' | 'notYet' | 'bookDraft' | 'bookPaused' | 'bookClosed' }
  | { kind: 'locked' | 'expired' | 'bookNotYet' | 'bookEnded'; at: string };

/** The part of a minute in which something held, in milliseconds since 1970; null: from its start, to its end. */
export interface Span {
  from: number | null;
  to: number | null;
}

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
 * was, give for any instant of it, each with the part of the minute in which it held, in their order; and `nothing`
 * where they give none. What limits the book and the user had reached then, nothing here tells.
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
): (Reason & Span)[] {
  const first = moment.getTime();
  if (first > now) return [{ kind: 'notYet', from: null, to: null }];
  const turns = [
    ...[...events, ...book].map(({ at }) => at),
    ...book.flatMap(({ startsAt, endsAt }) => [startsAt, endsAt]),
    ...events.map(({ data }) => data['lockedUntil']),
    limits.expiresAt,
  ].filter((at) => typeof at === 'string');
  const found = spansOf(first, Math.min(now, first + minuteMillis - 1), turns, (instant) =>
    reasonsIn(instant, events, limits, book),
  );
  return found.length === 0 ? [{ kind: 'nothing', from: null, to: null }] : found;
}

/** A user who was erased since, whose id is gone. */
export const erased = Symbol('erased');

/** Whose the coupon was in the minute that begins at a moment, each for the part of it in which it was theirs. */
export function holdersAt(moment: Date, events: readonly CouponEvent[]): ({ user: string | typeof erased } & Span)[] {
  const first = moment.getTime();
  const turns = events.filter(({ kind }) => kind === 'assigned' || kind === 'transferred');
  return spansOf(
    first,
    first + minuteMillis - 1,
    turns.map(({ at }) => at),
    (instant) => {
      const latest = turns.findLast(({ at }) => Date.parse(at) <= instant);
      if (latest === undefined) return [];
      const receiver = latest.kind === 'assigned' ? latest.userId : latest.data['toUserId'];
      return [{ user: typeof receiver === 'string' ? receiver : erased }];
    },
  );
}

/**
 * What held between two instants, both included, each with its span.
 * @param turns the times at which it may change
 * @param at what holds at an instant
 */
function spansOf<What extends object>(
  first: number,
  last: number,
  turns: readonly string[],
  at: (instant: number) => What[],
): (What & Span)[] {
  const within = turns.map((time) => Date.parse(time)).filter((time) => time > first && time <= last);
  const all: (What & Span)[] = [];
  let open = new Map<string, What & Span>();
  for (const instant of [first, ...new Set(within.toSorted((one, other) => one - other))]) {
    const held = new Map<string, What & Span>();
    for (const what of at(instant)) {
      const name = JSON.stringify(what);
      const span = open.get(name) ?? { ...what, from: instant === first ? null : instant, to: null };
      if (!open.has(name)) all.push(span);
      held.set(name, span);
    }
    for (const [name, span] of open) if (!held.has(name)) span.to = instant;
    open = held;
  }
  return all;
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
