import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { findWebhook } from './find-webhook.ts';
import { type WebhookDocument, webhookDocument } from './webhook-document.ts';

/**
 * Reads a webhook, without its secret, which nobody is shown again.
 * @throws CouponError `not-found`
 */
export async function readWebhook(core: Pick<Core, 'coldPool'>, caller: Caller, id: string): Promise<WebhookDocument> {
  return webhookDocument(await findWebhook(core.coldPool, caller.tenantId, id));
}
