import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type DatabaseAddress, type Environment, readDatabase } from '../../core/index.ts';
import { requireVariable } from '../environment.ts';

/**
 * Makes the database's address from the secret DB_SECRET_ARN, as RDS fills it (username, password, host, port, dbname),
 * and from the DB_ variables, which override the secret. The secret is read each time, because it is rotated.
 * @throws Error that names what is missing, never a value
 */
export async function readDatabaseAddress(client: SecretsManagerClient, env: Environment): Promise<DatabaseAddress> {
  const arn = requireVariable(env, 'DB_SECRET_ARN');
  const answer = await client.send(new GetSecretValueCommand({ SecretId: arn }));
  const secret = parseSecret(answer.SecretString);
  return readDatabase({
    DB_HOST: env['DB_HOST'] || textOf(secret, 'host'),
    DB_PORT: env['DB_PORT'] || textOf(secret, 'port'),
    DB_NAME: env['DB_NAME'] || textOf(secret, 'dbname'),
    DB_USERNAME: textOf(secret, 'username'),
    DB_PASSWORD: textOf(secret, 'password'),
    DB_SSLMODE: env['DB_SSLMODE'],
    DB_SSL_CA: env['DB_SSL_CA'],
  });
}

function parseSecret(text: string | undefined): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text ?? '');
    if (typeof parsed === 'object' && parsed !== null) return { ...parsed };
  } catch {
    // The parser's message would quote the secret.
  }
  throw new Error('the secret of DB_SECRET_ARN is not a JSON object');
}

function textOf(secret: Record<string, unknown>, name: string): string | undefined {
  const value = secret[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
