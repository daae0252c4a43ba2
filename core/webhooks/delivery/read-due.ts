import type { Queryable } from '../../db/pool.ts';
import type { Due, Endpoint } from './endpoint.ts';

/**
 * Reads what is due at an endpoint, what has been due longest first, and of each coupon only the first that waits: so
 * its events are sent in the order of their revisions. Each row looks back by itself (`offset 0`): a join would go
 * through all that waits each time.
 * @param sending what is on its way
 */
export async function readDue(
  db: Queryable,
  { tenantId, webhookKey }: Endpoint,
  sending: readonly number[],
  most: number,
): Promise<Due[]> {
  const { rows } = await db.query<Due>({
    name: 'read-due-deliveries',
    text: `select delivery_id as "deliveryKey", attempts, subject, part, pos, rev, type, at from webhook_deliveries d
      where d.webhook_id = $2 and d.status = 'pending' and d.next_at <= clock_timestamp() and d.tenant_id = $1
        and d.delivery_id <> all($3::bigint[])
        and not exists (
          select from webhook_deliveries before
          where before.tenant_id = $1 and before.webhook_id = $2 and before.status = 'pending' and before.subject = d.subject
            and before.part = d.part and before.pos = d.pos and before.rev < d.rev
          order by before.subject, before.part, before.pos, before.rev offset 0)
      order by d.next_at, d.delivery_id limit $4`,
    values: [tenantId, webhookKey, sending, most],
  });
  return rows;
}
