import type { Caller, Outcome } from '../caller.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import type { KeySource } from '../patterns/code-secret.ts';
import { withoutSecret } from './create-webhook.ts';
import { findWebhook } from './find-webhook.ts';
import { secretText } from './sign-message.ts';
import { type WebhookWithSecret, webhookDocument } from './webhook-document.ts';
import { storeNewSecret } from './webhook-secrets.ts';

const bothSignHours = 24;
/** A header has room for a few signatures. */
const secretsMax = 5;

/**
 * Makes a new secret of a webhook. For 24 hours the one before signs beside it, so that a receiver can change over in
 * between. The new one is in this answer, and in no other.
 * @throws CouponError `not-found`, `idempotency-key-reused`; `conflict` where five secrets sign already
 */
export async function rotateWebhookSecret(
  core: ColdCore & KeySource,
  caller: Caller,
  id: string,
  keyed: KeyedRequest | null,
): Promise<Outcome<WebhookWithSecret>> {
  const { tenantId } = caller;
  const rotate = async (tx: Transaction): Promise<WebhookWithSecret> => {
    const row = await findWebhook(tx, tenantId, id, 'locked');
    await endFormerSecrets(tx, tenantId, row.webhookKey);
    const key = await storeNewSecret(core, tx, tenantId, row.webhookKey);
    return { ...webhookDocument(row), secret: secretText(key) };
  };
  return runOnce(core, tenantId, keyed, 200, rotate, withoutSecret);
}

async function endFormerSecrets(tx: Transaction, tenantId: number, webhookKey: number): Promise<void> {
  await tx.query({
    name: 'remove-ended-secrets',
    text: 'delete from webhook_secrets where tenant_id = $1 and webhook_id = $2 and signs_until <= clock_timestamp()',
    values: [tenantId, webhookKey],
  });
  const { rowCount } = await tx.query({
    name: 'end-former-secret',
    text: `update webhook_secrets
      set signs_until = coalesce(signs_until, clock_timestamp() + make_interval(hours => $3))
      where tenant_id = $1 and webhook_id = $2`,
    values: [tenantId, webhookKey, bothSignHours],
  });
  if ((rowCount ?? 0) < secretsMax) return;
  const detail = `The secret was rotated ${secretsMax - 1} times within ${bothSignHours} hours. Wait until the first of them has ended.`;
  throw refuse('conflict', detail, { reason: 'try-again' });
}
