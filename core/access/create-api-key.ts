import type { Caller, Outcome } from '../caller.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import { type IdSource, newId } from '../random.ts';
import {
  type ApiKeyDocument,
  type ApiKeyRow,
  apiKeyColumns,
  apiKeyDocument,
  type CreatedApiKey,
} from './api-key-document.ts';
import { type ApiKeyInput, readExpiry } from './api-key-input.ts';
import { hashKey, makeKey } from './key-format.ts';

/**
 * Makes an API key of the caller's tenant. Whether the caller may is the route's to decide (admin).
 * @throws CouponError `invalid-input`, `idempotency-key-reused`
 */
export async function createApiKey(
  core: ColdCore & IdSource,
  caller: Caller,
  input: ApiKeyInput,
  keyed: KeyedRequest | null,
): Promise<Outcome<CreatedApiKey>> {
  const wanted = { ...input, expiresAt: readExpiry(input.expiresAt ?? null, core.clock.now()) };
  const make = (tx: Transaction): Promise<CreatedApiKey> => insertApiKey(core, tx, caller.tenantId, wanted);
  return runOnce(core, caller.tenantId, keyed, 201, make, ({ secret: _shownOnce, ...rest }) => rest);
}

/**
 * Makes a key and stores its hash.
 * @param wanted with an `expiresAt` that readExpiry has read
 */
export async function insertApiKey(
  ids: IdSource,
  tx: Transaction,
  tenantId: number,
  wanted: Required<ApiKeyInput>,
): Promise<ApiKeyDocument & { secret: string }> {
  const secret = makeKey(tenantId, ids.random);
  const answer = await tx.query<ApiKeyRow>({
    name: 'insert-api-key',
    text: `insert into api_keys (tenant_id, id, name, role, secret_hash, expires_at, created_at)
      values ($1, $2, $3, $4, $5, $6, date_trunc('milliseconds', clock_timestamp())) returning ${apiKeyColumns}`,
    values: [tenantId, newId(ids), wanted.name, wanted.role, hashKey(secret), wanted.expiresAt],
  });
  return { ...apiKeyDocument(answer.rows[0]!), secret };
}
