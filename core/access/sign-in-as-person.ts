import { inColdTransaction } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import { endSession } from './end-sessions.ts';
import { findTenantId } from './find-tenant-id.ts';
import { type NewSession, type SignInCore, startSession } from './start-session.ts';

/** Somebody whom the company's sign-in has made sure of. */
export interface SignedInPerson {
  issuer: string;
  /** The issuer's own name for the person, which never changes. */
  subject: string;
  /** For people; it may change from one sign-in to the next. */
  name: string;
  groups: readonly string[];
}

/**
 * Begins a session of a person, in the tenant and with the role that the first of OIDC_ROLES gives whose group the
 * person is in. Both hold until the session ends, whatever becomes of the groups meanwhile.
 * @param formerSecret the session that the browser had until now, which ends
 * @throws CouponError `forbidden` for somebody in none of the groups, or of a tenant that does not exist
 */
export async function signInAsPerson(
  core: SignInCore,
  person: SignedInPerson,
  formerSecret: string | null,
): Promise<NewSession> {
  const granted = core.config.oidc?.roles.find(({ group }) => person.groups.includes(group));
  const tenantId = granted === undefined ? null : await findTenantId(core, granted.tenant);
  if (granted === undefined || tenantId === null) {
    throw refuse('forbidden', 'You are in none of the groups that may use this console.', {
      refused: granted === undefined ? 'sign-in: in no group with a role' : 'sign-in: no such tenant',
    });
  }
  const begun = await inColdTransaction(core, tenantId, async (tx) => {
    const personId = await rememberPerson(tx, tenantId, person);
    return startSession(core, tx, { tenantId, role: granted.role, actor: `person:${personId}`, personId });
  });
  if (formerSecret !== null) await endSession(core, formerSecret);
  return begun;
}

/** Gives the person a short id in the tenant, or takes the one there is, and writes down today's name. */
async function rememberPerson(tx: Transaction, tenantId: number, person: SignedInPerson): Promise<number> {
  const answer = await tx.query<{ personId: number }>({
    name: 'remember-person',
    text: `insert into console_people (tenant_id, issuer, subject, name, created_at)
      values ($1, $2, $3, $4, date_trunc('milliseconds', clock_timestamp()))
      on conflict (tenant_id, issuer, subject) do update set name = excluded.name
      returning person_id as "personId"`,
    values: [tenantId, person.issuer, person.subject, person.name],
  });
  return answer.rows[0]!.personId;
}
