import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrateToLatest } from '../../core/db/migrate.ts';
import { indexNewEvents } from '../../core/events/index-new-events.ts';
import { silentLog } from '../../core/log.ts';
import { loginNames, withDatabase } from '../../handlers/rotate/database-logins.ts';
import { makeLogins } from '../../handlers/rotate/make-logins.ts';
import { isRotationStep, type RotationStep, rotateSecret } from '../../handlers/rotate/rotate-secret.ts';
import type { Login, SecretVersions } from '../../handlers/rotate/secret-versions.ts';
import { testPostgresUrl } from '../support/start-postgres.ts';

const arns = { master: 'arn:master', login: 'arn:login' };
const steps: RotationStep['Step'][] = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];
const administrator = 'rotate_test_admin';
const database = `rotate_${process.pid}`;
const roles = [...loginNames, 'qurable_owner', administrator];

let env: Record<string, string>;
let secrets: SecretVersions;

async function onServer(...statements: string[]): Promise<void> {
  const client = new pg.Client(testPostgresUrl());
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Secrets Manager's versions and stages, in memory. AWSPENDING stays where it was, as it does there. */
function secretsInMemory(initial: Record<string, Login>): SecretVersions {
  const versions = new Map<string, Login>(
    Object.entries(initial).map(([arn, login]) => [`${arn} first`, login] as const),
  );
  const inUse = new Map(Object.keys(initial).map((arn) => [arn, 'first']));
  const pending = new Map<string, string>();
  const find = (arn: string, id: string | undefined) => versions.get(`${arn} ${id}`) ?? null;
  return {
    current: async (arn) => find(arn, inUse.get(arn))!,
    pending: async (arn) => find(arn, pending.get(arn)),
    ofRotation: async (arn, token) => find(arn, token),
    propose: async (arn, token, login) => {
      versions.set(`${arn} ${token}`, login);
      pending.set(arn, token);
    },
    promote: async (arn, token) => {
      inUse.set(arn, token);
    },
  };
}

/** For tests of what lies in the schema; to the others one table says whether a login may use it. */
async function makeSchema(): Promise<void> {
  await migrateToLatest(addressOf(await secrets.current(arns.login)), silentLog);
}

async function rotate(arn: string, token: string, times = 1): Promise<void> {
  for (const Step of steps) {
    for (let call = 0; call < times; call += 1) {
      await rotateSecret({ Step, SecretId: arn, ClientRequestToken: token }, arns, secrets, env, silentLog);
    }
  }
}

function asLogin<T>(login: Login, work: (client: pg.Client) => Promise<T>): Promise<T> {
  return withDatabase(env, [login], work);
}

function addressOf({ username, password }: Login) {
  return { host: env.DB_HOST!, port: Number(env.DB_PORT), database, user: username, password };
}

beforeAll(async () => {
  const { hostname, port } = new URL(testPostgresUrl());
  env = { DB_HOST: hostname, DB_PORT: port, DB_NAME: database };
});

beforeEach(async () => {
  await onServer(
    `drop database if exists ${database} with (force)`,
    ...roles.map((role) => `drop role if exists ${role}`),
  );
  // As RDS makes its administrator: no superuser, but it may make roles, and the database is its own.
  await onServer(
    `create role ${administrator} login createrole password 'of-the-template'`,
    // What RDS's administrators may pass on.
    `grant pg_monitor, pg_signal_backend to ${administrator} with admin option`,
    `create database ${database} owner ${administrator} template template0`,
  );
  secrets = secretsInMemory({
    [arns.master]: { username: administrator, password: 'of-the-template' },
    [arns.login]: { username: 'qurable_a', password: 'first-password' },
  });
  await makeLogins(arns, secrets, env, silentLog);
  await asLogin(await secrets.current(arns.login), (client) => client.query('create table made ()'));
});

afterAll(async () => {
  await onServer(
    `drop database if exists ${database} with (force)`,
    ...roles.map((role) => `drop role if exists ${role}`),
  );
});

describe('the rotation of the database’s passwords', () => {
  test('leaves the login that running tasks hold valid, until the rotation after the next', async () => {
    const before = await secrets.current(arns.login);
    await rotate(arns.login, 'token-1');
    const after = await secrets.current(arns.login);
    expect([before.username, after.username]).toEqual(['qurable_a', 'qurable_b']);
    expect(after.password).not.toBe(before.password);
    for (const login of [before, after]) await asLogin(login, (client) => client.query('select from made'));

    await rotate(arns.login, 'token-2');
    expect(await secrets.current(arns.login)).toMatchObject({ username: 'qurable_a' });
    await asLogin(after, (client) => client.query('select from made'));
    await expect(asLogin(before, (client) => client.query('select'))).rejects.toMatchObject({ code: '28P01' });
  });

  test('lets either login change what the other made, and neither own it or make roles', async () => {
    await makeSchema();
    await rotate(arns.login, 'token-1');
    const login = await secrets.current(arns.login);
    expect(await migrateToLatest(addressOf(login), silentLog)).toEqual({ applied: [] });
    await asLogin(login, async (client) => {
      await client.query("select create_event_partitions(clock_timestamp() + interval '2 years', 2)");
      const { rows } = await client.query("select distinct tableowner from pg_tables where schemaname = 'public'");
      expect(rows).toEqual([{ tableowner: 'qurable_owner' }]);
      await expect(client.query('create role intruder')).rejects.toMatchObject({ code: '42501' });
    });
  });

  test('lets the API enter new events into their index, which takes the owner; any other role leaves them out', async () => {
    await makeSchema();
    const login = await secrets.current(arns.login);
    const moments = { from: '2031-08-01T10:00:00Z', until: '2031-08-02T10:00:00Z' };
    await asLogin(login, async (client) => {
      await client.query("select create_event_partitions('2031-08-01Z', 1)");
      const happen = (rev: number) =>
        client.query(
          `insert into events (tenant_id, deck_id, pos, rev, at, kind, redemptions, fence, actor)
            select 1, 1000000, pos, $1, '2031-08-01 12:00Z', 7, 0, 0, 'test' from generate_series(1, 10000) pos`,
          [rev],
        );
      const indexAs = async (role: Login) => {
        const backgroundPool = new pg.Pool({ ...addressOf(role), max: 1 });
        await indexNewEvents({ backgroundPool }, moments).finally(() => backgroundPool.end());
      };
      const countMissing = async () => {
        const { rows } = await client.query(`select brin_summarize_new_values('events_2031_08_at_idx') as missing`);
        return rows[0].missing;
      };
      await happen(1);
      await indexAs(login);
      expect(await countMissing()).toBe(0);
      await happen(2);
      await indexAs(await secrets.current(arns.master));
      expect(await countMissing()).toBeGreaterThan(0);
    });
  });

  test('comes to the same when every step is called twice', async () => {
    await rotate(arns.login, 'token-1', 2);
    const login = await secrets.current(arns.login);
    await asLogin(login, (client) => client.query('select from made'));
  });

  test('changes the administrator’s password, with which the logins are made from then on', async () => {
    const before = await secrets.current(arns.master);
    await rotate(arns.master, 'token-1', 2);
    const after = await secrets.current(arns.master);
    expect(after.username).toBe(administrator);
    await expect(asLogin(before, (client) => client.query('select'))).rejects.toMatchObject({ code: '28P01' });
    await rotate(arns.login, 'token-2');
    await asLogin(await secrets.current(arns.login), (client) => client.query('select from made'));
  });

  test('that stops half way leaves the former login in use, and the next one succeeds', async () => {
    const before = await secrets.current(arns.login);
    for (const Step of steps.slice(0, 2)) {
      await rotateSecret({ Step, SecretId: arns.login, ClientRequestToken: 'lost' }, arns, secrets, env, silentLog);
    }
    expect(await secrets.current(arns.login)).toEqual(before);
    await rotate(arns.login, 'token-2');
    await asLogin(await secrets.current(arns.login), (client) => client.query('select from made'));
  });

  test('sends no password in a statement', async () => {
    await rotate(arns.login, 'token-1');
    const client = new pg.Client(testPostgresUrl());
    await client.connect();
    const { rows } = await client.query<{ rolpassword: string }>(
      "select rolpassword from pg_authid where rolname in ('qurable_a', 'qurable_b')",
    );
    await client.end();
    expect(rows).toHaveLength(2);
    for (const { rolpassword } of rows) expect(rolpassword).toMatch(/^SCRAM-SHA-256\$4096:/);
  });

  test('is tried before it has a password of its own, as a schedule is made, with the login in use', async () => {
    const before = await secrets.current(arns.login);
    for (const SecretId of [arns.login, arns.master]) {
      const tried = { Step: 'testSecret', SecretId, ClientRequestToken: 'of-the-trial' } as const;
      expect(await rotateSecret(tried, arns, secrets, env, silentLog)).toEqual({ step: 'testSecret' });
    }
    expect(await secrets.current(arns.login)).toEqual(before);
    await onServer(`alter role ${before.username} password 'another'`);
    const bad = { Step: 'testSecret', SecretId: arns.login, ClientRequestToken: 'of-the-trial' } as const;
    await expect(rotateSecret(bad, arns, secrets, env, silentLog)).rejects.toMatchObject({ code: '28P01' });
  });

  test('lets an operator see and end the sessions of both logins, and the API do neither', async () => {
    const first = await secrets.current(arns.login);
    await rotate(arns.login, 'token-1');
    const second = await secrets.current(arns.login);
    const held = new pg.Client(addressOf(first));
    // It is ended in the middle of its wait.
    held.on('error', () => {});
    await held.connect();
    const { rows } = await held.query<{ pid: number }>('select pg_backend_pid() as pid');
    const { pid } = rows[0]!;
    const waiting = held.query('select pg_sleep(600)').catch((error: { code?: string }) => error.code);
    await asLogin(second, async (client) => {
      const seen = async () => {
        const { rows } = await client.query('select query from pg_stat_activity where pid = $1', [pid]);
        return rows[0].query;
      };
      expect(await seen()).toBe('<insufficient privilege>');
      await expect(client.query('select pg_terminate_backend($1)', [pid])).rejects.toMatchObject({ code: '42501' });
      await client.query('set role none');
      expect(await seen()).toContain('pg_');
      await client.query('select pg_terminate_backend($1)', [pid]);
      await client.query('select from made');
    });
    expect(await waiting).toBe('57P01');
    await held.end().catch(() => {});
  });

  test('touches no secret but the stack’s own two', async () => {
    const event = { Step: 'createSecret', SecretId: 'arn:other', ClientRequestToken: 't' } as const;
    await expect(rotateSecret(event, arns, secrets, env, silentLog)).rejects.toThrow('not a secret of this stack');
    expect(isRotationStep({ ...event, Step: 'deleteSecret' })).toBe(false);
    expect(isRotationStep({ RequestType: 'Create' })).toBe(false);
  });

  test('makes the logins again on a restored database, with the password that the secret has now', async () => {
    await onServer(`alter role qurable_a password 'of-another-time'`);
    await makeLogins(arns, secrets, env, silentLog);
    await asLogin(await secrets.current(arns.login), (client) => client.query('select from made'));
  });
});
