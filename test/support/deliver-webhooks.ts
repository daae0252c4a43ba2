import type pg from 'pg';
import type { Core } from '../../core/core.ts';
import { makeStride } from '../../core/events/stride.ts';
import { deliverWebhooks } from '../../core/webhooks/delivery/deliver-webhooks.ts';
import { fanOutEvents } from '../../core/webhooks/delivery/fan-out-events.ts';
import { replayEvents } from '../../core/webhooks/delivery/replay-events.ts';
import { watchBooks } from '../../core/webhooks/delivery/watch-books.ts';
import { settleAll } from './settle-all.ts';

/** Hands on everything that has happened, and what replays ask for. */
export async function handOn(core: Core): Promise<void> {
  await settleAll(core);
  const stride = makeStride();
  while ((await fanOutEvents(core, stride)) === 'more');
  while ((await watchBooks(core)) === 'more');
  while ((await replayEvents(core, stride)) === 'more');
}

/** Hands on everything and sends what is due now, once. */
export async function deliver(core: Core, signal: AbortSignal = new AbortController().signal): Promise<void> {
  await handOn(core);
  await deliverWebhooks(core, signal);
}

/** Lets time pass for what waits for its next attempt, and for endpoints that have a pause. */
export async function passTime(pool: pg.Pool, hours: number): Promise<void> {
  const by = [`${hours} hours`];
  await pool.query(
    `update webhook_deliveries set next_at = next_at - $1::interval, created_at = created_at - $1::interval
     where status = 'pending'`,
    by,
  );
  await pool.query(
    'update webhooks set retry_at = retry_at - $1::interval, failing_since = failing_since - $1::interval',
    by,
  );
}

/** How many deliveries have each status. */
export async function countDeliveries(pool: pg.Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ status: string; count: number }>(
    'select status, count(*)::int as count from webhook_deliveries group by status',
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}
