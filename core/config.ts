import type { Role } from './caller.ts';
import { type DatabaseAddress, readDatabase, readReplica } from './database-address.ts';
import { ConfigError, choice, type Environment, isTrustworthy, required, secret, text, whole } from './environment.ts';
import { limits } from './limits.ts';

/** How to reach Redis. */
export interface RedisAddress {
  url?: string;
  host?: string;
  port?: number;
  password?: string;
  tls: boolean;
}

/** How JWTs are checked. The algorithm follows from here, never from the token. */
export type JwtConfig =
  | { mode: 'secret'; secret: string; issuer: string | null; audience: string | null }
  | { mode: 'jwks'; url: string; issuer: string | null; audience: string | null }
  | { mode: 'none' };

/** What members of a group of the company's may do in the console: in one tenant, by its slug. */
export interface OidcRole {
  group: string;
  tenant: string;
  role: Exclude<Role, 'root' | 'customer'>;
}

/** The company's sign-in by OpenID Connect, for the console. */
export interface OidcConfig {
  /** As the issuer writes itself: with a slash at its end, or without. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** The first whose group a person is in counts; who is in none is refused. */
  roles: OidcRole[];
  groupsClaim: string;
  /** What the issuer is asked for, words with spaces between them. */
  scope: string;
}

/** Everything the environment may set, checked. */
export interface Config {
  port: number;
  host: string;
  database: DatabaseAddress;
  /** A read replica for lists and exports, never for a decision; null: the primary serves them. */
  replica: DatabaseAddress | null;
  /** Connections of the hot path, 4 to 200; core/db/open-pools.ts says what there is beside them. */
  databasePoolMax: number;
  redis: RedisAddress | null;
  jwt: JwtConfig;
  /** Wraps the pattern keys; 32 to 1,024 characters. */
  codeSecret: string;
  /** Its version, 1 and up: raised when the secret is rotated. */
  codeSecretVersion: number;
  /** The bootstrap root key, or null. */
  adminKey: string | null;
  /** How people sign in to the console beside keys; null: not at all. */
  oidc: OidcConfig | null;
  corsOrigins: string[];
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /**
   * Where traces go by OTLP over HTTP, and one in how many requests is traced; null: nothing is. With `awsRegion` it is
   * X-Ray's endpoint, and what is sent there is signed for that region.
   */
  tracing: { endpoint: string; oneIn: number; awsRegion: string | null } | null;
  /** The port of `/metrics`; null: on the main port, for admins only. */
  metricsPort: number | null;
  /** How many proxies in front may be believed about the client's address: 1 behind a load balancer, 0 without one. */
  trustedProxies: number;
  /** Requests a second that one token may make, over all tasks; 0: no limit. */
  rateLimitPerSecond: number;
  /** Whether webhooks may lead to this very machine, over plain HTTP too: for development. */
  webhookAllowLoopback: boolean;
  /** The ARN of the Lambda function that sends webhooks; null: this process does. */
  webhookSenderFunction: string | null;
  /** The ARN of the Lambda function that tells operators of books that run out; null: the log does. */
  stockAnnouncerFunction: string | null;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** The variables that begin with QURABLE_; any other such name is a typing error worth stopping for. */
const ownVariables = new Set(['QURABLE_ADMIN_KEY', 'QURABLE_HOME']);

/**
 * Reads and checks the whole configuration. Nothing else in the project's core reads the environment.
 * @throws ConfigError naming the first variable that is missing or malformed
 */
export function readConfig(env: Environment): Config {
  for (const name of Object.keys(env)) {
    if (name.startsWith('QURABLE_') && !name.startsWith('QURABLE_TEST_') && !ownVariables.has(name)) {
      throw new ConfigError(`${name} is not a variable that Qurable knows; the names are in .env.example`);
    }
  }
  checkPreviousSecret(env);
  return {
    port: whole(env, 'PORT', 3000, 0, 65_535),
    host: text(env, 'HOST') ?? '0.0.0.0',
    database: readDatabase(env),
    replica: readReplica(env),
    databasePoolMax: whole(env, 'DB_POOL_MAX', 10, 4, 200),
    redis: readRedis(env),
    jwt: readJwt(env),
    codeSecret: secret(env, 'CODE_SECRET', 32, 1024),
    codeSecretVersion: whole(env, 'CODE_SECRET_VERSION', 1, 1, 1_000_000),
    adminKey: readAdminKey(env),
    oidc: readOidc(env),
    corsOrigins: readOrigins(env),
    logLevel: choice(env, 'LOG_LEVEL', logLevels, 'info'),
    tracing: readTracing(env),
    metricsPort: readMetricsPort(env),
    trustedProxies: whole(env, 'TRUSTED_PROXIES', 0, 0, 10),
    rateLimitPerSecond: whole(env, 'RATE_LIMIT_PER_SECOND', limits.defaultRateLimitPerSecond, 0, 1_000_000),
    ...readWebhooks(env),
    stockAnnouncerFunction: functionArn(env, 'STOCK_ANNOUNCER_FUNCTION'),
  };
}

/** Whole months of events that stay in the database at least, where any leave it. */
const keepMonthsLeast = 3;

/** Where exported events are kept, and how long they stay in the database. */
export interface EventArchiveConfig {
  /** A folder's path, or a bucket with a prefix. */
  place: { folder: string } | { bucket: string; prefix: string };
  /** Whole months that stay in the database, keepMonthsLeast and up; null: all stay. */
  keepMonths: number | null;
}

/**
 * Reads where exported events go, for the commands that need nothing else of it.
 * @throws ConfigError naming the variable
 */
export function readEventArchive(env: Environment): EventArchiveConfig {
  const keepMonths =
    text(env, 'EVENTS_KEEP_MONTHS') === null ? null : whole(env, 'EVENTS_KEEP_MONTHS', 0, keepMonthsLeast, 1_200);
  const home = text(env, 'QURABLE_HOME');
  const place = text(env, 'EVENTS_ARCHIVE') ?? (home === null ? null : `${home}/events`);
  if (place === null)
    throw new ConfigError('EVENTS_ARCHIVE must be set: a folder such as /backup/events, or s3://bucket/prefix');
  if (!place.includes('://')) return { place: { folder: place }, keepMonths };
  const [, bucket, prefix] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([\w./-]*?)\/?)?$/.exec(place) ?? [];
  if (bucket === undefined)
    throw new ConfigError('EVENTS_ARCHIVE must be a folder, or a bucket with a prefix such as s3://bucket/events');
  return { place: { bucket, prefix: prefix ?? '' }, keepMonths };
}

function readRedis(env: Environment): RedisAddress | null {
  const tls = choice(env, 'REDIS_TLS', ['true', 'false'] as const, 'false') === 'true';
  const url = text(env, 'REDIS_URL');
  const host = text(env, 'REDIS_HOST');
  const port = whole(env, 'REDIS_PORT', 6379, 1, 65_535);
  if (url !== null && host !== null) throw new ConfigError('REDIS_URL and REDIS_HOST are both set; choose one');
  if (url !== null) {
    if (!/^rediss?:\/\//.test(url) || !URL.canParse(url))
      throw new ConfigError('REDIS_URL must be a redis:// or rediss:// URL');
    return { url, tls: tls || url.startsWith('rediss:') };
  }
  if (host === null) return null;
  const password = text(env, 'REDIS_AUTH_TOKEN');
  return { host, port, ...(password === null ? {} : { password }), tls };
}

function readJwt(env: Environment): JwtConfig {
  const issuer = text(env, 'JWT_ISSUER');
  const audience = text(env, 'JWT_AUDIENCE');
  const url = text(env, 'JWT_JWKS_URL');
  if (url !== null) {
    if (env.JWT_SECRET) throw new ConfigError('JWT_JWKS_URL and JWT_SECRET are both set; choose one');
    if (!isTrustworthy(url))
      throw new ConfigError('JWT_JWKS_URL must be an https:// URL; http:// is for an issuer on this machine alone');
    return { mode: 'jwks', url, issuer, audience };
  }
  if (!env.JWT_SECRET) return { mode: 'none' };
  return { mode: 'secret', secret: secret(env, 'JWT_SECRET', 32, 1024), issuer, audience };
}

/** Read by `npm run rewrap-pattern-keys` alone, and checked wherever it is set. */
function checkPreviousSecret(env: Environment): void {
  if (text(env, 'PREVIOUS_CODE_SECRET') !== null) secret(env, 'PREVIOUS_CODE_SECRET', 32, 1024);
  whole(env, 'PREVIOUS_CODE_SECRET_VERSION', 1, 1, 1_000_000);
}

function readTracing(env: Environment): Config['tracing'] {
  const oneIn = whole(env, 'TRACE_ONE_IN', 1_000, 1, 1_000_000_000);
  const endpoint = text(env, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  if (endpoint === null) return null;
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint))
    throw new ConfigError(
      'OTEL_EXPORTER_OTLP_ENDPOINT must be an http:// or https:// URL such as http://127.0.0.1:4318',
    );
  const awsRegion = text(env, 'TRACE_AWS_REGION');
  if (awsRegion !== null && !/^[a-z]{2}(-[a-z]+){1,2}-[1-9]$/.test(awsRegion))
    throw new ConfigError('TRACE_AWS_REGION must be a region such as us-east-1');
  return { endpoint, oneIn, awsRegion };
}

function readWebhooks(env: Environment): Pick<Config, 'webhookAllowLoopback' | 'webhookSenderFunction'> {
  const webhookAllowLoopback = choice(env, 'WEBHOOK_ALLOW_LOOPBACK', ['true', 'false'] as const, 'false') === 'true';
  const webhookSenderFunction = functionArn(env, 'WEBHOOK_SENDER_FUNCTION');
  // A function has another loopback than this machine's.
  if (webhookSenderFunction !== null && webhookAllowLoopback)
    throw new ConfigError('WEBHOOK_SENDER_FUNCTION and WEBHOOK_ALLOW_LOOPBACK are both set; choose one');
  return { webhookAllowLoopback, webhookSenderFunction };
}

function functionArn(env: Environment, name: string): string | null {
  const arn = text(env, name);
  if (arn !== null && !/^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]{1,64}$/.test(arn)) {
    throw new ConfigError(`${name} must be the ARN of a Lambda function, arn:aws:lambda:region:account:function:name`);
  }
  return arn;
}

function readMetricsPort(env: Environment): number | null {
  if (text(env, 'METRICS_PORT') === null) return null;
  const port = whole(env, 'METRICS_PORT', 0, 0, 65_535);
  if (port !== 0 && port === whole(env, 'PORT', 3000, 0, 65_535)) {
    throw new ConfigError('METRICS_PORT must be another port than PORT; unset, /metrics is on PORT, for admins');
  }
  return port;
}

function readAdminKey(env: Environment): string | null {
  const key = text(env, 'QURABLE_ADMIN_KEY');
  if (key === null) return null;
  if (!/^qk_[\x21-\x7e]{29,125}$/.test(key)) {
    throw new ConfigError('QURABLE_ADMIN_KEY must begin with qk_ and have 32 to 128 visible ASCII characters');
  }
  return key;
}

function readOidc(env: Environment): OidcConfig | null {
  const issuer = text(env, 'OIDC_ISSUER');
  if (issuer === null) {
    for (const name of ['OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OIDC_ROLES', 'OIDC_GROUPS_CLAIM', 'OIDC_SCOPE']) {
      if (text(env, name) !== null) throw new ConfigError(`${name} is set without OIDC_ISSUER, which it belongs to`);
    }
    return null;
  }
  if (!isTrustworthy(issuer)) {
    throw new ConfigError('OIDC_ISSUER must be an https:// URL; http:// is for an issuer on this machine alone');
  }
  const scope = text(env, 'OIDC_SCOPE') ?? 'openid profile email';
  if (!scope.split(' ').includes('openid')) throw new ConfigError('OIDC_SCOPE must have the word openid in it');
  return {
    issuer,
    clientId: required(env, 'OIDC_CLIENT_ID'),
    clientSecret: required(env, 'OIDC_CLIENT_SECRET'),
    roles: required(env, 'OIDC_ROLES').split(';').map(readOidcRole),
    groupsClaim: text(env, 'OIDC_GROUPS_CLAIM') ?? 'groups',
    scope,
  };
}

/** `group=role` or `group=tenant/role`. A group's own name may have any of these characters but the semicolon. */
function readOidcRole(entry: string): OidcRole {
  const [, group, tenant = 'default', role] =
    /^\s*(\S.*?)\s*=\s*(?:([a-z0-9-]{1,63})\/)?(admin|operator|redeemer)\s*$/.exec(entry) ?? [];
  if (group === undefined) {
    throw new ConfigError(
      'OIDC_ROLES must be group=role or group=tenant/role, with semicolons between them; roles are admin, operator, redeemer',
    );
  }
  return { group, tenant, role: role as OidcRole['role'] };
}

function readOrigins(env: Environment): string[] {
  const value = text(env, 'CORS_ORIGINS');
  if (value === null || value === 'none') return [];
  return value.split(',').map((part) => {
    const origin = part.trim();
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new ConfigError(`CORS_ORIGINS must be a comma-separated list of origins such as https://shop.example`);
    }
    return origin;
  });
}
