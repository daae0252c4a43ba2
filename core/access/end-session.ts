import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { refuse } from '../errors.ts';
import { isUuid } from '../uuid.ts';
import { forgetSession } from './authenticate-session.ts';
import { hashSessionSecret } from './session-secret.ts';

type EndCore = Pick<Core, 'coldPool' | 'knownSessions'>;

/**
 * Ends the session with this secret, if there is one: here at once, in other processes after limits.apiKeyCacheMillis
 * at most.
 */
export async function endSession(core: EndCore, secret: string): Promise<void> {
  const hash = hashSessionSecret(secret);
  await core.coldPool.query({
    name: 'end-session',
    text: 'delete from console_sessions where secret_hash = $1',
    values: [hash],
  });
  forgetSession(core, hash);
}

/**
 * Ends one of the caller's own sessions, or all of them: those of the same key or person.
 * @param id null: all
 * @throws CouponError `not-found` where the caller has no session of this id
 */
export async function endOwnSessions(core: EndCore, { tenantId, actor }: Caller, id: string | null): Promise<void> {
  const noSuch = refuse('not-found', 'You have no session with this id.');
  if (id !== null && !isUuid(id)) throw noSuch;
  const answer = await core.coldPool.query<{ hash: Buffer }>({
    name: 'end-own-sessions',
    text: `delete from console_sessions where tenant_id = $1 and actor = $2 and ($3::uuid is null or id = $3)
      returning secret_hash as hash`,
    values: [tenantId, actor, id],
  });
  for (const { hash } of answer.rows) forgetSession(core, hash);
  if (id !== null && answer.rows.length === 0) throw noSuch;
}
