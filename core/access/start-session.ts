import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { limits } from '../limits.ts';
import { type IdSource, newId } from '../random.ts';
import type { EndCore } from './end-sessions.ts';
import type { TenantCore } from './find-tenant-id.ts';
import { hashSessionSecret, makeSessionSecret } from './session-secret.ts';
import { type SessionRow, type SessionView, sessionColumns, sessionTables, sessionView } from './session-view.ts';

/** Who signs in, and what the session stands on: exactly one of the three. */
export type SessionBase = Pick<Caller, 'tenantId' | 'role' | 'actor'> &
  ({ keyId: number } | { personId: number } | { rootCheck: Buffer });

/** A session just begun, with its secret, which only the browser's cookie is to have. */
export interface NewSession {
  secret: string;
  session: SessionView;
}

/** What signing in works with: it finds a tenant, begins a session, and ends the one that the browser had. */
export type SignInCore = ColdCore & IdSource & TenantCore & EndCore & Pick<Core, 'config'>;

/**
 * Begins a session, and ends the oldest of the same owner where there are more than limits.sessionsMaxOfOne.
 */
export async function startSession(ids: IdSource, tx: Transaction, base: SessionBase): Promise<NewSession> {
  const secret = makeSessionSecret(ids.random);
  const hash = hashSessionSecret(secret);
  const { tenantId, role, actor } = base;
  await tx.query({
    name: 'insert-session',
    text: `insert into console_sessions
        (secret_hash, tenant_id, id, role, actor, key_id, person_id, root_check, created_at, used_at, ends_at)
      select $1, $2, $3, $4, $5, $6, $7, $8, at, at, at + interval '${limits.sessionMaxHours} hours'
      from date_trunc('milliseconds', clock_timestamp()) as at`,
    values: [
      hash,
      tenantId,
      newId(ids),
      role,
      actor,
      'keyId' in base ? base.keyId : null,
      'personId' in base ? base.personId : null,
      'rootCheck' in base ? base.rootCheck : null,
    ],
  });
  await tx.query({
    name: 'end-oldest-sessions',
    text: `delete from console_sessions where tenant_id = $1 and actor = $2 and id = any(array(
      select id from console_sessions where tenant_id = $1 and actor = $2 order by id desc
      offset ${limits.sessionsMaxOfOne}))`,
    values: [tenantId, actor],
  });
  const answer = await tx.query<SessionRow>({
    name: 'read-new-session',
    text: `select ${sessionColumns} from ${sessionTables} where s.secret_hash = $1`,
    values: [hash],
  });
  return { secret, session: sessionView(answer.rows[0]!) };
}
