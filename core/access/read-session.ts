import type { Core } from '../core.ts';
import { sessionBases } from './authenticate-session.ts';
import { hashSessionSecret } from './session-secret.ts';
import {
  type SessionRow,
  type SessionView,
  sessionColumns,
  sessionLives,
  sessionTables,
  sessionView,
} from './session-view.ts';

/** The session with this secret, as its owner sees it; null where there is none that lives. Looking does not use it. */
export async function readSession(core: Pick<Core, 'pool' | 'config'>, secret: string): Promise<SessionView | null> {
  const answer = await core.pool.query<SessionRow>({
    name: 'read-session',
    text: `select ${sessionColumns} from ${sessionTables} where s.secret_hash = $3 and ${sessionLives}`,
    values: [...sessionBases(core.config), hashSessionSecret(secret)],
  });
  const row = answer.rows[0];
  return row === undefined ? null : sessionView(row);
}
