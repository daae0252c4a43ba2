import type { BackgroundTask } from '../../background/run-tasks.ts';
import type { BackgroundCore } from '../../db/open-pools.ts';
import { inTransaction, type Transaction } from '../../db/transaction.ts';
import { planByTime } from '../../events/plan-by-time.ts';
import { makeStride, type Stride } from '../../events/stride.ts';
import { eventTypeNumbers, subjects } from '../event-types.ts';

const restMillis = 1_000;

/** Hands settled events on to webhooks, in whichever process comes first. */
export function fanOutTask(core: BackgroundCore): BackgroundTask {
  const stride = makeStride();
  return { name: 'hand on events', restMillis, run: () => fanOutEvents(core, stride) };
}

/**
 * Makes a delivery of each event of the next stretch of settled events, and of each job that ended in it, for each
 * webhook that wants to be told of it. The deliveries and how far they reach are written in one transaction, so each is
 * made once, whichever process is killed. If several processes call it at once, one of them works.
 * @returns whether there is more
 */
export async function fanOutEvents({ backgroundPool }: BackgroundCore, stride: Stride): Promise<'more' | 'rest'> {
  return inTransaction(backgroundPool, async (tx) => {
    const stretch = await nextStretch(tx, stride.millis());
    if (stretch === null) return 'rest';
    const made = stretch.isWanted ? (await tellCoupons(tx, stretch)) + (await tellJobs(tx, stretch)) : 0;
    await tx.query({
      name: 'move-handed-on-events',
      text: 'update webhook_events set read_until = $1::text::timestamptz',
      values: [stretch.until],
    });
    stride.went(made);
    return stretch.isLast ? 'rest' : 'more';
  });
}

interface Stretch {
  from: string;
  until: string;
  isLast: boolean;
  /** Whether there is any webhook that is told of anything. */
  isWanted: boolean;
}

/** Where nobody wants to be told of anything, the stretch is all there is. */
async function nextStretch(tx: Transaction, millis: number): Promise<Stretch | null> {
  const { rows } = await tx.query<Stretch>({
    name: 'next-stretch-of-events',
    text: `select read_until::text as "from", until::text, until = settled_until as "isLast", "isWanted"
      from (select read_until from webhook_events for no key update skip locked) as handed
      cross join (select settled_until from settled_events) as settled
      cross join (select exists (select from webhooks where status = 'enabled') as "isWanted") as wanted
      cross join lateral (select case when "isWanted"
        then least(settled_until, read_until + make_interval(secs => $1::float8 / 1000)) else settled_until end as until) as step
      where read_until < settled_until`,
    values: [millis],
  });
  return rows[0] ?? null;
}

async function tellCoupons(tx: Transaction, { from, until }: Stretch): Promise<number> {
  await planByTime(tx);
  const { rowCount } = await tx.query({
    name: 'hand-on-events',
    text: `insert into webhook_deliveries (tenant_id, webhook_id, type, subject, part, pos, rev, at, created_at, next_at)
      select e.tenant_id, w.webhook_id, e.kind, ${subjects.coupon}, e.deck_id, e.pos, e.rev, e.at, now, now
      from events e join webhooks w on w.tenant_id = e.tenant_id and w.status = 'enabled' and e.kind = any(w.types)
        and e.at >= w.created_at
      cross join clock_timestamp() as now
      where e.at >= $1::text::timestamptz and e.at < $2::text::timestamptz
      order by e.at, e.deck_id, e.pos, e.rev
      on conflict do nothing`,
    values: [from, until],
  });
  return rowCount ?? 0;
}

/**
 * Times of jobs' ends are read as those of events are, by a transaction that has its number: they are settled with
 * them.
 */
async function tellJobs(tx: Transaction, { from, until }: Stretch): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'hand-on-jobs',
    text: `insert into webhook_deliveries (tenant_id, webhook_id, type, subject, part, pos, rev, at, created_at, next_at)
      select j.tenant_id, w.webhook_id, ${eventTypeNumbers['job.finished']}, ${subjects.job}, 0, j.job_id, 0, j.finished_at,
        now, now
      from jobs j join webhooks w on w.tenant_id = j.tenant_id and w.status = 'enabled'
        and ${eventTypeNumbers['job.finished']} = any(w.types) and j.finished_at >= w.created_at
      cross join clock_timestamp() as now
      where j.finished_at >= $1::text::timestamptz and j.finished_at < $2::text::timestamptz
      order by j.finished_at, j.job_id
      on conflict do nothing`,
    values: [from, until],
  });
  return rowCount ?? 0;
}
