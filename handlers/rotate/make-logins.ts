import type { Environment, Log } from '../../core/index.ts';
import { ensureLogin, withDatabase } from './database-logins.ts';
import type { SecretVersions } from './secret-versions.ts';

/** The two secrets: the administrator's and the API's. */
export interface SecretArns {
  master: string;
  login: string;
}

/**
 * Makes the login that the API's secret names, with its password. If the database has it already, for example because
 * it was restored from a snapshot, it gets the secret's password again. Repeating it is harmless.
 */
export async function makeLogins(
  arns: SecretArns,
  secrets: SecretVersions,
  env: Environment,
  log: Log,
): Promise<{ login: string }> {
  const login = await secrets.current(arns.login);
  await withDatabase(env, await administrators(arns, secrets), (client) => ensureLogin(client, login));
  log.info({ login: login.username }, 'made the login of the API');
  return { login: login.username };
}

/** The administrator's password may be in the middle of its own rotation. Then the new one is the right one. */
export async function administrators(arns: SecretArns, secrets: SecretVersions) {
  const [current, pending] = await Promise.all([secrets.current(arns.master), secrets.pending(arns.master)]);
  return pending === null ? [current] : [current, pending];
}
