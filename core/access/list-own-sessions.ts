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

/**
 * The live sessions of the caller's key or person, newest first: limits.sessionsMaxOfOne at most, so they are one page.
 * Read from the primary: whoever has just ended one wants to see that it is gone.
 */
export async function listOwnSessions(
  core: Pick<Core, 'coldPool' | 'config'>,
  { tenantId, actor }: Caller,
): Promise<SessionView[]> {
  const answer = await core.coldPool.query<SessionRow>({
    name: 'list-own-sessions',
    text: `select ${sessionColumns} from ${sessionTables}
      where s.tenant_id = $3 and s.actor = $4 and ${sessionLives} order by s.id desc`,
    values: [...sessionBases(core.config), tenantId, actor],
  });
  return answer.rows.map(sessionView);
}
