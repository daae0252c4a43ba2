import type { Book, CouponEvent } from '../../calls/types.ts';

/** What stood in the way of using a coupon at a moment, as far as its story and its book tell. */
export type Reason =
  | { kind: 'notAssigned' | 'usedUp' | 'voided' | 'nothing' }
  | { kind: 'locked' | 'expired' | 'bookNotYet' | 'bookEnded'; at: string };

/** What the coupon's view says that no event does. */
interface Limits {
  maxRedemptions: number | null;
  expiresAt: string | null;
}

/** People say a time to the minute, and what happened within it counts. */
const minuteMillis = 60_000;

/**
 * Why a coupon was refused in the minute that begins at a moment: every reason that its events and its book's window
 * give for any instant of it, and `nothing` where they give none. What the book's status and limits were then, they do
 * not tell.
 * @param events the coupon's, by rev
 */
export function reasonsAt(
  moment: Date,
  events: readonly CouponEvent[],
  limits: Limits,
  window: Pick<Book, 'startsAt' | 'endsAt'>,
): Reason[] {
  const [first, last] = [moment.getTime(), moment.getTime() + minuteMillis - 1];
  const turns = events.map(({ at }) => Date.parse(at)).filter((at) => at > first && at <= last);
  const found = new Map<string, Reason>();
  for (const instant of [first, ...turns, last]) {
    for (const reason of reasonsIn(instant, events, limits, window)) {
      if (!found.has(reason.kind)) found.set(reason.kind, reason);
    }
  }
  return found.size === 0 ? [{ kind: 'nothing' }] : [...found.values()];
}

/** Whose the coupon was at the end of the minute that begins at a moment; null: nobody's, or a user's who was erased. */
export function holderAt(moment: Date, events: readonly CouponEvent[]): string | null {
  const end = moment.getTime() + minuteMillis;
  const latest = events.findLast(
    ({ kind, at }) => (kind === 'assigned' || kind === 'transferred') && Date.parse(at) < end,
  );
  if (latest === undefined) return null;
  const receiver = latest.kind === 'assigned' ? latest.userId : latest.data['toUserId'];
  return typeof receiver === 'string' ? receiver : null;
}

function reasonsIn(
  instant: number,
  events: readonly CouponEvent[],
  { maxRedemptions, expiresAt }: Limits,
  { startsAt, endsAt }: Pick<Book, 'startsAt' | 'endsAt'>,
): Reason[] {
  const isPast = (time: string | null) => time !== null && Date.parse(time) <= instant;
  const before = events.filter(({ at }) => isPast(at));
  const reasons: Reason[] = [];
  if (startsAt !== null && !isPast(startsAt)) reasons.push({ kind: 'bookNotYet', at: startsAt });
  if (endsAt !== null && isPast(endsAt)) reasons.push({ kind: 'bookEnded', at: endsAt });
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
