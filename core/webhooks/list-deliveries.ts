import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { limits } from '../limits.ts';
import { cutPage, type Page, type PageRequest, pageLimit } from '../paging.ts';
import type { DeliveryDocument } from './delivery-document.ts';
import { type DeliveryRow, deliveryColumns, deliveryDocument } from './delivery-row.ts';
import { findWebhook } from './find-webhook.ts';

/**
 * Lists what a webhook was told in the last limits.deliveriesKeptDays, and what it is still to be told, newest first.
 * @throws CouponError `not-found`; `invalid-input` naming `cursor`
 */
export async function listDeliveries(
  core: Pick<Core, 'coldPool' | 'cursors'>,
  caller: Caller,
  id: string,
  request: PageRequest,
): Promise<Page<DeliveryDocument>> {
  const { tenantId } = caller;
  const { webhookKey } = await findWebhook(core.coldPool, tenantId, id);
  const limit = pageLimit(request);
  const list = { kind: 'deliveries/1', tenantId, filters: { webhook: id } };
  const [before = null] = request.cursor == null ? [] : core.cursors.open(list, request.cursor);
  const { rows } = await core.coldPool.query<DeliveryRow>({
    name: 'list-deliveries',
    text: `select ${deliveryColumns} from webhook_deliveries d join tenants t on t.tenant_id = d.tenant_id
      where d.webhook_id = $2 and d.tenant_id = $1 and ($3::bigint is null or d.delivery_id < $3)
        and d.created_at > clock_timestamp() - make_interval(days => $5)
      order by d.delivery_id desc limit $4`,
    values: [tenantId, webhookKey, before, limit + 1, limits.deliveriesKeptDays],
  });
  return cutPage(rows, limit, deliveryDocument, (last) => core.cursors.seal(list, [last.deliveryKey]));
}
