import { fileURLToPath } from 'node:url';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from '@jest/globals';
import { silentLog } from '../../core/log.ts';
import { readDatabaseAddress } from '../../handlers/migrate/read-database-address.ts';
import { runMigrations } from '../../handlers/migrate/run-migrations.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const metrics = { addMetric: () => {} } as unknown as Parameters<typeof runMigrations>[3];
const attached = { username: 'u', password: 'p', host: 'db.example', port: 5432, dbname: 'coupons' };

/** Secrets Manager with one secret. */
function secretsWith(text: string | undefined): SecretsManagerClient {
  return { send: async () => ({ SecretString: text }) } as unknown as SecretsManagerClient;
}

const read = (secret: string | undefined, env: Record<string, string> = {}) =>
  readDatabaseAddress(secretsWith(secret), { DB_SECRET_ARN: 'arn', ...env });

describe('the database’s address', () => {
  test('is what RDS put into the secret', async () => {
    expect(await read(JSON.stringify(attached))).toEqual({
      host: 'db.example',
      port: 5432,
      database: 'coupons',
      user: 'u',
      password: 'p',
    });
  });

  test('is that of the variables where they are set, with the secret’s login', async () => {
    const login = JSON.stringify({ username: 'u', password: 'p' });
    const env = { DB_HOST: 'other.example', DB_PORT: '6432', DB_NAME: 'qurable', DB_SSLMODE: 'verify-full' };
    expect(await read(login, env)).toEqual({
      host: 'other.example',
      port: 6432,
      database: 'qurable',
      user: 'u',
      password: 'p',
      ssl: { rejectUnauthorized: true },
    });
  });

  test.each([
    ['no JSON', 'hunter2-hunter2'],
    ['no object', '"hunter2-hunter2"'],
    ['nothing', undefined],
  ])('of a secret that is %s is refused without showing it', async (_what, text) => {
    const refusal = await read(text).catch((error: unknown) => String(error));
    expect(refusal).toContain('the secret of DB_SECRET_ARN is not a JSON object');
    expect(refusal).not.toContain('hunter2');
  });

  test('without a password or a secret names what is missing', async () => {
    await expect(read(JSON.stringify({ ...attached, password: '' }))).rejects.toThrow('DB_PASSWORD must be set');
    await expect(readDatabaseAddress(secretsWith('{}'), {})).rejects.toThrow('DB_SECRET_ARN must be set');
  });
});

describe('a database that can not be reached yet', () => {
  test('is tried six times, five seconds apart, and then fails with the reason', async () => {
    const pauses: number[] = [];
    const pause = async (millis: number) => void pauses.push(millis);
    const address = { host: '127.0.0.1', port: 9, database: 'd', user: 'u', password: 'hunter2-hunter2' };
    await expect(runMigrations(address, root, silentLog, metrics, pause)).rejects.toThrow('ECONNREFUSED');
    expect(pauses).toEqual([5_000, 5_000, 5_000, 5_000, 5_000]);
  });
});
