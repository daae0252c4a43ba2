import type { BackgroundTask } from '../../background/run-tasks.ts';
import type { BackgroundCore } from '../../db/open-pools.ts';
import { inTransaction, type Transaction } from '../../db/transaction.ts';
import { planByTime } from '../../events/plan-by-time.ts';
import { makeStride, type Stride } from '../../events/stride.ts';
import { eventTypeNumbers, subjects } from '../event-types.ts';
import { findRemovedMonths } from '../find-removed-months.ts';
import { stocks } from './stock-rules.ts';
import { statusTypeSql } from './watch-books.ts';

const restMillis = 1_000;
/** A replay goes on once fewer than so many wait. */
const waitingMax = 5_000;

/** Carries out replays, in whichever process comes first. */
export function replayTask(core: BackgroundCore): BackgroundTask {
  const stride = makeStride();
  return { name: 'replay events', restMillis, run: () => replayEvents(core, stride) };
}

/**
 * Makes the deliveries of the next stretch of one replay. What waits already is not made twice. Of events that have
 * left the database meanwhile none is made, and the webhook says so.
 * @returns whether there is more
 */
export async function replayEvents({ backgroundPool }: BackgroundCore, stride: Stride): Promise<'more' | 'rest'> {
  return inTransaction(backgroundPool, async (tx) => {
    const stretch = await nextStretch(tx, stride.millis());
    if (stretch === null) return 'rest';
    await planByTime(tx);
    const { rowCount } = await tx.query({
      name: 'replay-events',
      text: `insert into webhook_deliveries
          (tenant_id, webhook_id, type, subject, part, pos, rev, at, created_at, next_at, is_replay)
        select w.tenant_id, w.webhook_id, type, subject, part, pos, rev, at, now, now, true
        from webhooks w cross join clock_timestamp() as now
        cross join lateral (
          select kind as type, ${subjects.coupon} as subject, deck_id as part, pos, rev, at from events
          where at >= $3::text::timestamptz and at < $4::text::timestamptz and tenant_id = $1
          union all
          select ${statusTypeSql}, ${subjects.book}, r.book_id, 0, r.rev, r.at
          from book_revisions r left join book_revisions before
            on before.tenant_id = $1 and before.book_id = r.book_id and before.rev = r.rev - 1
          where r.at >= $3::text::timestamptz and r.at < $4::text::timestamptz and r.tenant_id = $1
          union all
          select case stock when ${stocks.low} then ${eventTypeNumbers['book.low-stock']} else ${eventTypeNumbers['book.exhausted']} end,
            ${subjects.stock}, book_id, 0, seq, at
          from stock_changes where at >= $3::text::timestamptz and at < $4::text::timestamptz and tenant_id = $1
          union all
          select ${eventTypeNumbers['job.finished']}, ${subjects.job}, 0, job_id, 0, finished_at from jobs
          where finished_at >= $3::text::timestamptz and finished_at < $4::text::timestamptz and tenant_id = $1) as happened
        where w.tenant_id = $1 and w.webhook_id = $2 and type = any(w.types)
        order by at, part, pos, rev on conflict do nothing`,
      values: [stretch.tenantId, stretch.webhookKey, stretch.from, stretch.until],
    });
    await noteMissed(tx, stretch);
    await moveOn(tx, stretch);
    stride.went(rowCount ?? 0);
    return 'more';
  });
}

interface Stretch {
  replayKey: number;
  tenantId: number;
  webhookKey: number;
  from: string;
  until: string;
  isLast: boolean;
}

async function nextStretch(tx: Transaction, millis: number): Promise<Stretch | null> {
  const { rows } = await tx.query<Stretch>({
    name: 'next-stretch-of-replay',
    text: `select r.replay_id as "replayKey", r.tenant_id as "tenantId", r.webhook_id as "webhookKey",
        read_until::text as "from", until::text, until = ends_at as "isLast"
      from webhook_replays r join webhooks w on w.tenant_id = r.tenant_id and w.webhook_id = r.webhook_id
      cross join (select settled_until from settled_events) as settled
      cross join lateral (
        select least(settled_until, ends_at, read_until + make_interval(secs => $1::float8 / 1000)) as until) as step
      where w.status = 'enabled' and (read_until < until or ends_at <= read_until)
        and (select count(*) from (
          select from webhook_deliveries d where d.webhook_id = r.webhook_id and d.status = 'pending' limit $2) as waiting) < $2
      limit 1 for no key update of r skip locked`,
    values: [millis, waitingMax],
  });
  return rows[0] ?? null;
}

/**
 * The stretch's events were read in this transaction, so none of them leaves before its end: a month that is missing
 * now was missing then.
 */
async function noteMissed(tx: Transaction, { tenantId, webhookKey, from, until }: Stretch): Promise<void> {
  for (const missed of await findRemovedMonths(tx, tenantId, from, until)) {
    await tx.query({
      name: 'note-missed',
      text: `update webhooks set missed_from = least(missed_from, $3), missed_until = greatest(missed_until, $4)
        where tenant_id = $1 and webhook_id = $2`,
      values: [tenantId, webhookKey, missed.from, missed.until],
    });
  }
}

async function moveOn(tx: Transaction, { replayKey, tenantId, webhookKey, until, isLast }: Stretch): Promise<void> {
  const place = [tenantId, webhookKey, replayKey];
  const where = 'where tenant_id = $1 and webhook_id = $2 and replay_id = $3';
  await tx.query(
    isLast
      ? { name: 'end-replay', text: `delete from webhook_replays ${where}`, values: place }
      : {
          name: 'move-replay',
          text: `update webhook_replays set read_until = $4::text::timestamptz ${where}`,
          values: [...place, until],
        },
  );
}
