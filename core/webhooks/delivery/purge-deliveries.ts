import type { BackgroundTask } from '../../background/run-tasks.ts';
import type { BackgroundCore } from '../../db/open-pools.ts';
import { limits } from '../../limits.ts';
import { deliveryMaxAgeMillis } from '../retry-rules.ts';

const restMillis = 300_000;
/** Rows that one statement changes: few enough to hold nobody up. */
const rowsAtOnce = 5_000;

/** Removes what is no longer shown, and gives up what has waited too long; every process runs it. */
export function purgeTask(core: BackgroundCore): BackgroundTask {
  return { name: 'purge deliveries', restMillis, run: () => purgeDeliveries(core) };
}

/**
 * Removes deliveries that are older than is promised, and those of deleted webhooks, and then these themselves; ends
 * those that have waited for more than three days behind an endpoint that did not live.
 * @returns whether there may be more
 */
export async function purgeDeliveries({ backgroundPool: db }: BackgroundCore): Promise<'more' | 'rest'> {
  // Each piece is chosen once, by a `with` of its own: PostgreSQL may run a query in a condition or a join again for
  // each row, and then go beyond its limit.
  const { rowCount: tooOld } = await db.query({
    name: 'give-up-old-deliveries',
    text: `with old as materialized (
        select delivery_id, tenant_id from webhook_deliveries
        where status = 'pending' and created_at < clock_timestamp() - make_interval(secs => $1::float8 / 1000)
        limit $2 for update skip locked)
      update webhook_deliveries d set status = 'failed', next_at = null, error = 'too-old'
      from old where d.delivery_id = old.delivery_id and d.tenant_id = old.tenant_id`,
    values: [deliveryMaxAgeMillis, rowsAtOnce],
  });
  // Deliveries are made in the order of their numbers, so the oldest stand first.
  const { rowCount: removed } = await db.query({
    name: 'remove-old-deliveries',
    text: `with oldest as materialized (
        select delivery_id, tenant_id, created_at, status from webhook_deliveries order by delivery_id limit $2)
      delete from webhook_deliveries d using oldest
      where d.delivery_id = oldest.delivery_id and d.tenant_id = oldest.tenant_id
        and oldest.created_at < clock_timestamp() - make_interval(days => $1) and oldest.status <> 'pending'`,
    values: [limits.deliveriesKeptDays, rowsAtOnce],
  });
  const { rowCount: ofDeleted } = await db.query({
    name: 'remove-deliveries-of-deleted',
    text: `with of_deleted as materialized (
        select d.delivery_id, d.tenant_id from webhooks w cross join lateral (
          select delivery_id, tenant_id from webhook_deliveries where webhook_id = w.webhook_id limit $1) as d
        where w.deleted_at is not null limit $1)
      delete from webhook_deliveries d using of_deleted
      where d.delivery_id = of_deleted.delivery_id and d.tenant_id = of_deleted.tenant_id`,
    values: [rowsAtOnce],
  });
  // A process that still serves it has a lease of a minute.
  await db.query({
    name: 'remove-deleted-webhooks',
    text: `delete from webhooks w where deleted_at < clock_timestamp() - interval '2 minutes'
      and not exists (select from webhook_deliveries d where d.webhook_id = w.webhook_id)`,
    values: [],
  });
  const counts = [tooOld, removed, ofDeleted].map((count) => count ?? 0);
  return counts.some((count) => count === rowsAtOnce) ? 'more' : 'rest';
}
