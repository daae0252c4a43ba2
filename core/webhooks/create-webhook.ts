import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import { limits } from '../limits.ts';
import { type IdSource, newId } from '../random.ts';
import { eventTypeNumbers } from './event-types.ts';
import { secretText } from './sign-message.ts';
import { type WebhookRow, type WebhookWithSecret, webhookColumns, webhookDocument } from './webhook-document.ts';
import { checkTargetUrl, type WebhookInput } from './webhook-input.ts';
import { storeNewSecret } from './webhook-secrets.ts';

/**
 * Makes a webhook of the caller's tenant, which is told of everything that happens from now on. Its secret is in this
 * answer, and in no other. Whether the caller may is the route's to decide (operator).
 * @throws CouponError `invalid-input`, `idempotency-key-reused`; `conflict` where the tenant has
 *   limits.webhooksOfTenant
 */
export async function createWebhook(
  core: ColdCore & IdSource & Pick<Core, 'config'>,
  caller: Caller,
  input: WebhookInput,
  keyed: KeyedRequest | null,
): Promise<Outcome<WebhookWithSecret>> {
  const { tenantId } = caller;
  checkTargetUrl(core.config, input.url);
  const make = async (tx: Transaction): Promise<WebhookWithSecret> => {
    await refuseTooMany(tx, tenantId);
    const { rows } = await tx.query<WebhookRow>({
      name: 'insert-webhook',
      text: `insert into webhooks (tenant_id, id, url, description, types, created_at, updated_at)
        select $1, $2, $3, $4, $5, now, now from date_trunc('milliseconds', clock_timestamp()) as now
        returning ${webhookColumns}`,
      values: [tenantId, newId(core), input.url, input.description ?? null, numbersOf(input)],
    });
    const row = rows[0]!;
    const key = await storeNewSecret(core, tx, tenantId, row.webhookKey);
    return { ...webhookDocument(row), secret: secretText(key) };
  };
  return runOnce(core, tenantId, keyed, 201, make, withoutSecret);
}

/** What may be kept of an answer that shows a secret. */
export function withoutSecret({ secret: _shownOnce, ...rest }: WebhookWithSecret): object {
  return rest;
}

/** The numbers of the types that are asked for. */
export function numbersOf({ events }: Pick<WebhookInput, 'events'>): number[] {
  return events.map((type) => eventTypeNumbers[type]);
}

/**
 * Two that come at once may pass it by one, which harms nobody. The transaction has its number from here on, before it
 * reads the clock: so events from that moment on are settled after it has ended, and are handed on to this webhook too.
 */
async function refuseTooMany(tx: Transaction, tenantId: number): Promise<void> {
  const { rows } = await tx.query<{ count: number }>({
    name: 'count-webhooks',
    text: `select count(*)::int as count, pg_current_xact_id() as xid from webhooks
      where tenant_id = $1 and deleted_at is null`,
    values: [tenantId],
  });
  if (rows[0]!.count < limits.webhooksOfTenant) return;
  const detail = `A tenant has at most ${limits.webhooksOfTenant} webhooks. Delete one first.`;
  throw refuse('conflict', detail, { reason: 'too-many-webhooks' });
}
