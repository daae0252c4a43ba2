import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import { uuidv7 } from '../random.ts';
import { type CreatedApiKey, insertApiKey } from './create-api-key.ts';
import { type NewTenant, readNewTenant } from './tenant-rules.ts';

/** A new tenant with the key that gives access to it. */
export interface CreatedTenant {
  /** UUIDv7 in lower case. */
  id: string;
  slug: string;
  name: string;
  /** RFC 3339 in UTC with milliseconds. */
  createdAt: string;
  /** Its first key, of the role admin, which does not expire. A replay of the answer has no `secret` in it. */
  adminKey: CreatedApiKey;
}

/**
 * Makes a tenant and its first admin key. The idempotency key's scope is the caller's tenant: a root caller's `default`.
 * @param input the request's body; every field is checked here
 * @throws CouponError `forbidden` for anyone but root; `invalid-input`; `idempotency-key-reused`; `conflict` where the
 *   slug is taken, also when two requests ask for it at the same time
 */
export async function createTenant(
  core: ColdCore & Pick<Core, 'clock'>,
  caller: Caller,
  input: unknown,
  keyed: KeyedRequest | null,
): Promise<Outcome<CreatedTenant>> {
  if (caller.role !== 'root') throw refuse('forbidden', 'Only the bootstrap key makes tenants.');
  const wanted = readNewTenant(input);
  const make = (tx: Transaction): Promise<CreatedTenant> => insertTenant(core, tx, wanted);
  return runOnce(core, caller.tenantId, keyed, 201, make, withoutSecret);
}

async function insertTenant(
  core: Pick<Core, 'clock' | 'random'>,
  tx: Transaction,
  wanted: NewTenant,
): Promise<CreatedTenant> {
  const answer = await tx.query<{ tenantId: number; id: string; createdAt: Date }>({
    name: 'insert-tenant',
    text: `insert into tenants (id, slug, name, created_at)
      values ($1, $2, $3, date_trunc('milliseconds', clock_timestamp()))
      returning tenant_id as "tenantId", id, created_at as "createdAt"`,
    values: [uuidv7(core.clock.now(), core.random), wanted.slug, wanted.name],
  });
  const { tenantId, id, createdAt } = answer.rows[0]!;
  const adminKey = await insertApiKey(core, tx, tenantId, { name: 'First admin key', role: 'admin', expiresAt: null });
  return { id, ...wanted, createdAt: createdAt.toISOString(), adminKey };
}

function withoutSecret(tenant: CreatedTenant): object {
  const { secret: _shownOnce, ...adminKey } = tenant.adminKey;
  return { ...tenant, adminKey };
}
