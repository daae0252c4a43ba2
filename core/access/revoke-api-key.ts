import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { type ColdCore, inColdTransaction } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import { isUuid } from '../uuid.ts';

/**
 * Revokes an API key of the caller's tenant: here at once, in other processes after limits.apiKeyCacheMillis at most.
 * A key that is revoked already stays so, which is a success: the request may be a repeat of one whose answer got lost.
 * @throws CouponError `not-found` where the tenant has no key of this id
 */
export async function revokeApiKey(
  core: ColdCore & Pick<Core, 'knownApiKeys'>,
  caller: Caller,
  keyId: string,
): Promise<void> {
  const revoke = (tx: Transaction) =>
    tx.query<{ secretHash: Buffer }>({
      name: 'revoke-api-key',
      text: `update api_keys set revoked_at = coalesce(revoked_at, clock_timestamp())
        where tenant_id = $1 and id = $2 returning secret_hash as "secretHash"`,
      values: [caller.tenantId, keyId],
    });
  const answer = isUuid(keyId) ? await inColdTransaction(core, caller.tenantId, revoke) : { rows: [] };
  const row = answer.rows[0];
  if (row === undefined) throw refuse('not-found', 'There is no API key with this id.');
  core.knownApiKeys.forget(row.secretHash);
}
