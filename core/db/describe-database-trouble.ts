import { isNativeError } from 'node:util/types';
import pg from 'pg';
import type { DatabaseAddress } from '../database-address.ts';

/** What a person can do about an error's code: of PostgreSQL, of the network, or of TLS. */
const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is PostgreSQL running, and is the port the right one?',
  ENOTFOUND: 'no such host is known',
  EAI_AGAIN: 'the host’s name can’t be looked up at the moment',
  EHOSTUNREACH: 'no way leads to the host',
  ENETUNREACH: 'no way leads to the host’s network',
  ETIMEDOUT: 'it does not answer; is a firewall in between?',
  ECONNRESET: 'it cut the connection; is it a PostgreSQL?',
  '28P01': 'the user or the password is wrong',
  '28000': 'it does not let this user in from here',
  '3D000': 'there is no database of that name; make it with CREATE DATABASE',
  '42501': 'the user may not do what is needed; let it own the database, or GRANT CREATE ON SCHEMA public to it',
  '53300': 'it has no connection left for this user',
  '57P03': 'it is starting or stopping; try again in a moment',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host’s name',
};

/** Codes of Node's TLS for a certificate that no authority known here has signed. */
const untrusted = /^(SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/;

/** Words of errors that have no code. */
const wordings: readonly [RegExp, string][] = [
  [/does not support SSL/, 'it speaks no TLS, which DB_SSLMODE asks for'],
  [/no encryption|SSL off/, 'it wants TLS; set DB_SSLMODE=require, or verify-full with DB_SSL_CA'],
  [/password must be a( non-empty)? string/, 'it wants a password, and none is given'],
  [/timeout/i, causes.ETIMEDOUT!],
  [/Connection terminated/, causes.ECONNRESET!],
];

/**
 * Says in one sentence which database could not be used, and why: host, port, database, user and cause, never the
 * password. For whoever starts a program on it.
 * @param error what the attempt threw, or an error that has it as its cause
 * @returns null where the error is not about a connection or rights; its own message says more then
 */
export function describeDatabaseTrouble(error: unknown, address: DatabaseAddress): string | null {
  const cause = findCause(error);
  if (cause === null) return null;
  const { host, port, database, user } = new pg.Client(address);
  return `The database can’t be used: ${cause} (host ${host}, port ${port}, database ${database}, user ${user})`;
}

function findCause(error: unknown): string | null {
  // Not `instanceof`: an error that Node's sockets made in another realm (a vm context) is an error all the same.
  if (!isNativeError(error)) return null;
  const { code = '', errors, message, cause } = error as NodeJS.ErrnoException & { errors?: unknown };
  const worded = wordings.find(([words]) => words.test(message))?.[1];
  if (code !== '' && untrusted.test(code))
    return `its certificate is not trusted (${code}); DB_SSL_CA names who signed it`;
  if (error instanceof pg.DatabaseError || code !== '') {
    const known = code === '28000' ? (worded ?? causes[code]) : causes[code];
    if (known !== undefined) return known;
  }
  // A name that leads to several addresses fails at each; the last attempts rarely tell more than the first.
  if (Array.isArray(errors) && errors.length > 0) return findCause(errors[0]);
  if (cause !== undefined) return findCause(cause);
  return code === '' ? (worded ?? null) : null;
}
