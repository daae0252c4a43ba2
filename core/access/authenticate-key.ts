import { timingSafeEqual } from 'node:crypto';
import type pg from 'pg';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { limits } from '../limits.ts';
import type { ApiKeyRole } from './api-key-input.ts';
import { findTenantId } from './find-tenant-id.ts';
import { hashKey, tenantOfKey } from './key-format.ts';

/** What a look-up found, good until a time of the monotonic clock. */
interface KnownKey {
  caller: Caller | null;
  goodUntil: number;
}

/** What a process remembers of keys, by their hash in hex: never a key itself. */
interface KeyMemory {
  valid: Map<string, KnownKey>;
  /** Apart from the valid ones, so that a flood of wrong keys can't push those out. */
  wrong: Map<string, KnownKey>;
  asked: Map<string, Promise<Caller | null>>;
}

interface Row {
  keyId: number;
  role: ApiKeyRole;
  /** How long the key lives on by the database's clock; null: until it is revoked. */
  remainingMillis: number | null;
}

type KeyCore = Pick<Core, 'pool' | 'clock' | 'config'>;

/** One memory a pool, and so one a process, which goes when the pool goes. */
const memories = new WeakMap<pg.Pool, KeyMemory>();

/**
 * Finds out whose key this is; null for a key that is unknown, revoked or expired, or a text that is no key at all.
 * An answer may be as old as limits.apiKeyCacheMillis, counted from before its query, which bounds how long a revoked
 * key works on. What is remembered is bounded to limits.cacheMaxEntries. Look-ups of one key at the same time are one
 * query. Throws what the database throws, and remembers nothing then.
 */
export async function authenticateKey(core: KeyCore, key: string): Promise<Caller | null> {
  const hash = hashKey(key);
  if (isRootKey(core, hash)) return rootCaller(core);
  const tenantId = tenantOfKey(key);
  if (tenantId === null) return null;
  const memory = memoryOf(core.pool);
  const name = hash.toString('hex');
  const known = memory.valid.get(name) ?? memory.wrong.get(name);
  if (known !== undefined && core.clock.monotonic() < known.goodUntil) return known.caller;
  const running = memory.asked.get(name);
  if (running !== undefined) return running;
  // Forgetting a key takes its look-up out of `asked`: what that one saw may be older than the revocation.
  const isWanted = () => memory.asked.get(name) === answer;
  const answer = lookUp(core, tenantId, hash)
    .then((found) => {
      if (isWanted()) remember(memory, name, found);
      return found.caller;
    })
    .finally(() => {
      if (isWanted()) memory.asked.delete(name);
    });
  memory.asked.set(name, answer);
  return answer;
}

/** Makes the next request with this key ask the database, in this process. A look-up that is under way is not joined. */
export function forgetKey(core: Pick<Core, 'pool'>, hash: Buffer): void {
  const memory = memoryOf(core.pool);
  const name = hash.toString('hex');
  memory.valid.delete(name);
  memory.wrong.delete(name);
  memory.asked.delete(name);
}

/** The hashes are compared, in constant time: neither the length nor a common beginning of the keys shows. */
function isRootKey(core: KeyCore, hash: Buffer): boolean {
  return core.config.adminKey !== null && timingSafeEqual(hash, hashKey(core.config.adminKey));
}

async function rootCaller(core: KeyCore): Promise<Caller> {
  const tenantId = await findTenantId(core, 'default');
  if (tenantId === null) throw new Error('the tenant "default" is missing; the migrations make it');
  return { tenantId, role: 'root', actor: 'root', customerId: null };
}

async function lookUp(core: KeyCore, tenantId: number, hash: Buffer): Promise<KnownKey> {
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

function remember(memory: KeyMemory, name: string, known: KnownKey): void {
  memory.valid.delete(name);
  memory.wrong.delete(name);
  const entries = known.caller === null ? memory.wrong : memory.valid;
  entries.set(name, known);
  // A Map keeps the order of insertion: its first entry is the one that was looked up longest ago.
  if (entries.size > limits.cacheMaxEntries) entries.delete(entries.keys().next().value!);
}

function memoryOf(pool: pg.Pool): KeyMemory {
  const known = memories.get(pool);
  if (known !== undefined) return known;
  const fresh: KeyMemory = { valid: new Map(), wrong: new Map(), asked: new Map() };
  memories.set(pool, fresh);
  return fresh;
}
