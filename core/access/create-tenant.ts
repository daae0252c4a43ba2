import type { Caller, Outcome } from '../caller.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import { type IdSource, newId } from '../random.ts';
import { insertApiKey } from './create-api-key.ts';
import type { CreatedTenant, TenantInput } from './tenant-document.ts';

/**
 * Makes a tenant and its first admin key. The idempotency key's scope is the caller's tenant: a root caller's
 * `default`.
 * @throws CouponError `forbidden` for anyone but root; `idempotency-key-reused`; `conflict` where the
 *   slug is taken, also when two requests ask for it at the same time
 */
export async function createTenant(
  core: ColdCore & IdSource,
  caller: Caller,
  input: TenantInput,
  keyed: KeyedRequest | null,
): Promise<Outcome<CreatedTenant>> {
  if (caller.role !== 'root') throw refuse('forbidden', 'Only the bootstrap key makes tenants.');
  const make = (tx: Transaction): Promise<CreatedTenant> => insertTenant(core, tx, input);
  return runOnce(core, caller.tenantId, keyed, 201, make, withoutSecret);
}

async function insertTenant(ids: IdSource, tx: Transaction, { slug, name }: TenantInput): Promise<CreatedTenant> {
  const answer = await tx.query<{ tenantId: number; id: string; createdAt: Date }>({
    name: 'insert-tenant',
    text: `insert into tenants (id, slug, name, created_at)
      values ($1, $2, $3, date_trunc('milliseconds', clock_timestamp()))
      returning tenant_id as "tenantId", id, created_at as "createdAt"`,
    values: [newId(ids), slug, name],
  });
  const { tenantId, id, createdAt } = answer.rows[0]!;
  const adminKey = await insertApiKey(ids, tx, tenantId, { name: 'First admin key', role: 'admin', expiresAt: null });
  return { id, slug, name, createdAt: createdAt.toISOString(), adminKey };
}

function withoutSecret(tenant: CreatedTenant): object {
  const { secret: _shownOnce, ...adminKey } = tenant.adminKey;
  return { ...tenant, adminKey };
}
