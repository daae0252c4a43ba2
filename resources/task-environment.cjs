// What containers are told (core/config.ts): variables, and secrets that ECS takes from Secrets Manager when a task starts.
const { secretNames } = require('./versioned-secrets.cjs');

/** @returns a container's `environment` and `secrets` of the API */
function ofTasks(p, codeSecretArn) {
  const { adminKey, jwt } = secretNames(p);
  return container(
    {
      ...databaseVariables(p),
      // No METRICS_PORT: nothing in this network collects metrics, so /metrics stays on the one port, for admins alone.
      PORT: '3000',
      // The load balancer.
      TRUSTED_PROXIES: '1',
      LOG_LEVEL: p.logLevel,
      // An empty variable is as good as none.
      DB_REPLICA_HOST: p.databaseReplica ? { 'Fn::GetAtt': ['DatabaseReplica', 'Endpoint.Address'] } : '',
      DB_POOL_MAX: p.databasePoolMax,
      REDIS_HOST: { 'Fn::GetAtt': ['Cache', 'PrimaryEndPoint.Address'] },
      REDIS_PORT: { 'Fn::GetAtt': ['Cache', 'PrimaryEndPoint.Port'] },
      REDIS_TLS: 'true',
      JWT_JWKS_URL: p.jwksUrl,
      JWT_ISSUER: p.jwtIssuer,
      JWT_AUDIENCE: p.jwtAudience,
      OIDC_ISSUER: p.oidcIssuer,
      OIDC_CLIENT_ID: p.oidcClientId,
      OIDC_ROLES: p.oidcRoles,
      OIDC_GROUPS_CLAIM: p.oidcGroupsClaim,
      OIDC_SCOPE: p.oidcScope,
      CORS_ORIGINS: p.corsOrigins,
      CODE_SECRET_VERSION: p.codeSecretVersion,
      RATE_LIMIT_PER_SECOND: p.rateLimitPerSecond,
      // With a NAT too: whatever address a webhook leads to, the request begins outside of this network.
      WEBHOOK_SENDER_FUNCTION: { 'Fn::GetAtt': ['DeliverLambdaFunction', 'Arn'] },
      // An empty variable is as good as none.
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's references
      OTEL_EXPORTER_OTLP_ENDPOINT: p.traceTasks ? { 'Fn::Sub': 'https://xray.${AWS::Region}.${AWS::URLSuffix}' } : '',
      TRACE_AWS_REGION: p.traceTasks ? { Ref: 'AWS::Region' } : '',
      TRACE_ONE_IN: p.traceOneIn,
      STOCK_ANNOUNCER_FUNCTION: { 'Fn::GetAtt': ['AnnounceLambdaFunction', 'Arn'] },
    },
    {
      ...databaseSecrets,
      REDIS_AUTH_TOKEN: { Ref: 'CacheSecret' },
      // One of the two ways, never both: a token must not choose how it is checked.
      ...(p.jwksUrl === '' ? { JWT_SECRET: { Ref: jwt } } : {}),
      ...(p.oidcIssuer === '' ? {} : { OIDC_CLIENT_SECRET: p.oidcClientSecretArn }),
      CODE_SECRET: codeSecretOf(codeSecretArn, p.codeSecretVersion),
      QURABLE_ADMIN_KEY: { Ref: adminKey },
    },
  );
}

/** The same of an operator's commands: what they read of the API's, and no more. */
function ofOperators(p, codeSecretArn) {
  return container(
    { ...databaseVariables(p), CODE_SECRET_VERSION: p.codeSecretVersion },
    { ...databaseSecrets, CODE_SECRET: codeSecretOf(codeSecretArn, p.codeSecretVersion) },
  );
}

/** The same of the commands on events: an operator's, and where events go. */
function ofEvents(p, codeSecretArn) {
  const { environment, secrets } = ofOperators(p, codeSecretArn);
  const ofArchive = {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's reference
    EVENTS_ARCHIVE: { 'Fn::Sub': 's3://${BackupBucket}/events' },
    // An empty variable is as good as none: all months stay.
    EVENTS_KEEP_MONTHS: p.eventsKeepMonths === 0 ? '' : p.eventsKeepMonths,
    AWS_REGION: { Ref: 'AWS::Region' },
  };
  return { environment: [...environment, ...container(ofArchive, {}).environment], secrets };
}

/** The same of the command that wraps the patterns' keys by the next code secret. */
function ofRewrap(p, codeSecretArn) {
  const next = p.codeSecretVersion + 1;
  return container(
    { ...databaseVariables(p), CODE_SECRET_VERSION: next, PREVIOUS_CODE_SECRET_VERSION: p.codeSecretVersion },
    {
      ...databaseSecrets,
      CODE_SECRET: codeSecretOf(codeSecretArn, next),
      PREVIOUS_CODE_SECRET: codeSecretOf(codeSecretArn, p.codeSecretVersion),
    },
  );
}

function databaseVariables(p) {
  return {
    NODE_ENV: 'production',
    DB_HOST: { 'Fn::GetAtt': ['Database', 'Endpoint.Address'] },
    DB_PORT: { 'Fn::GetAtt': ['Database', 'Endpoint.Port'] },
    DB_NAME: 'qurable',
    DB_SSLMODE: p.databaseSslMode,
    // RDS's certificate authorities, which the image has (containers/api/Dockerfile).
    NODE_EXTRA_CA_CERTS: '/app/rds-ca.pem',
  };
}

const databaseSecrets = {
  DB_USERNAME: { 'Fn::Join': ['', [{ Ref: 'DatabaseSecret' }, ':username::']] },
  DB_PASSWORD: { 'Fn::Join': ['', [{ Ref: 'DatabaseSecret' }, ':password::']] },
};

/**
 * A version of the code secret, by the label that .github/scripts/operate.sh gives it: a version is one secret for good, and
 * tasks of an earlier deployment still find theirs. The first has no label: it is the value that was generated.
 */
function codeSecretOf(arn, version) {
  return version === 1 ? arn : { 'Fn::Join': ['', [arn, `::code-secret-${version}:`]] };
}

function container(variables, secrets) {
  return {
    environment: Object.entries(variables).map(([Name, Value]) => ({
      Name,
      Value: typeof Value === 'number' ? String(Value) : Value,
    })),
    secrets: Object.entries(secrets).map(([Name, ValueFrom]) => ({ Name, ValueFrom })),
  };
}

module.exports = { ofEvents, ofOperators, ofRewrap, ofTasks };
