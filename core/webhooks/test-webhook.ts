import type { Caller, Outcome } from '../caller.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import { limits } from '../limits.ts';
import type { DeliveryDocument } from './delivery-document.ts';
import { type DeliveryRow, deliveryColumns, deliveryDocument } from './delivery-row.ts';
import { eventTypeNumbers, subjects } from './event-types.ts';
import { findWebhook } from './find-webhook.ts';
import type { WebhookRow } from './webhook-document.ts';

/**
 * Sends a `webhook.test` to a webhook, in the way of all others, and at once even if it has failed before. What came of
 * it is among the deliveries.
 * @throws CouponError `not-found`, `idempotency-key-reused`; `conflict` where the webhook is disabled; `rate-limited`
 *   beyond limits.webhookTestsPerMinute
 */
export async function testWebhook(
  core: ColdCore,
  caller: Caller,
  id: string,
  keyed: KeyedRequest | null,
): Promise<Outcome<DeliveryDocument>> {
  const { tenantId } = caller;
  const test = async (tx: Transaction): Promise<DeliveryDocument> => {
    const webhook = await findWebhook(tx, tenantId, id, 'locked');
    refuseDisabled(webhook);
    await refuseManyTests(tx, tenantId, webhook.webhookKey);
    await tx.query({
      name: 'end-endpoint-pause',
      text: 'update webhooks set retry_at = null where tenant_id = $1 and webhook_id = $2',
      values: [tenantId, webhook.webhookKey],
    });
    const number = core.random.bytes(6).readUIntBE(0, 6);
    const { rows } = await tx.query<DeliveryRow>({
      name: 'insert-test-delivery',
      text: `with made as (
          insert into webhook_deliveries (tenant_id, webhook_id, type, subject, part, pos, rev, at, created_at, next_at)
          select $1, $2, ${eventTypeNumbers['webhook.test']}, ${subjects.test}, 0, $3, 0, now, now, now
          from date_trunc('milliseconds', clock_timestamp()) as now returning *)
        select ${deliveryColumns} from made d join tenants t on t.tenant_id = d.tenant_id`,
      values: [tenantId, webhook.webhookKey, number],
    });
    return deliveryDocument(rows[0]!);
  };
  return runOnce(core, tenantId, keyed, 202, test);
}

/** @throws CouponError `conflict`: nothing is sent to it */
export function refuseDisabled({ status }: Pick<WebhookRow, 'status'>): void {
  if (status === 'enabled') return;
  throw refuse('conflict', 'The webhook is disabled. Enable it first.', { reason: 'webhook-disabled' });
}

async function refuseManyTests(tx: Transaction, tenantId: number, webhookKey: number): Promise<void> {
  const { rows } = await tx.query<{ count: number }>({
    name: 'count-test-deliveries',
    text: `select count(*)::int as count from (
        select subject, created_at from webhook_deliveries where tenant_id = $1 and webhook_id = $2
        order by delivery_id desc limit 1000) as newest
      where subject = ${subjects.test} and created_at > clock_timestamp() - interval '1 minute'`,
    values: [tenantId, webhookKey],
  });
  if (rows[0]!.count < limits.webhookTestsPerMinute) return;
  const detail = `A webhook takes ${limits.webhookTestsPerMinute} tests a minute.`;
  throw refuse('rate-limited', detail, { retryAfterSeconds: 60 });
}
