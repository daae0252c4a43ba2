import type { Core } from '../core.ts';
import { inColdTransaction } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import { limits } from '../limits.ts';
import { endSession } from './end-sessions.ts';
import { findTenantId } from './find-tenant-id.ts';
import { hashSessionSecret, isSessionSecret, makeSessionSecret, rootCheck } from './session-secret.ts';
import { type NewSession, type SignInCore, startSession } from './start-session.ts';

/**
 * Makes the secret of a link that signs somebody in once, as the bootstrap key would, within
 * limits.signInLinkMaxMinutes. Null where there is no bootstrap key.
 */
export async function makeSignInLink(core: Pick<Core, 'coldPool' | 'config' | 'random'>): Promise<string | null> {
  const check = rootCheck(core.config);
  if (check === null) return null;
  const secret = makeSessionSecret(core.random);
  await core.coldPool.query({
    name: 'make-sign-in-link',
    text: `insert into console_links (secret_hash, root_check, ends_at)
      values ($1, $2, clock_timestamp() + interval '${limits.signInLinkMaxMinutes} minutes')`,
    values: [hashSessionSecret(secret), check],
  });
  return secret;
}

/**
 * Begins a session with a link's secret, which is used up by it: of any number of tries, at once and in any process,
 * one succeeds (test: "of ten browsers that open a link at once, one is signed in" in
 * test/http/console-session.test.ts).
 * @param formerSecret the session that the browser had until now, which ends
 * @throws CouponError `unauthenticated` where the link is unknown, used or too old
 */
export async function signInWithLink(core: SignInCore, link: string, formerSecret: string | null): Promise<NewSession> {
  const check = rootCheck(core.config);
  const tenantId = await findTenantId(core, 'default');
  if (check === null || tenantId === null || !isSessionSecret(link)) throw deadLink();
  const begun = await inColdTransaction(core, tenantId, async (tx) => {
    if (!(await useUp(tx, link, check))) throw deadLink();
    return startSession(core, tx, { tenantId, role: 'root', actor: 'root', rootCheck: check });
  });
  if (formerSecret !== null) await endSession(core, formerSecret);
  return begun;
}

async function useUp(tx: Transaction, link: string, check: Buffer): Promise<boolean> {
  const answer = await tx.query({
    name: 'use-sign-in-link',
    text: 'delete from console_links where secret_hash = $1 and root_check = $2 and ends_at > clock_timestamp()',
    values: [hashSessionSecret(link), check],
  });
  return answer.rowCount === 1;
}

function deadLink() {
  return refuse(
    'unauthenticated',
    'The link was used, or is too old. Sign in with a key, or start again for a new link.',
    {
      refused: 'sign-in: link unknown, used or too old',
    },
  );
}
