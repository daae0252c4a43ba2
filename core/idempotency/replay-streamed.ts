import type { Outcome } from '../caller.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Queryable } from '../db/pool.ts';
import { unavailable } from '../errors.ts';
import type { KeyedRequest } from './key-hash.ts';
import { runOnce } from './run-once.ts';

/**
 * Whether a request with this key was carried out before, for requests whose body is a stream: the body of a repeat is
 * only digested, and not taken again. One that is under way does not count yet; runOnce waits for it.
 * @param keyed null: there is no key, and it was not
 */
export async function isKeyUsed(db: Queryable, tenantId: number, keyed: KeyedRequest | null): Promise<boolean> {
  if (keyed === null) return false;
  const { rows } = await db.query({
    name: 'is-key-used',
    text: 'select from idempotency where tenant_id = $1 and key_hash = $2',
    values: [tenantId, keyed.keyHash],
  });
  return rows.length > 0;
}

/**
 * The first answer under a key that isKeyUsed has found.
 * @param status as for runOnce
 * @throws CouponError `idempotency-key-reused` for another request; `unavailable` where the key has just run out, since
 *   the body is read already and can't be taken
 */
export function replayStreamed<T extends object>(
  core: ColdCore,
  tenantId: number,
  keyed: KeyedRequest | null,
  status: number,
): Promise<Outcome<T>> {
  return runOnce<T>(core, tenantId, keyed, status, () => {
    throw unavailable('not-begun', 'The idempotency key has just run out. Repeat the request.');
  });
}
