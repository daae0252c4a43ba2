import type { Core } from '../../core.ts';
import type { Queryable } from '../../db/pool.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * How long a lease lasts. A request that is under way ends well before, since none is begun towards the end; so what
 * another process sends under the next lease comes after it.
 */
export const leaseMillis = 60_000;

/**
 * Takes leases on endpoints that have something due and that nobody serves; those first that have not failed.
 * @param most so many at most
 * @param except webhooks that are left to other processes
 */
export async function claimEndpoints(
  core: Pick<Core, 'backgroundPool' | 'clock'>,
  most: number,
  except: readonly number[],
): Promise<Endpoint[]> {
  const asked = core.clock.monotonic();
  const { rows } = await core.backgroundPool.query<
    Pick<Endpoint, 'tenantId' | 'webhookKey' | 'fence' | 'failures'> & { failingMillis: number | null }
  >({
    name: 'claim-endpoints',
    text: `with free as materialized (
        select tenant_id, webhook_id from webhooks h
        where status = 'enabled' and webhook_id <> all($3::int[]) and coalesce(lease_until < clock_timestamp(), true)
          and coalesce(retry_at < clock_timestamp(), true)
          and exists (select from webhook_deliveries d
            where d.webhook_id = h.webhook_id and d.status = 'pending' and d.next_at <= clock_timestamp())
        order by failures limit $1 for no key update skip locked)
      update webhooks w set fence = w.fence + 1, lease_until = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
      from free where w.tenant_id = free.tenant_id and w.webhook_id = free.webhook_id
      returning w.tenant_id as "tenantId", w.webhook_id as "webhookKey", w.fence, w.failures,
        (extract(epoch from clock_timestamp() - failing_since) * 1000)::float8 as "failingMillis"`,
    values: [most, leaseMillis, except],
  });
  return rows.map(({ failingMillis, ...row }) => ({
    ...row,
    leaseEndsAt: asked + leaseMillis,
    failingSince: failingMillis === null ? null : asked - failingMillis,
    window: 1,
    pauseMillis: null,
    disable: null,
    waiting: [],
    readAt: asked,
    inFlight: 0,
    results: [],
  }));
}

/**
 * Gives a lease back, so that another process may serve the endpoint. Deliveries that wait behind an earlier one of the
 * same coupon, which is tried again later, are put off until that moment: else the endpoint would be claimed again at
 * once, and nothing could be sent. Not so where the endpoint itself has a pause: nobody claims it before its end, and
 * behind a dead endpoint the deliveries may be many.
 */
export async function releaseEndpoint(db: Queryable, endpoint: Endpoint): Promise<void> {
  const { tenantId, webhookKey, fence, pauseMillis } = endpoint;
  if (pauseMillis === null) await restBehindResting(db, endpoint);
  await db.query({
    name: 'release-endpoint',
    text: 'update webhooks set lease_until = null where tenant_id = $1 and webhook_id = $2 and fence = $3',
    values: [tenantId, webhookKey, fence],
  });
}

/** It looks back from each row by itself (`offset 0`): joined, each would go through all that waits. */
async function restBehindResting(db: Queryable, { tenantId, webhookKey }: Endpoint): Promise<void> {
  await db.query({
    name: 'rest-behind-resting',
    text: `update webhook_deliveries d set next_at = behind.until
      from (
        select due.delivery_id, before.until from webhook_deliveries due cross join lateral (
          select max(next_at) as until from (
            select next_at from webhook_deliveries
            where tenant_id = $1 and webhook_id = $2 and status = 'pending' and subject = due.subject and part = due.part and pos = due.pos
              and rev < due.rev order by subject, part, pos, rev offset 0) as of_coupon) as before
        where due.webhook_id = $2 and due.status = 'pending' and due.next_at <= clock_timestamp() and due.tenant_id = $1
          and before.until > clock_timestamp()) as behind
      where d.delivery_id = behind.delivery_id and d.tenant_id = $1 and d.status = 'pending'`,
    values: [tenantId, webhookKey],
  });
}
