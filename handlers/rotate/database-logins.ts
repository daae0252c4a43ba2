import pg from 'pg';
import { type DatabaseAddress, type Environment, readDatabase } from '../../core/index.ts';
import { scramVerifier } from './scram-verifier.ts';
import type { Login } from './secret-versions.ts';

/** Owns the tables. Nobody can log in as it. Both logins act as it, so that what one makes the other may use. */
const owner = 'qurable_owner';
/** The two logins with the same rights. */
export const loginNames = ['qurable_a', 'qurable_b'] as const;

const wrongPassword = '28P01';
const timeoutMillis = 10_000;

/**
 * Connects with the first login that the database accepts, and runs `work`.
 * @throws the database's error if it accepts none
 */
export async function withDatabase<T>(
  env: Environment,
  logins: readonly Login[],
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  for (const [index, login] of logins.entries()) {
    const client = new pg.Client({
      ...addressFor(env, login),
      application_name: 'qurable rotate',
      connectionTimeoutMillis: timeoutMillis,
      statement_timeout: timeoutMillis,
    });
    try {
      await client.connect();
    } catch (error) {
      if (codeOf(error) === wrongPassword && index < logins.length - 1) continue;
      throw error;
    }
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
  throw new Error('there is no login to connect with');
}

/** Makes a login that acts as the owner of the tables, or gives the one that is there a new password. */
export async function ensureLogin(client: pg.Client, { username, password }: Login): Promise<void> {
  await client.query('begin');
  try {
    // Two sessions that make the same role at once fail with an unclear error. With this lock the second one waits.
    await client.query("select pg_advisory_xact_lock(hashtextextended('qurable rotate', 0))");
    if (!(await hasRole(client, owner))) {
      await client.query(`create role ${owner} nologin`);
      await client.query(`grant usage, create on schema public to ${owner}`);
    }
    const role = client.escapeIdentifier(username);
    if (!(await hasRole(client, username))) {
      await client.query(`create role ${role} login in role ${owner}`);
      await client.query(`alter role ${role} set role = '${owner}'`);
    }
    // For operators (core/db/sql-command.ts), who look at the sessions of both logins and end one that holds the others
    // up. What acts as the owner, as the API does, has neither right.
    await client.query(`grant pg_monitor, pg_signal_backend to ${role}`);
    await setPassword(client, { username, password });
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/** Gives a role a password. */
export async function setPassword(client: pg.Client, { username, password }: Login): Promise<void> {
  const verifier = client.escapeLiteral(scramVerifier(password));
  await client.query(`alter role ${client.escapeIdentifier(username)} password ${verifier}`);
}

/** The role that the login acts as. */
export async function currentRole(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ role: string }>('select current_user as role');
  return rows[0]!.role;
}

/** The role that a login must act as. */
export function roleOf({ username }: Login): string {
  return isLoginName(username) ? owner : username;
}

/** The login of the two that is not in use. */
export function otherLogin(username: string): string {
  return username === loginNames[0] ? loginNames[1] : loginNames[0];
}

function isLoginName(name: string): boolean {
  return loginNames.some((login) => login === name);
}

function addressFor(env: Environment, login: Login): DatabaseAddress {
  return readDatabase({ ...env, DB_USERNAME: login.username, DB_PASSWORD: login.password });
}

async function hasRole(client: pg.Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [name]);
  return rowCount === 1;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
