import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { type ColdCore, inColdTransaction } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { numbersOf } from './create-webhook.ts';
import { findWebhook } from './find-webhook.ts';
import { type WebhookDocument, type WebhookRow, webhookColumns, webhookDocument } from './webhook-document.ts';
import { checkTargetUrl, type WebhookPatch } from './webhook-input.ts';

/**
 * Changes a webhook; what is left out stays. What waits already goes to the new address. One that is enabled again goes
 * on with what waited, if that is not too old; what happened while it was disabled is sent by a replay.
 * @throws CouponError `invalid-input` naming `/url`; `not-found`
 */
export async function changeWebhook(
  core: ColdCore & Pick<Core, 'config'>,
  caller: Caller,
  id: string,
  input: WebhookPatch,
): Promise<WebhookDocument> {
  if (input.url !== undefined) checkTargetUrl(core.config, input.url);
  const { tenantId } = caller;
  return inColdTransaction(core, tenantId, async (tx) => {
    const before = await findWebhook(tx, tenantId, id, 'locked');
    const after = {
      url: input.url ?? before.url,
      types: input.events === undefined ? before.types : numbersOf({ events: input.events }),
      description: input.description === undefined ? before.description : input.description,
      status: input.status ?? before.status,
    };
    return webhookDocument(await update(tx, tenantId, before, after));
  });
}

async function update(
  tx: Transaction,
  tenantId: number,
  before: WebhookRow,
  after: Pick<WebhookRow, 'url' | 'types' | 'description' | 'status'>,
): Promise<WebhookRow> {
  const isEnabledAgain = before.status === 'disabled' && after.status === 'enabled';
  const disabledReason = after.status === 'enabled' ? null : (before.disabledReason ?? 'by-admin');
  const { rows } = await tx.query<WebhookRow>({
    name: 'update-webhook',
    text: `update webhooks set url = $3, types = $4, description = $5, status = $6, disabled_reason = $7,
        failures = case when $8::boolean then 0 else failures end,
        failing_since = case when $8 then null else failing_since end,
        retry_at = case when $8 then null else retry_at end,
        updated_at = date_trunc('milliseconds', clock_timestamp())
      where tenant_id = $1 and webhook_id = $2 returning ${webhookColumns}`,
    values: [
      tenantId,
      before.webhookKey,
      after.url,
      after.types,
      after.description,
      after.status,
      disabledReason,
      isEnabledAgain,
    ],
  });
  return rows[0]!;
}
