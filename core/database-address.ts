import { X509Certificate } from 'node:crypto';
import { ConfigError, choice, type Environment, required, text, whole } from './environment.ts';

/** How to reach PostgreSQL: what a `pg.Pool` takes, without the pool's size. */
export interface DatabaseAddress {
  connectionString?: string;
  host?: string;
  port?: number;
  database?: string;
  user?: string;
  password?: string;
  ssl?: boolean | { rejectUnauthorized: boolean; ca?: string };
}

/**
 * Reads the database's address alone, for the commands that need nothing else (migrations).
 * @throws ConfigError naming the variable
 */
export function readDatabase(env: Environment): DatabaseAddress {
  const ssl = readSsl(env);
  const url = text(env, 'DATABASE_URL');
  const host = text(env, 'DB_HOST');
  const port = whole(env, 'DB_PORT', 5432, 1, 65_535);
  if (url !== null && host !== null) throw new ConfigError('DATABASE_URL and DB_HOST are both set; choose one');
  if (url !== null) {
    if (!/^postgres(ql)?:\/\//.test(url))
      throw new ConfigError('DATABASE_URL must begin with postgres:// or postgresql://');
    if (!URL.canParse(url))
      throw new ConfigError('DATABASE_URL is not a URL; special characters in it must be percent-encoded');
    return { connectionString: url, ...ssl };
  }
  if (host === null)
    throw new ConfigError('DATABASE_URL or DB_HOST must be set: there is no database without an address');
  return {
    host,
    port,
    database: text(env, 'DB_NAME') ?? 'qurable',
    user: required(env, 'DB_USERNAME'),
    password: required(env, 'DB_PASSWORD'),
    ...ssl,
  };
}

/**
 * Reads where a read replica is, which has everything but its host in common with the primary; null: there is none.
 * @throws ConfigError naming the variable
 */
export function readReplica(env: Environment): DatabaseAddress | null {
  const host = text(env, 'DB_REPLICA_HOST');
  if (host === null) return null;
  const primary = readDatabase(env);
  if (primary.connectionString === undefined) return { ...primary, host };
  const url = new URL(primary.connectionString);
  url.hostname = host;
  return { ...primary, connectionString: url.href };
}

/**
 * Refuses what only means something beside the address of a database, for a start that brings a database of its own.
 * @throws ConfigError naming the variable
 */
export function refuseDatabaseParts(env: Environment): void {
  const parts = { DB_REPLICA_HOST: text(env, 'DB_REPLICA_HOST'), DB_SSLMODE: readSsl(env).ssl ?? null };
  for (const [name, value] of Object.entries(parts)) {
    if (value !== null) throw new ConfigError(`${name} is set without DATABASE_URL or DB_HOST, which it belongs to`);
  }
}

function readSsl(env: Environment): Pick<DatabaseAddress, 'ssl'> {
  const mode = choice(env, 'DB_SSLMODE', ['disable', 'require', 'verify-full'] as const, 'disable');
  const ca = text(env, 'DB_SSL_CA');
  if (ca !== null && !areCertificates(ca)) {
    throw new ConfigError(
      'DB_SSL_CA must be the PEM text of certificates, -----BEGIN CERTIFICATE----- and on, not a path',
    );
  }
  if (mode === 'disable') return {};
  return { ssl: { rejectUnauthorized: mode === 'verify-full', ...(ca === null ? {} : { ca }) } };
}

/** Node takes any text for certificates, ignores what is none, and then trusts nobody. */
function areCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).serialNumber !== '');
  } catch {
    return false;
  }
}
