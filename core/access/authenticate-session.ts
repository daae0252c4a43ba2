import type { Caller } from '../caller.ts';
import type { Config } from '../config.ts';
import type { Core } from '../core.ts';
import type { Queryable } from '../db/pool.ts';
import { limits } from '../limits.ts';
import type { FoundCaller, KnownCallers } from './known-callers.ts';
import { hashSessionSecret, isSessionSecret, rootCheck } from './session-secret.ts';
import { type SessionRole, sessionLives, sessionTables } from './session-view.ts';

/** A use is written down only where the last one that was is this old, so that a busy console writes once a minute. */
const useWrittenEveryMillis = 60_000;

interface Row {
  tenantId: number;
  role: SessionRole;
  actor: string;
  /** Milliseconds by the database's clock: since the last use that was written, and until the session ends. */
  unusedMillis: number;
  remainingMillis: number;
}

type SessionCore = Pick<Core, 'pool' | 'clock' | 'config' | 'knownSessions'>;

/**
 * Finds out whose session of the console this is: the API key's, the person's or the bootstrap key's that it was begun
 * with. Null for one that is unknown, was ended, was idle for too long or is too old, or whose key is revoked, and for
 * a text that is no session's secret. As with API keys an answer may be as old as limits.apiKeyCacheMillis. Throws what
 * the database throws, and remembers nothing then.
 * @param isUse false for what a page asks by itself, which does not keep a session from being idle
 */
export async function authenticateSession(core: SessionCore, secret: string, isUse: boolean): Promise<Caller | null> {
  if (!isSessionSecret(secret)) return null;
  const hash = hashSessionSecret(secret);
  return core.knownSessions.callerOf(memoryName(hash, isUse), () => lookUp(core, hash, isUse));
}

/** Makes the next request of this session look it up, in this process. */
export function forgetSession(knownSessions: KnownCallers, hash: Buffer): void {
  for (const isUse of [true, false]) knownSessions.forget(memoryName(hash, isUse));
}

/** What of the configuration says which sessions live. */
export type SessionConfig = Pick<Config, 'adminKey' | 'codeSecret' | 'oidc'>;

/** What today's sessions may stand on beside API keys: the first two values of `sessionLives`. */
export function sessionBases(config: SessionConfig): [Buffer | null, string | null] {
  return [rootCheck(config), config.oidc?.issuer ?? null];
}

/** Apart for both, since a use that finds a remembered answer of something else would not be written down. */
function memoryName(hash: Buffer, isUse: boolean): Buffer {
  return isUse ? hash : Buffer.concat([hash, Buffer.of(0)]);
}

async function lookUp(core: Omit<SessionCore, 'knownSessions'>, hash: Buffer, isUse: boolean): Promise<FoundCaller> {
  const asked = core.clock.monotonic();
  const answer = await core.pool.query<Row>({
    name: 'authenticate-session',
    text: `select s.tenant_id as "tenantId", s.role, s.actor,
        extract(epoch from clock_timestamp() - s.used_at)::float8 * 1000 as "unusedMillis",
        extract(epoch from least(s.ends_at, s.used_at + interval '${limits.sessionIdleMaxMinutes} minutes',
          k.expires_at) - clock_timestamp())::float8 * 1000 as "remainingMillis"
      from ${sessionTables} where s.secret_hash = $3 and ${sessionLives}`,
    values: [...sessionBases(core.config), hash],
  });
  const row = answer.rows[0];
  if (row === undefined) return { caller: null, goodUntil: asked + limits.apiKeyCacheMillis };
  if (isUse && row.unusedMillis > useWrittenEveryMillis) await writeUse(core.pool, hash);
  const { tenantId, role, actor, remainingMillis } = row;
  return {
    caller: { tenantId, role, actor, customerId: null },
    goodUntil: asked + Math.min(limits.apiKeyCacheMillis, remainingMillis),
  };
}

async function writeUse(pool: Queryable, hash: Buffer): Promise<void> {
  await pool.query({
    name: 'write-session-use',
    text: `update console_sessions set used_at = clock_timestamp()
      where secret_hash = $1 and used_at < clock_timestamp() - interval '${useWrittenEveryMillis} milliseconds'`,
    values: [hash],
  });
}
