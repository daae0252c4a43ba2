import { inColdTransaction } from '../db/cold-transaction.ts';
import { refuse } from '../errors.ts';
import { authenticateKey, type KeyCore } from './authenticate-key.ts';
import { endSession } from './end-sessions.ts';
import { rootCheck } from './session-secret.ts';
import { type NewSession, type SessionBase, type SignInCore, startSession } from './start-session.ts';

/**
 * Begins a session of the console that may what the API key may, for as long as the key is good.
 * @param formerSecret the session that the browser had until now, which ends
 * @throws CouponError `unauthenticated` for a key that is unknown, revoked or expired
 */
export async function signInWithKey(
  core: SignInCore & KeyCore,
  key: string,
  formerSecret: string | null,
): Promise<NewSession> {
  const caller = await authenticateKey(core, key);
  if (caller === null) {
    throw refuse('unauthenticated', 'The key is unknown, revoked or expired.', {
      refused: 'sign-in: key unknown, expired or revoked',
    });
  }
  const { tenantId, role, actor } = caller;
  const check = rootCheck(core.config);
  const base: SessionBase =
    role === 'root' && check !== null
      ? { tenantId, role, actor, rootCheck: check }
      : { tenantId, role, actor, keyId: keyIdOf(actor) };
  const session = await inColdTransaction(core, tenantId, (tx) => startSession(core, tx, base));
  if (formerSecret !== null) await endSession(core, formerSecret);
  return session;
}

/** Out of `key:<short id>`, as authenticateKey names the keys of tenants. */
function keyIdOf(actor: string): number {
  return Number(actor.slice('key:'.length));
}
