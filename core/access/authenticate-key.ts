import { timingSafeEqual } from 'node:crypto';
import type { Caller } from '../caller.ts';
import type { Config } from '../config.ts';
import type { Core } from '../core.ts';
import { limits } from '../limits.ts';
import type { ApiKeyRole } from './api-key-input.ts';
import { findTenantId, type TenantCore } from './find-tenant-id.ts';
import { hashKey, tenantOfKey } from './key-format.ts';
import type { FoundCaller } from './known-callers.ts';

interface Row {
  keyId: number;
  role: ApiKeyRole;
  /** How long the key lives on by the database's clock; null: until it is revoked. */
  remainingMillis: number | null;
}

/** What the owner of a key is found with. */
export type KeyCore = TenantCore & Pick<Core, 'clock' | 'config' | 'knownApiKeys'>;

/**
 * Finds out whose key this is; null for a key that is unknown, revoked or expired, or a text that is no key at all.
 * An answer may be as old as limits.apiKeyCacheMillis, counted from before its query, which bounds how long a revoked
 * key works on. Throws what the database throws, and remembers nothing then.
 */
export async function authenticateKey(core: KeyCore, key: string): Promise<Caller | null> {
  const hash = hashKey(key);
  if (isRootKey(core.config, hash)) return rootCaller(core);
  const tenantId = tenantOfKey(key);
  if (tenantId === null) return null;
  return core.knownApiKeys.callerOf(hash, () => lookUp(core, tenantId, hash));
}

/** The hashes are compared, in constant time: neither the length nor a common beginning of the keys shows. */
function isRootKey({ adminKey }: Pick<Config, 'adminKey'>, hash: Buffer): boolean {
  return adminKey !== null && timingSafeEqual(hash, hashKey(adminKey));
}

async function rootCaller(core: TenantCore): Promise<Caller> {
  const tenantId = await findTenantId(core, 'default');
  if (tenantId === null) throw new Error('the tenant "default" is missing; the migrations make it');
  return { tenantId, role: 'root', actor: 'root', customerId: null };
}

async function lookUp(core: Pick<Core, 'pool' | 'clock'>, tenantId: number, hash: Buffer): Promise<FoundCaller> {
  const asked = core.clock.monotonic();
  const answer = await core.pool.query<Row>({
    name: 'authenticate-key',
    text: `select key_id as "keyId", role,
        extract(epoch from expires_at - clock_timestamp())::float8 * 1000 as "remainingMillis"
      from api_keys where tenant_id = $1 and secret_hash = $2
        and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())`,
    values: [tenantId, hash],
  });
  const row = answer.rows[0];
  const lifeMillis = Math.min(limits.apiKeyCacheMillis, row?.remainingMillis ?? Number.POSITIVE_INFINITY);
  const caller: Caller | null =
    row === undefined ? null : { tenantId, role: row.role, actor: `key:${row.keyId}`, customerId: null };
  return { caller, goodUntil: asked + lifeMillis };
}
