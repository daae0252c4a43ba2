import type { Caller } from '../caller.ts';
import { type ColdCore, inColdTransaction } from '../db/cold-transaction.ts';
import { findWebhook } from './find-webhook.ts';

/**
 * Deletes a webhook: nothing more is sent to it, but for what is on its way. Its secrets are gone at once, its
 * deliveries within minutes (purge-deliveries.ts).
 * @throws CouponError `not-found`, for one that is deleted already too
 */
export async function deleteWebhook(core: ColdCore, caller: Caller, id: string): Promise<void> {
  const { tenantId } = caller;
  await inColdTransaction(core, tenantId, async (tx) => {
    const { webhookKey } = await findWebhook(tx, tenantId, id, 'locked');
    await tx.query({
      name: 'delete-webhook-secrets',
      text: 'delete from webhook_secrets where tenant_id = $1 and webhook_id = $2',
      values: [tenantId, webhookKey],
    });
    await tx.query({
      name: 'delete-webhook',
      text: `update webhooks set deleted_at = clock_timestamp(), status = 'disabled',
          disabled_reason = coalesce(disabled_reason, 'by-admin')
        where tenant_id = $1 and webhook_id = $2`,
      values: [tenantId, webhookKey],
    });
  });
}
