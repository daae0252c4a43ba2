import type { Queryable } from '../db/pool.ts';
import { refuse } from '../errors.ts';
import { isUuid } from '../uuid.ts';
import { type WebhookRow, webhookColumns } from './webhook-document.ts';

/**
 * Reads a webhook of the tenant.
 * @param lock whether its row is locked until the transaction ends
 * @throws CouponError `not-found`, for an id that is no UUID too
 */
export async function findWebhook(
  db: Queryable,
  tenantId: number,
  id: string,
  lock: 'locked' | 'free' = 'free',
): Promise<WebhookRow> {
  const row = isUuid(id) ? await readRow(db, tenantId, id, lock) : undefined;
  if (row === undefined) throw refuse('not-found', 'There is no webhook with this id.');
  return row;
}

async function readRow(db: Queryable, tenantId: number, id: string, lock: string): Promise<WebhookRow | undefined> {
  const { rows } = await db.query<WebhookRow>({
    name: `find-webhook-${lock}`,
    text: `select ${webhookColumns} from webhooks where tenant_id = $1 and id = $2 and deleted_at is null
      ${lock === 'locked' ? 'for no key update' : ''}`,
    values: [tenantId, id],
  });
  return rows[0];
}
