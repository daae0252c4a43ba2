import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import { uuidv7 } from '../random.ts';
import { type ApiKeyDocument, type ApiKeyRow, apiKeyColumns, apiKeyDocument } from './api-key-document.ts';
import { type NewApiKey, readNewApiKey } from './api-key-rules.ts';
import { hashKey, makeKey } from './key-format.ts';

/** A new key. `secret` is the key itself: only the answer that made it has it, a replay of that answer has not. */
export interface CreatedApiKey extends ApiKeyDocument {
  secret?: string;
}

/**
 * Makes an API key of the caller's tenant. Whether the caller may is the route's to decide (admin).
 * @param input the request's body; every field is checked here
 * @throws CouponError `invalid-input`, `idempotency-key-reused`
 */
export async function createApiKey(
  core: ColdCore & Pick<Core, 'clock'>,
  caller: Caller,
  input: unknown,
  keyed: KeyedRequest | null,
): Promise<Outcome<CreatedApiKey>> {
  const wanted = readNewApiKey(input, core.clock.now());
  const make = (tx: Transaction): Promise<CreatedApiKey> => insertApiKey(core, tx, caller.tenantId, wanted);
  return runOnce(core, caller.tenantId, keyed, 201, make, ({ secret: _shownOnce, ...rest }) => rest);
}

/** Makes a key and stores its hash. */
export async function insertApiKey(
  core: Pick<Core, 'clock' | 'random'>,
  tx: Transaction,
  tenantId: number,
  wanted: NewApiKey,
): Promise<ApiKeyDocument & { secret: string }> {
  const secret = makeKey(tenantId, core.random);
  const answer = await tx.query<ApiKeyRow>({
    name: 'insert-api-key',
    text: `insert into api_keys (tenant_id, id, name, role, secret_hash, expires_at, created_at)
      values ($1, $2, $3, $4, $5, $6, date_trunc('milliseconds', clock_timestamp())) returning ${apiKeyColumns}`,
    values: [
      tenantId,
      uuidv7(core.clock.now(), core.random),
      wanted.name,
      wanted.role,
      hashKey(secret),
      wanted.expiresAt,
    ],
  });
  return { ...apiKeyDocument(answer.rows[0]!), secret };
}
