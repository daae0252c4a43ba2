import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { requireVariable } from './environment.ts';
import { lambdaStack } from './middleware/lambda-stack.ts';
import { makeLogins } from './rotate/make-logins.ts';
import { isRotationStep, rotateSecret } from './rotate/rotate-secret.ts';
import { secretsOf } from './rotate/secret-versions.ts';

const secrets = secretsOf(new SecretsManagerClient());

/**
 * Makes the database's logins when the deployment asks, as a custom resource, and changes their passwords when Secrets
 * Manager does, once a month.
 */
export const handler = lambdaStack('rotate', async (event: unknown, { log }) => {
  const arns = {
    master: requireVariable(process.env, 'DB_MASTER_SECRET_ARN'),
    login: requireVariable(process.env, 'DB_SECRET_ARN'),
  };
  if (isRotationStep(event)) return rotateSecret(event, arns, secrets, process.env, log);
  return makeLogins(arns, secrets, process.env, log);
});
