import { randomBytes } from 'node:crypto';
import type { Environment, Log } from '../../core/index.ts';
import { currentRole, ensureLogin, otherLogin, roleOf, setPassword, withDatabase } from './database-logins.ts';
import { administrators, type SecretArns } from './make-logins.ts';
import type { Login, SecretVersions } from './secret-versions.ts';

/** One of the four calls that Secrets Manager makes for a rotation, each of which it may repeat. */
export interface RotationStep {
  Step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
  SecretId: string;
  ClientRequestToken: string;
}

const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];
const passwordBytes = 30;

/** Whether an event comes from Secrets Manager. */
export function isRotationStep(event: unknown): event is RotationStep {
  return (
    typeof event === 'object' &&
    event !== null &&
    'Step' in event &&
    'SecretId' in event &&
    'ClientRequestToken' in event &&
    steps.includes(String(event.Step))
  );
}

/**
 * Does one step of a rotation. The API's secret alternates between two logins, so that the one that running tasks use
 * stays valid until the next rotation. The administrator's secret keeps its login: no task uses it.
 * @throws Error for a secret that is neither
 */
export async function rotateSecret(
  { Step, SecretId, ClientRequestToken }: RotationStep,
  arns: SecretArns,
  secrets: SecretVersions,
  env: Environment,
  log: Log,
): Promise<{ step: string }> {
  if (SecretId !== arns.login && SecretId !== arns.master) throw new Error(`${SecretId} is not a secret of this stack`);
  const isMaster = SecretId === arns.master;
  const proposed = () => proposedLogin(SecretId, ClientRequestToken, secrets);
  if (Step === 'createSecret') await propose(SecretId, ClientRequestToken, isMaster, secrets);
  if (Step === 'setSecret') await putIntoDatabase(await proposed(), isMaster, arns, secrets, env);
  if (Step === 'testSecret') await logIn(await loginToTest(SecretId, ClientRequestToken, secrets), env);
  if (Step === 'finishSecret') await secrets.promote(SecretId, ClientRequestToken);
  log.info({ step: Step, secret: isMaster ? 'administrator' : 'login' }, 'did a step of a rotation');
  return { step: Step };
}

async function propose(arn: string, token: string, isMaster: boolean, secrets: SecretVersions): Promise<void> {
  // A repeated call must not change a password that an earlier one has put into the database.
  if ((await secrets.ofRotation(arn, token)) !== null) return;
  const { username } = await secrets.current(arn);
  const password = randomBytes(passwordBytes).toString('base64url');
  await secrets.propose(arn, token, { username: isMaster ? username : otherLogin(username), password });
}

async function putIntoDatabase(
  login: Login,
  isMaster: boolean,
  arns: SecretArns,
  secrets: SecretVersions,
  env: Environment,
): Promise<void> {
  await withDatabase(env, await administrators(arns, secrets), (client) =>
    isMaster ? setPassword(client, login) : ensureLogin(client, login),
  );
}

async function logIn(login: Login, env: Environment): Promise<void> {
  const role = await withDatabase(env, [login], currentRole);
  if (role !== roleOf(login)) throw new Error(`${login.username} acts as ${role}, not as ${roleOf(login)}`);
}

/**
 * The new login; the one in use where there is none. A schedule that does not begin at once is tried as it is made:
 * Secrets Manager calls this step alone, for a version that has no value. A rotation of which nothing was proposed ends
 * at the next step, which can't put such a version into use.
 */
async function loginToTest(arn: string, token: string, secrets: SecretVersions): Promise<Login> {
  return (await secrets.ofRotation(arn, token)) ?? (await secrets.current(arn));
}

async function proposedLogin(arn: string, token: string, secrets: SecretVersions): Promise<Login> {
  const login = await secrets.ofRotation(arn, token);
  if (login === null) throw new Error('there is no new password yet: createSecret comes first');
  return login;
}
