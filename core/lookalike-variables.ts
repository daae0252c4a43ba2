import type { Environment } from './environment.ts';

/** Every variable of the environment that the product reads, as .env.example lists them. */
export const knownVariables: readonly string[] = [
  'PORT',
  'HOST',
  'DATABASE_URL',
  'DB_HOST',
  'DB_PORT',
  'DB_NAME',
  'DB_USERNAME',
  'DB_PASSWORD',
  'DB_REPLICA_HOST',
  'DB_POOL_MAX',
  'DB_SSLMODE',
  'DB_SSL_CA',
  'REDIS_URL',
  'REDIS_HOST',
  'REDIS_PORT',
  'REDIS_AUTH_TOKEN',
  'REDIS_TLS',
  'JWT_SECRET',
  'JWT_JWKS_URL',
  'JWT_ISSUER',
  'JWT_AUDIENCE',
  'CODE_SECRET',
  'CODE_SECRET_VERSION',
  'PREVIOUS_CODE_SECRET',
  'PREVIOUS_CODE_SECRET_VERSION',
  'QURABLE_ADMIN_KEY',
  'QURABLE_HOME',
  'OIDC_ISSUER',
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET',
  'OIDC_ROLES',
  'OIDC_GROUPS_CLAIM',
  'OIDC_SCOPE',
  'CORS_ORIGINS',
  'LOG_LEVEL',
  'METRICS_PORT',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'TRACE_ONE_IN',
  'TRACE_AWS_REGION',
  'TRUSTED_PROXIES',
  'RATE_LIMIT_PER_SECOND',
  'EVENTS_ARCHIVE',
  'EVENTS_KEEP_MONTHS',
  'WEBHOOK_ALLOW_LOOPBACK',
  'WEBHOOK_SENDER_FUNCTION',
  'STOCK_ANNOUNCER_FUNCTION',
];

/** Shorter names are like too many others: HOST is like HOME. */
const shortestChars = 7;
/**
 * Typing errors that a name may have, one in so many letters: a letter too many, too few or another one counts once,
 * two swapped ones twice. The first letter is right: PGPASSWORD is no DB_PASSWORD.
 */
const lettersPerError = 4;

/**
 * Finds variables that are nothing to the product and look like one that is: a typing error, or the beginning of a
 * longer name. An environment is full of other programs' variables, so this is for warnings and stops nothing.
 * @returns a line for each, which names both and no value; in the environment's order
 */
export function warnOfLookalikes(env: Environment): string[] {
  const lines: string[] = [];
  for (const name of Object.keys(env)) {
    if (env[name] === '' || name.length < shortestChars || knownVariables.includes(name)) continue;
    const meant = knownVariables.find((known) => known.length >= shortestChars && isLike(name, known));
    if (meant !== undefined)
      lines.push(`${name} is not a variable that Qurable knows, and changes nothing; is ${meant} meant?`);
  }
  return lines;
}

function isLike(name: string, known: string): boolean {
  const [a, b] = [plain(name), plain(known)];
  return b.startsWith(a) || (a[0] === b[0] && errorsBetween(a, b) <= b.length / lettersPerError);
}

function plain(name: string): string {
  return name.toUpperCase().replaceAll(/[_-]/g, '');
}

/** Levenshtein's distance, row by row. */
function errorsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
