import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { cutPage, type Page, type PageRequest, pageLimit } from '../paging.ts';
import { type WebhookDocument, type WebhookRow, webhookColumns, webhookDocument } from './webhook-document.ts';

/**
 * Lists the tenant's webhooks, newest first, without secrets. Read from the primary: whoever has just made one sees it.
 * @throws CouponError `invalid-input` naming `cursor`
 */
export async function listWebhooks(
  core: Pick<Core, 'coldPool' | 'cursors'>,
  caller: Caller,
  request: PageRequest,
): Promise<Page<WebhookDocument>> {
  const { tenantId } = caller;
  const limit = pageLimit(request);
  const list = { kind: 'webhooks/1', tenantId, filters: {} };
  const [after = null] = request.cursor == null ? [] : core.cursors.open(list, request.cursor);
  const { rows } = await core.coldPool.query<WebhookRow>({
    name: 'list-webhooks',
    text: `select ${webhookColumns} from webhooks
      where tenant_id = $1 and deleted_at is null and ($2::uuid is null or id < $2) order by id desc limit $3`,
    values: [tenantId, after, limit + 1],
  });
  return cutPage(rows, limit, webhookDocument, (last) => core.cursors.seal(list, [last.id]));
}
