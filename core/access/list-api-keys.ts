import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { cutPage, type Page, type PageRequest, pageLimit } from '../paging.ts';
import { type ApiKeyDocument, type ApiKeyRow, apiKeyColumns, apiKeyDocument } from './api-key-document.ts';

/**
 * Lists the tenant's API keys, newest first, without secrets. Revoked keys are gone from it; expired ones are there.
 * Read from the primary: whoever has just revoked a key wants to see that it is gone.
 * @throws CouponError `invalid-input` naming `cursor`
 */
export async function listApiKeys(
  core: Pick<Core, 'coldPool' | 'cursors'>,
  caller: Caller,
  request: PageRequest,
): Promise<Page<ApiKeyDocument>> {
  const limit = pageLimit(request);
  const list = { kind: 'api-keys/1', tenantId: caller.tenantId, filters: {} };
  const [after = null] = request.cursor == null ? [] : core.cursors.open(list, request.cursor);
  const answer = await core.coldPool.query<ApiKeyRow>({
    name: 'list-api-keys',
    text: `select ${apiKeyColumns} from api_keys
      where tenant_id = $1 and revoked_at is null and ($2::uuid is null or id < $2) order by id desc limit $3`,
    values: [caller.tenantId, after, limit + 1],
  });
  return cutPage(answer.rows, limit, apiKeyDocument, (last) => core.cursors.seal(list, [last.id]));
}
