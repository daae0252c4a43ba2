import type { BackgroundTask } from '../background/run-tasks.ts';
import { type EventKind, eventKindNumber } from '../coupons/rules/coupon-state.ts';
import type { BackgroundCore } from '../db/open-pools.ts';
import { isTimeout } from '../db/sql-errors.ts';
import { inTransaction } from '../db/transaction.ts';
import { indexNewEvents } from './index-new-events.ts';
import { planByTime } from './plan-by-time.ts';
import { makeStride, type Stride } from './stride.ts';

/** The kinds that reports count, each under its own name. */
export const countedKinds = ['assigned', 'locked', 'redeemed', 'reversed', 'voided'] as const satisfies EventKind[];
/** One of those kinds. */
export type CountedKind = (typeof countedKinds)[number];

const restMillis = 1_000;
/** Some hundred thousand events are counted in a second; days in which nothing happened are gone through in a few. */
const strideRules = {
  firstMillis: 600_000,
  leastMillis: 1_000,
  mostMillis: 86_400_000,
  wantedEvents: 100_000,
  // Each run reads again all events that are not in the index of times yet. So while there are many, a run begins only
  // every few seconds.
  gatherMillis: 4_000,
  busyEvents: 1_000,
};

const sumOf = (kind: CountedKind) => `coalesce(sum(events) filter (where counted.kind = ${eventKindNumber(kind)}), 0)`;

/**
 * Counts settled events for reports, in whichever process comes first. If a stretch has so many of them that its
 * statement times out, the next stretches are shorter.
 */
export function countTask(core: BackgroundCore): BackgroundTask {
  const stride = makeStride(strideRules);
  return {
    name: 'count events',
    restMillis,
    async run() {
      try {
        return await countEvents(core, stride);
      } catch (error) {
        if (isTimeout(error)) stride.tookTooLong();
        throw error;
      }
    },
  };
}

/**
 * Counts the next stretch of settled events by book and quarter of an hour. The counts and how far they reach are
 * written in one transaction, so each event is counted once, whichever process is killed. If several processes call it
 * at once, one of them works.
 * @param stride how long the stretch is
 * @returns whether more stretches are settled, as after an upgrade of a database with a history
 */
export async function countEvents(
  core: BackgroundCore,
  stride: Stride = makeStride(strideRules),
): Promise<'more' | 'rest'> {
  const counted = await countStretch(core, stride);
  if (counted === null) return 'rest';
  stride.went(counted.events);
  if (!counted.isLast) return 'more';
  if (stride.gatherMillis() > 0) await indexNewEvents(core, counted);
  return 'rest';
}

interface Stretch {
  from: string;
  until: string;
  /** Whether all is counted that is settled. */
  isLast: boolean;
}

interface CountedStretch extends Stretch {
  events: number;
}

/** Returns null where no stretch is settled, or another process is at it. */
function countStretch({ backgroundPool }: BackgroundCore, stride: Stride): Promise<CountedStretch | null> {
  return inTransaction(backgroundPool, async (tx) => {
    const { rows } = await tx.query<Stretch>({
      name: 'lock-counted-events',
      text: `select counted_until::text as "from", least(next, settled_until)::text as until,
          next >= settled_until as "isLast"
        from (
          select counted_until, counted_until + make_interval(secs => $1::float8 / 1000) as next from counted_events
          for update skip locked) as counted
        cross join settled_events
        where counted_until < settled_until and counted_until + make_interval(secs => $2::float8 / 1000) <= settled_until`,
      values: [stride.millis(), stride.gatherMillis()],
    });
    const stretch = rows[0];
    if (stretch === undefined) return null;
    await planByTime(tx);
    const counted = await tx.query<{ events: number }>({
      name: 'count-events',
      // By deck and kind first: so a row of events is counted once, and only the sums look for their book.
      text: `with counted as materialized (
          select tenant_id, deck_id, date_bin('15 minutes', at, 'epoch') as at, kind, count(*) as events from events
          where at >= $1::text::timestamptz and at < $2::text::timestamptz group by 1, 2, 3, 4),
        kept as (
          insert into event_counts as c (tenant_id, book_id, at, ${countedKinds.join(', ')})
          select counted.tenant_id, book_id, at, ${countedKinds.map(sumOf).join(', ')}
          from counted join decks d on d.tenant_id = counted.tenant_id and d.deck_id = counted.deck_id
          where counted.kind in (${countedKinds.map(eventKindNumber).join(', ')}) group by 1, 2, 3
          on conflict (tenant_id, book_id, at) do update set
            ${countedKinds.map((kind) => `${kind} = c.${kind} + excluded.${kind}`).join(', ')})
        select coalesce(sum(events), 0)::int as events from counted`,
      values: [stretch.from, stretch.until],
    });
    await tx.query({
      name: 'move-counted-events',
      text: 'update counted_events set counted_until = $1::text::timestamptz',
      values: [stretch.until],
    });
    return { ...stretch, events: counted.rows[0]!.events };
  });
}
