import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { refuse } from '../errors.ts';
import { isUuid } from '../uuid.ts';
import { forgetSession } from './authenticate-session.ts';
import { hashSessionSecret } from './session-secret.ts';

/** What a session is ended with. */
export type EndCore = Pick<Core, 'coldPool' | 'knownSessions'>;

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
  forgetSession(core.knownSessions, hash);
}

/** Ends all sessions of the caller's key or person. */
export async function endOwnSessions(core: EndCore, { tenantId, actor }: Caller): Promise<void> {
  const answer = await core.coldPool.query<EndedRow>({
    name: 'end-own-sessions',
    text: 'delete from console_sessions where tenant_id = $1 and actor = $2 returning secret_hash as hash',
    values: [tenantId, actor],
  });
  for (const { hash } of answer.rows) forgetSession(core.knownSessions, hash);
}

/**
 * Ends one session: of the caller's own, or, for an admin, of anybody in the tenant, such as a person who has left. The
 * bootstrap key's are its holder's alone to end.
 * @throws CouponError `not-found` where the caller can end no session of this id
 */
export async function endSessionById(core: EndCore, caller: Caller, id: string): Promise<void> {
  const { tenantId, actor, role } = caller;
  const answer = isUuid(id)
    ? await core.coldPool.query<EndedRow>({
        name: 'end-session-by-id',
        text: `delete from console_sessions where tenant_id = $1 and id = $2 and (actor = $3 or ($4 and role <> 'root'))
          returning secret_hash as hash`,
        values: [tenantId, id, actor, role === 'admin' || role === 'root'],
      })
    : { rows: [] };
  if (answer.rows.length === 0) throw refuse('not-found', 'There is no session with this id that you could end.');
  for (const { hash } of answer.rows) forgetSession(core.knownSessions, hash);
}

interface EndedRow {
  hash: Buffer;
}
