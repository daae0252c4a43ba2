import type { Core } from '../../core.ts';
import { plainArray, textArray } from '../../db/array-text.ts';
import { leaseMillis } from './claim-endpoints.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * Records what came of an endpoint's deliveries, and how it fares, and renews the lease. A coupon's later events rest
 * as long as the one that failed: they go after it anyway.
 * @returns the deliveries that are recorded; null where the lease was no longer this process's: nothing is recorded,
 *   and whoever has it sends again
 */
export async function recordResults(
  core: Pick<Core, 'backgroundPool' | 'clock'>,
  endpoint: Endpoint,
): Promise<number[] | null> {
  const asked = core.clock.monotonic();
  const results = endpoint.results.splice(0);
  const { tenantId, webhookKey, fence, failures, pauseMillis, disable } = endpoint;
  const { rows } = await core.backgroundPool.query<{ isHeld: boolean }>({
    name: 'record-results',
    text: `with held as (
        update webhooks set failures = $4::int,
          failing_since = case when $4 > 0 then coalesce(failing_since, date_trunc('milliseconds', clock_timestamp())) end,
          retry_at = case when $5::float8 is not null then clock_timestamp() + make_interval(secs => $5 / 1000) end,
          status = case when $6::text is null then status else 'disabled' end,
          disabled_reason = case when $6 is null then disabled_reason else coalesce(disabled_reason, $6) end,
          lease_until = clock_timestamp() + make_interval(secs => $7::float8 / 1000)
        where tenant_id = $1 and webhook_id = $2 and fence = $3 returning webhook_id),
      results as (
        select r.* from held cross join unnest($8::bigint[], $9::text[], $10::float8[], $11::int[], $12::text[], $13::int[])
          as r (delivery_id, status, pause, status_code, error, millis)),
      recorded as (
        update webhook_deliveries d set status = r.status, status_code = r.status_code, error = r.error, millis = r.millis,
          attempts = d.attempts + case when r.millis is null then 0 else 1 end,
          attempted_at = case when r.millis is null then d.attempted_at else clock_timestamp() end,
          next_at = case when r.status = 'pending' then clock_timestamp() + make_interval(secs => r.pause / 1000) end
        from results r where d.delivery_id = r.delivery_id and d.tenant_id = $1 and d.status = 'pending'
        returning d.*),
      behind as (
        update webhook_deliveries l set next_at = greatest(l.next_at, later.until)
        from (
          select of_coupon.delivery_id, f.next_at as until from recorded f cross join lateral (
            select delivery_id from webhook_deliveries
            where webhook_id = $2 and status = 'pending' and subject = f.subject and part = f.part and pos = f.pos
              and rev > f.rev and tenant_id = $1 order by subject, part, pos, rev offset 0) as of_coupon
          where f.status = 'pending') as later
        where l.delivery_id = later.delivery_id and l.tenant_id = $1 and l.status = 'pending')
      select exists (select from held) as "isHeld"`,
    values: [
      tenantId,
      webhookKey,
      fence,
      failures,
      pauseMillis,
      disable,
      leaseMillis,
      plainArray(results.map(({ deliveryKey }) => deliveryKey)),
      textArray(results.map(({ status }) => status)),
      plainArray(results.map(({ pauseMillis: pause }) => pause)),
      plainArray(results.map(({ statusCode }) => statusCode)),
      textArray(results.map(({ error }) => error)),
      plainArray(results.map(({ millis }) => millis)),
    ],
  });
  endpoint.leaseEndsAt = asked + leaseMillis;
  return rows[0]!.isHeld ? results.map(({ deliveryKey }) => deliveryKey) : null;
}
