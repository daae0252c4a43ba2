import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { describeDatabaseTrouble, migrateToLatest, silentLog } from '../../core/index.ts';
import { bareEnvironment } from '../support/bare-environment.ts';
import { apiProgram, commandProgram } from '../support/bundle-api.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { createTestDatabase, type TestDatabase, testPostgresUrl } from '../support/start-postgres.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const password = 'hunter2-the-password';

let database: TestDatabase;
/** A database in which `weak`, who has a password, may make nothing. */
let weak: string;

async function asSuperuser(...statements: string[]): Promise<void> {
  const client = new pg.Client(testPostgresUrl());
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

function change(url: string, parts: Partial<URL>): string {
  return Object.assign(new URL(url), parts).href;
}

beforeAll(async () => {
  database = await createTestDatabase('trouble');
  weak = `weak_${database.name}`;
  await asSuperuser(`CREATE ROLE ${weak} LOGIN PASSWORD '${password}'`, `CREATE DATABASE ${weak}`);
});
afterAll(async () => {
  await asSuperuser(`DROP DATABASE ${weak} WITH (FORCE)`, `DROP ROLE ${weak}`);
  await database.drop();
});

describe('a database that can’t be used is told of in one sentence with host, port, database, user and cause', () => {
  const cases: [what: string, cause: RegExp, environment: () => Record<string, string>][] = [
    ['nothing listens', /nothing listens/, () => ({ DATABASE_URL: `postgres://ana:${password}@127.0.0.1:1/shop` })],
    [
      'an unknown host',
      /no such host|looked up/,
      () => ({ DATABASE_URL: `postgres://ana:${password}@no.invalid/shop` }),
    ],
    ['a wrong password', /password is wrong/, () => ({ DATABASE_URL: change(database.url, { password: 'wrong' }) })],
    ['no password', /none is given/, () => ({ DATABASE_URL: change(database.url, { password: '' }) })],
    [
      'a missing database',
      /no database of that name/,
      () => ({ DATABASE_URL: change(database.url, { pathname: '/gone' }) }),
    ],
    [
      'no right to make tables',
      /GRANT CREATE/,
      () => ({ DATABASE_URL: change(database.url, { pathname: `/${weak}`, username: weak, password }) }),
    ],
    ['no TLS', /speaks no TLS/, () => ({ DATABASE_URL: database.url, DB_SSLMODE: 'verify-full' })],
  ];

  test.each(cases)('%s', async (_what, cause, environment) => {
    const failed = await run(process.execPath, [await commandProgram('core/db/migrate-command.ts')], {
      env: { ...bareEnvironment(), ...environment() },
    }).catch((error: { code: number; stderr: string }) => error);
    expect(failed).toMatchObject({ code: 1 });
    expect(failed.stderr.trimEnd().split('\n')).toHaveLength(1);
    const { hostname, port, pathname, username } = new URL(environment().DATABASE_URL!);
    const where = `(host ${hostname}, port ${port || 5432}, database ${pathname.slice(1)}, user ${username})`;
    expect(failed.stderr).toMatch(cause);
    expect(failed.stderr).toContain(where);
    expect(failed.stderr).not.toContain(password);
  });

  test('by the API’s container too', async () => {
    const failed = await run(process.execPath, [await apiProgram()], {
      env: {
        ...bareEnvironment(),
        ...testSecrets,
        DATABASE_URL: change(database.url, { password: 'wrong' }),
        LOG_LEVEL: 'silent',
      },
    }).catch((error: { stderr: string }) => error);
    expect(failed.stderr).toMatch(
      /^Qurable can’t start: The database can’t be used: the user or the password is wrong \(host .*\)\n$/,
    );
  });

  test('by npm start too', async () => {
    const home = mkdtempSync(join(tmpdir(), 'qurable-trouble-'));
    const failed = await run(process.execPath, ['containers/local/start.ts'], {
      cwd: root,
      env: {
        ...bareEnvironment(),
        QURABLE_HOME: home,
        PORT: '0',
        DATABASE_URL: `postgres://ana:${password}@127.0.0.1:1/shop`,
      },
    }).catch((error: { code: number; stderr: string }) => error);
    rmSync(home, { recursive: true });
    expect(failed).toMatchObject({ code: 1 });
    expect(failed.stderr).toMatch(
      /^The database can’t be used: nothing listens there; .* \(host 127\.0\.0\.1, port 1, database shop, user ana\)\n$/,
    );
  });

  test('a port on which something else listens and hangs up', async () => {
    const stranger = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const address = { connectionString: `postgres://ana@127.0.0.1:${(stranger.address() as AddressInfo).port}/shop` };
    const error: unknown = await migrateToLatest(address, silentLog).catch((thrown: unknown) => thrown);
    stranger.close();
    expect(describeDatabaseTrouble(error, address)).toMatch(/is it a PostgreSQL\? \(host 127\.0\.0\.1/);
  });
});

test('of a certificate the authority to name is told, and of other errors nothing', () => {
  const address = { connectionString: 'postgres://ana:secret@db.example/shop' };
  const said = (code: string) => describeDatabaseTrouble(Object.assign(new Error('x'), { code }), address);
  expect(said('SELF_SIGNED_CERT_IN_CHAIN')).toBe(
    'The database can’t be used: its certificate is not trusted (SELF_SIGNED_CERT_IN_CHAIN); DB_SSL_CA names who signed it (host db.example, port 5432, database shop, user ana)',
  );
  expect(said('ERR_TLS_CERT_ALTNAME_INVALID')).toContain('for another host’s name');
  expect(said('EACCES')).toBeNull();
  expect(describeDatabaseTrouble(new TypeError('x is not a function'), address)).toBeNull();
});
