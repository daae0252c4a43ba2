// What follows from the parameters of resources/stages.yml. Whatever contradicts itself or is unknown ends the packaging
// here, with a sentence that says what to change: CloudFormation would find out after a quarter of an hour, or never.
const { createHash } = require('node:crypto');
const { readdirSync, readFileSync } = require('node:fs');
const { isIPv4 } = require('node:net');
const { join } = require('node:path');
const { imageTag } = require('./image-tag.cjs');

const project = join(__dirname, '..');

module.exports = async ({ options, resolveVariable }) => {
  refuseUnknown([options.param ?? []].flat());
  const stage = await resolveVariable('sls:stage');
  // Names of ElastiCache's snapshots are at most 40 characters, and hold the stage, the kind, the date and the run.
  if (!/^[a-z][a-z0-9]{0,6}$/.test(stage)) refuse(`stage "${stage}": 1 to 7 of a-z and 0-9, a letter first`);
  const p = new Proxy({}, { get: (_, name) => resolveVariable(`param:${name}`) });

  const jwksUrl = await p.jwksUrl;
  const nat = await p.nat;
  if (!['none', 'one', 'each-zone'].includes(nat)) refuse(`nat "${nat}": none, one or each-zone`);
  if (jwksUrl !== '' && nat === 'none') {
    refuse('jwksUrl is set, but the tasks have no way out to fetch it: set nat to one or each-zone');
  }
  if (jwksUrl !== '' && !jwksUrl.startsWith('https://')) refuse('jwksUrl must be an https:// address');

  const databaseConnectionsAlarm = Math.floor((await number(p, 'databaseMaxConnections', 20, 5000)) * 0.9);
  const storageGb = await number(p, 'databaseStorageGb', 20, 65536);
  const storageMaxGb = await number(p, 'databaseStorageMaxGb', 22, 65536);
  if (storageMaxGb < storageGb * 1.1) refuse('databaseStorageMaxGb must be at least a tenth above databaseStorageGb');
  const maxWalMb = await number(p, 'databaseMaxWalMb', 1024, 1e6);
  if (maxWalMb > storageGb * 1024 * 0.2) refuse('databaseMaxWalMb must be at most a fifth of databaseStorageGb');
  if (!/^\d+\.\d+$/.test(await p.databaseVersion))
    refuse('databaseVersion must be a full minor version, such as 15.17');

  if (!isCidr(await p.clientCidr)) refuse('clientCidr must be like 203.0.113.0/24');
  const entrance = await entranceOf(p);
  const cacheNodes = await number(p, 'cacheNodes', 1, 6);
  const zones = await number(p, 'interfaceEndpointZones', 1, 2);
  const replica = (await flag(p, 'databaseReplica')) ? 'one' : 'none';
  const codeSecretArn = (await p.codeSecretArn) || { Ref: 'CodeSecret' };
  const subnets = [{ Ref: 'PrivateSubnetA' }, { Ref: 'PrivateSubnetB' }];

  return {
    scaleResourceId: `service/qurable-${stage}/qurable-api`,
    scaleCalendar: JSON.stringify(await calendarOf(p)),
    imageTag: (await p.imageTag) || imageTag(project),
    migrations: migrationsHash(),
    nat,
    ...entrance,
    replica,
    codeSecret: (await p.codeSecretArn) === '' ? 'made' : 'given',
    codeSecretArn,
    hasSeveralCacheNodes: cacheNodes > 1,
    interfaceEndpointSubnets: subnets.slice(0, zones),
    // 90 % of all connections, as the strategy's 180 of 200.
    databaseConnectionsAlarm,
    // A tenth of the disk, in bytes, leaves time to act before the automatic growth has reached its end.
    databaseFreeStorageAlarm: Math.floor(storageGb * 0.1 * 1024 ** 3),
    // RDS takes integers in the parameter's own unit: pages of 8 kB for some, kB for others.
    databaseMemory: {
      maxWal: String(maxWalMb),
      hugePages: (await flag(p, 'databaseHugePages')) ? 'on' : 'off',
      sharedBuffers: String((await number(p, 'databaseSharedBuffersMb', 16, 1e6)) * 128),
      effectiveCache: String((await number(p, 'databaseEffectiveCacheMb', 16, 1e6)) * 128),
      walBuffers: String((await number(p, 'databaseWalBuffersMb', 1, 2047)) * 128),
      maintenanceWorkMem: String((await number(p, 'databaseMaintenanceWorkMemMb', 16, 1e6)) * 1024),
      workMem: String((await number(p, 'databaseWorkMemMb', 1, 1e4)) * 1024),
    },
    taskEnvironment: await taskEnvironmentOf(p, replica),
    taskSecrets: taskSecretsOf(jwksUrl, codeSecretArn),
    cacheMetrics: {
      evictions: overCacheNodes(cacheNodes, 'SUM', 'Evictions', 'Sum'),
      cpu: overCacheNodes(cacheNodes, 'MAX', 'EngineCPUUtilization', 'Average'),
      memory: overCacheNodes(cacheNodes, 'MAX', 'DatabaseMemoryUsagePercentage', 'Average'),
    },
    alertSubscriptions: (await p.alertEmail) === '' ? [] : [{ Protocol: 'email', Endpoint: await p.alertEmail }],
  };
};

/** Which listeners there are, and where their certificate comes from. */
async function entranceOf(p) {
  const [domainName, hostedZoneId, certificateArn] = [await p.domainName, await p.hostedZoneId, await p.certificateArn];
  const host = domainName || { 'Fn::GetAtt': ['LoadBalancer', 'DNSName'] };
  if (hostedZoneId !== '' && domainName === '') refuse('hostedZoneId is set, and domainName, the name in it, is not');
  if (certificateArn !== '') {
    const certificate = hostedZoneId === '' ? 'given' : 'given-record';
    return { entrance: 'https', certificate, certificateArn, host };
  }
  if (domainName === '') return { entrance: 'http', certificate: 'none' };
  if (hostedZoneId === '') {
    refuse('domainName is set: set hostedZoneId, its Route 53 zone, as well, or certificateArn where there is none');
  }
  return { entrance: 'https', certificate: 'made', certificateArn: { Ref: 'Certificate' }, host };
}

/** When the service needs which capacity, as `scale` reads it; handlers/scale/read-calendar.ts checks it further. */
async function calendarOf(p) {
  const base = { min: await number(p, 'minTasks', 1, 1000), max: await number(p, 'maxTasks', 1, 1000) };
  const event = { min: await number(p, 'eventMinTasks', 1, 1000), max: await number(p, 'eventMaxTasks', 1, 1000) };
  const events = await p.events;
  if (base.min > base.max) refuse(`minTasks ${base.min} is more than maxTasks ${base.max}`);
  if (event.min > event.max) refuse(`eventMinTasks ${event.min} is more than eventMaxTasks ${event.max}`);
  for (const { name, max } of [{ name: 'base', ...base }, { name: 'eventMinTasks', max: event.min }, ...events]) {
    if (max > event.max) {
      refuse(
        `${name} has ${max} tasks, more than this stage’s eventMaxTasks ${event.max}, for which there are connections`,
      );
    }
  }
  return {
    timeZone: await p.eventTimeZone,
    base,
    leadMinutes: await number(p, 'eventLeadMinutes', 0, 240),
    blackFriday: (await flag(p, 'blackFriday')) ? { from: await p.eventStart, to: await p.eventEnd, ...event } : null,
    events,
  };
}

/** The API's variables (core/config.ts); an empty one is as good as none. */
async function taskEnvironmentOf(p, replica) {
  const variables = {
    NODE_ENV: 'production',
    PORT: '3000',
    // The load balancer.
    TRUSTED_PROXIES: '1',
    LOG_LEVEL: await p.logLevel,
    DB_HOST: { 'Fn::GetAtt': ['Database', 'Endpoint.Address'] },
    DB_PORT: { 'Fn::GetAtt': ['Database', 'Endpoint.Port'] },
    DB_NAME: 'qurable',
    DB_REPLICA_HOST: replica === 'one' ? { 'Fn::GetAtt': ['DatabaseReplica', 'Endpoint.Address'] } : '',
    DB_SSLMODE: await p.databaseSslMode,
    // RDS's certificate authorities, which the image has (containers/api/Dockerfile).
    NODE_EXTRA_CA_CERTS: '/app/rds-ca.pem',
    DB_POOL_MAX: await number(p, 'databasePoolMax', 4, 200),
    REDIS_HOST: { 'Fn::GetAtt': ['Cache', 'PrimaryEndPoint.Address'] },
    REDIS_PORT: { 'Fn::GetAtt': ['Cache', 'PrimaryEndPoint.Port'] },
    REDIS_TLS: 'true',
    JWT_JWKS_URL: await p.jwksUrl,
    JWT_ISSUER: await p.jwtIssuer,
    JWT_AUDIENCE: await p.jwtAudience,
    CORS_ORIGINS: await p.corsOrigins,
    CODE_SECRET_VERSION: await number(p, 'codeSecretVersion', 1, 1_000_000),
    RATE_LIMIT_PER_SECOND: await number(p, 'rateLimitPerSecond', 0, 1_000_000),
  };
  return Object.entries(variables).map(([Name, Value]) => ({
    Name,
    Value: typeof Value === 'number' ? String(Value) : Value,
  }));
}

/** The API's variables that ECS takes from Secrets Manager when a task starts. */
function taskSecretsOf(jwksUrl, codeSecretArn) {
  const secrets = {
    DB_USERNAME: { 'Fn::Join': ['', [{ Ref: 'DatabaseSecret' }, ':username::']] },
    DB_PASSWORD: { 'Fn::Join': ['', [{ Ref: 'DatabaseSecret' }, ':password::']] },
    REDIS_AUTH_TOKEN: { Ref: 'CacheSecret' },
    // One of the two ways, never both: a token must not choose how it is checked.
    ...(jwksUrl === '' ? { JWT_SECRET: { Ref: 'JwtSecret' } } : {}),
    CODE_SECRET: codeSecretArn,
    QURABLE_ADMIN_KEY: { Ref: 'AdminKeySecret' },
  };
  return Object.entries(secrets).map(([Name, ValueFrom]) => ({ Name, ValueFrom }));
}

/** One number over all nodes of the cache: after a failover another one is the primary. */
function overCacheNodes(nodes, combine, MetricName, Stat) {
  const ids = Array.from({ length: nodes }, (_, index) => `node${index + 1}`);
  const single = (Id, index) => ({
    Id,
    ReturnData: false,
    MetricStat: {
      Metric: {
        Namespace: 'AWS/ElastiCache',
        MetricName,
        Dimensions: [{ Name: 'CacheClusterId', Value: { 'Fn::Sub': `\${Cache}-00${index + 1}` } }],
      },
      Period: 60,
      Stat,
    },
  });
  return [{ Id: 'all', Label: MetricName, Expression: `${combine}([${ids.join(',')}])` }, ...ids.map(single)];
}

/** Changes whenever a migration does, so that CloudFormation runs the custom resource again. */
function migrationsHash() {
  const directory = join(project, 'migrations');
  const hash = createHash('sha256');
  for (const name of readdirSync(directory).sort())
    hash.update(`${name}\0`).update(readFileSync(join(directory, name)));
  return hash.digest('hex').slice(0, 24);
}

/** A parameter from the command line is text; one from the file may be a number. */
async function number(p, name, least, most) {
  const value = Number(await p[name]);
  if (!Number.isInteger(value) || value < least || value > most) refuse(`${name} must be ${least} to ${most}`);
  return value;
}

/** An IPv4 network, as security groups take it. */
function isCidr(text) {
  const [address, bits, ...more] = text.split('/');
  return more.length === 0 && isIPv4(address) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32;
}

async function flag(p, name) {
  const value = String(await p[name]);
  if (value !== 'true' && value !== 'false') refuse(`${name} must be true or false`);
  return value === 'true';
}

/**
 * A misspelt --param would leave the parameter that was meant as it is, without a word. The names are read off the file: to
 * have them resolved would resolve the values of other stages too, wherever those come from.
 */
function refuseUnknown(given) {
  const known = new Set(readFileSync(join(__dirname, 'stages.yml'), 'utf8').match(/(?<=^ {2})\w+(?=:)/gm));
  for (const name of given.map((parameter) => parameter.split('=', 1)[0])) {
    if (!known.has(name)) refuse(`there is no parameter "${name}": resources/stages.yml has them all`);
  }
}

/** The packager prints an error's stack, in whose lines the sentence would be hard to find. */
function refuse(why) {
  const error = new Error(`The deployment's parameters can't be used: ${why}.`);
  error.stack = error.message;
  throw error;
}
