import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { sessionBases } from './authenticate-session.ts';
import {
  type SessionRow,
  type SessionView,
  sessionColumns,
  sessionLives,
  sessionTables,
  sessionView,
} from './session-view.ts';

/** What sessions are listed with. */
export type SessionListCore = Pick<Core, 'coldPool' | 'config'>;

/** More people are not at work at once; the newest are told. */
const listedMaxSessions = 1_000;

/** The live sessions of the caller's key or person, newest first. */
export function listOwnSessions(core: SessionListCore, { tenantId, actor }: Caller): Promise<SessionView[]> {
  return list(core, tenantId, actor);
}

/** Those of everybody in the caller's tenant. Whether the caller may is the route's to decide (admin). */
export function listSessionsOfTenant(core: SessionListCore, { tenantId }: Caller): Promise<SessionView[]> {
  return list(core, tenantId, null);
}

/** Read from the primary: whoever has just ended one wants to see that it is gone. */
async function list(core: SessionListCore, tenantId: number, actor: string | null): Promise<SessionView[]> {
  const answer = await core.coldPool.query<SessionRow>({
    name: 'list-sessions',
    text: `select ${sessionColumns} from ${sessionTables}
      where s.tenant_id = $3 and ($4::text is null or s.actor = $4) and ${sessionLives}
      order by s.id desc limit ${listedMaxSessions}`,
    values: [...sessionBases(core.config), tenantId, actor],
  });
  return answer.rows.map(sessionView);
}
