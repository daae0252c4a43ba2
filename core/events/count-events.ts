import type { BackgroundTask } from '../background/run-tasks.ts';
import { type EventKind, eventKindNumber } from '../coupons/rules/coupon-state.ts';
import type { BackgroundCore } from '../db/open-pools.ts';
import { isTimeout } from '../db/sql-errors.ts';
import { inTransaction } from '../db/transaction.ts';
import { planByTime } from './plan-by-time.ts';
import { makeStride, type Stride } from './stride.ts';

/** The kinds that reports count, each under its own name. */
export const countedKinds = ['assigned', 'locked', 'redeemed', 'reversed', 'voided'] as const satisfies EventKind[];
/** One of those kinds. */
export type CountedKind = (typeof countedKinds)[number];

const restMillis = 1_000;
/** Some hundred thousand events are counted in a second; days in which nothing happened are gone through in a few. */
const strideRules = { firstMillis: 600_000, leastMillis: 1_000, mostMillis: 86_400_000, wantedEvents: 100_000 };

const countOf = (kind: CountedKind) => `count(*) filter (where e.kind = ${eventKindNumber(kind)})`;
const kindNumbers = countedKinds.map(eventKindNumber).join(', ');

/**
 * Counts settled events for reports, in whichever process comes first. Where a stretch has so many of them that a
 * statement's time is over, the next ones are shorter.
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
 * written in one transaction, so each event is counted once, whatever is killed. Of processes that call it at once one
 * works.
 * @param stride how long the stretch is at most
 * @returns whether more stretches are settled, as after an upgrade of a database with a history
 */
export async function countEvents(
  { backgroundPool }: BackgroundCore,
  stride: Stride = makeStride(strideRules),
): Promise<'more' | 'rest'> {
  return inTransaction(backgroundPool, async (tx) => {
    const { rows } = await tx.query<{ from: string; until: string; isLast: boolean }>({
      name: 'lock-counted-events',
      text: `select counted_until::text as "from", least(next, settled_until)::text as until,
          next >= settled_until as "isLast"
        from (
          select counted_until, counted_until + make_interval(secs => $1::float8 / 1000) as next from counted_events
          for update skip locked) as counted
        cross join settled_events where counted_until < settled_until`,
      values: [stride.millis()],
    });
    const stretch = rows[0];
    if (stretch === undefined) return 'rest';
    await planByTime(tx);
    const counted = await tx.query<{ events: number }>({
      name: 'count-events',
      text: `with counted as materialized (
          select e.tenant_id, d.book_id, date_bin('15 minutes', e.at, 'epoch') as at,
            ${countedKinds.map((kind) => `${countOf(kind)} as ${kind}`).join(', ')}
          from events e join decks d on d.tenant_id = e.tenant_id and d.deck_id = e.deck_id
          where e.at >= $1::text::timestamptz and e.at < $2::text::timestamptz and e.kind in (${kindNumbers})
          group by 1, 2, 3),
        kept as (
          insert into event_counts as c (tenant_id, book_id, at, ${countedKinds.join(', ')})
          select tenant_id, book_id, at, ${countedKinds.join(', ')} from counted
          on conflict (tenant_id, book_id, at) do update set
            ${countedKinds.map((kind) => `${kind} = c.${kind} + excluded.${kind}`).join(', ')})
        select coalesce(sum(${countedKinds.join(' + ')}), 0)::int as events from counted`,
      values: [stretch.from, stretch.until],
    });
    await tx.query({
      name: 'move-counted-events',
      text: 'update counted_events set counted_until = $1::text::timestamptz',
      values: [stretch.until],
    });
    stride.went(counted.rows[0]!.events);
    return stretch.isLast ? 'rest' : 'more';
  });
}
