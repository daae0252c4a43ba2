// What each parameter of resources/stages.yml may be: one rule a parameter, which turns what was given into the value that
// is deployed, or throws a sentence. What they may be together is in derived.cjs. CloudFormation would find a wrong value
// out after a quarter of an hour, in the middle of a deployment, or never.
const { isIPv4 } = require('node:net');

/** The only major version that the parameter group (resources/database.yml) and the tests are made for. */
const databaseMajor = '15';

/** The memory in MB that Fargate sells with each size of processor: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html */
const fargateMemory = {
  256: [512, 1024, 2048],
  512: steps(1024, 4096, 1024),
  1024: steps(2048, 8192, 1024),
  2048: steps(4096, 16384, 1024),
  4096: steps(8192, 30720, 1024),
  8192: steps(16384, 61440, 4096),
  16384: steps(32768, 122880, 8192),
};

const size = '(micro|small|medium|large|xlarge|[1-9][0-9]?xlarge)';
const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const hostName = new RegExp(`^(?=.{1,253}$)(${label}\\.)+${label}$`);
const email = /^[^@\s]{1,64}@[^@\s]{1,255}$/;
const httpsAddress = /^https:\/\/[^\s]{1,500}$/;
const databaseClass = text(new RegExp(`^db\\.[a-z][0-9][a-z0-9]*\\.${size}$`), 'a class such as db.t4g.medium');
const secretArn = text(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$/, 'the ARN of a secret');

/** Every parameter, by its name. */
const parameterRules = {
  region: text(/^[a-z]{2}(-[a-z]+){1,2}-[1-9]$/, 'a region such as us-east-1'),

  domainName: optional(text(hostName, 'a name such as coupons.example.com, in lower case, without https://')),
  hostedZoneId: optional(text(/^[A-Z0-9]{1,32}$/, 'the id of a Route 53 zone, such as Z0123456789ABCDEFGHIJ')),
  certificateArn: optional(
    text(/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/, 'the ARN of a certificate of ACM'),
  ),
  allowPlainHttp: flag,
  clientCidr: cidr,
  firewallRequestsPerFiveMinutes: whole(10, 2_000_000_000),
  merchantCidrs: list(cidr, 10_000),
  corsOrigins: free(2_000),

  jwksUrl: optional(text(httpsAddress, 'an https:// address')),
  jwtIssuer: free(500),
  jwtAudience: free(500),
  oidcIssuer: optional(text(httpsAddress, 'an https:// address')),
  oidcClientId: free(500),
  oidcClientSecretArn: optional(secretArn),
  oidcRoles: free(4_000),
  oidcGroupsClaim: free(200),
  oidcScope: free(500),
  nat: oneOf('none', 'one', 'each-zone'),
  rateLimitPerSecond: whole(0, 1_000_000),

  permissionsBoundaryArn: optional(text(/^arn:aws[a-z-]*:iam::\d{12}:policy\/[\w+=,.@/-]+$/, 'the ARN of a policy')),

  imageTag: optional(text(/^[\w][\w.-]{0,127}$/, 'the tag of an image')),
  cpuArchitecture: oneOf('X86_64', 'ARM64'),
  taskCpu: oneOf(...Object.keys(fargateMemory)),
  taskMemory: whole(512, 122_880),
  minTasks: whole(1, 1000),
  maxTasks: whole(1, 1000),
  // From the API's own drain (containers/api/main.ts, core/limits.ts) to what Fargate allows.
  stopTimeoutSeconds: whole(35, 120),
  requestsPerTaskPerMinute: whole(1, 10_000_000),
  databasePoolMax: whole(4, 200),
  deployment: oneOf('rolling', 'canary', 'blue-green'),
  rollingMaxPercent: whole(110, 200),
  containerInsights: oneOf('disabled', 'enabled', 'enhanced'),
  interfaceEndpointZones: whole(1, 2),
  webhookConcurrency: whole(0, 1000),
  traceTasks: flag,
  traceOneIn: whole(1, 1_000_000_000),
  traceFunctions: flag,
  logLevel: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace'),
  codeSecretArn: optional(secretArn),
  codeSecretVersion: whole(1, 999_999),
  adminKeyVersion: whole(1, 9999),
  jwtSecretVersion: whole(1, 9999),

  databaseVersion: text(
    new RegExp(`^${databaseMajor}\\.\\d{1,2}$`),
    `a full version of PostgreSQL ${databaseMajor}, such as 15.17: another major version needs a parameter group and a test run of its own`,
  ),
  databaseReplicaVersion: optional(
    text(new RegExp(`^${databaseMajor}\\.\\d{1,2}$`), `a full version of PostgreSQL ${databaseMajor}, such as 15.17`),
  ),
  databaseClass,
  databaseStorageGb: whole(20, 65_536),
  databaseStorageMaxGb: whole(22, 65_536),
  databaseMultiAz: flag,
  databaseReplica: flag,
  databaseBackupDays: whole(0, 35),
  restoreDrill: oneOf('none', 'monthly'),
  drillDatabaseClass: databaseClass,
  databaseApplyImmediately: flag,
  databaseSslMode: oneOf('disable', 'require', 'verify-full'),
  databaseMaxWalMb: whole(1024, 1_000_000),
  // Empty: they follow the class (resources/database-memory.cjs).
  databaseMaxConnections: optional(whole(20, 5000)),
  databaseHugePages: optional(flag),
  databaseSharedBuffersMb: optional(whole(16, 1_000_000)),
  databaseEffectiveCacheMb: optional(whole(16, 1_000_000)),
  databaseMaintenanceWorkMemMb: optional(whole(16, 1_000_000)),
  databaseWalBuffersMb: optional(whole(1, 2047)),
  databaseWorkMemMb: optional(whole(1, 10_000)),

  cacheClass: text(new RegExp(`^cache\\.[a-z][0-9][a-z0-9]*\\.${size}$`), 'a class such as cache.t4g.micro'),
  cacheNodes: whole(1, 6),
  cacheSnapshotDays: whole(0, 35),

  // What the function that reads the calendar says of these is in handlers/scale/read-calendar.ts.
  eventTimeZone: free(100),
  blackFriday: flag,
  eventStart: free(10),
  eventEnd: free(10),
  eventLeadMinutes: whole(0, 240),
  eventTrailMinutes: whole(0, 240),
  eventMinTasks: whole(1, 1000),
  eventMaxTasks: whole(1, 1000),
  events: list((event) => event, 1000),

  alertEmail: optional(text(email, 'an e-mail address')),
  allowNoAlertEmail: flag,
  bookEmails: list(text(email, 'an e-mail address'), 100),

  deletionProtection: flag,
  accessLogDays: whole(0, 365),
  eventsKeepMonths: whole(0, 1200),
  snapshotRetentionDays: whole(1, 365),
  // RDS keeps at most 100 snapshots by hand a region, which stages and people share.
  snapshotKeepMost: whole(3, 80),
  logRetentionDays: oneOfNumbers(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653),
  detailLogRetentionDays: oneOfNumbers(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653),
  flowLogTraffic: oneOf('ALL', 'ACCEPT', 'REJECT'),
};

/**
 * Checks one parameter. What came from the command line is text, what came from the file may be a number, a boolean or
 * a list.
 * @throws Error whose message is a sentence that begins with the parameter's name
 */
function readParameter(name, given) {
  const rule = parameterRules[name];
  if (rule === undefined) throw new Error(`${name} has no rule in resources/parameter-rules.cjs`);
  try {
    return rule(given);
  } catch (error) {
    throw new Error(`${name} ${JSON.stringify(given)}: ${error.message}`);
  }
}

function steps(least, most, step) {
  return Array.from({ length: (most - least) / step + 1 }, (_, index) => least + index * step);
}

function text(pattern, meant) {
  return (given) => {
    const value = String(given);
    if (!pattern.test(value)) throw new Error(`it must be ${meant}`);
    return value;
  };
}

/** Empty means that there is none; so does the word, as the packager takes no empty value on the command line. */
function optional(rule) {
  return (given) => (['', 'none', null, undefined].includes(given) ? '' : rule(given));
}

function free(maxChars) {
  return (given) => {
    const value = String(given ?? '');
    if (value.length > maxChars) throw new Error(`it must have at most ${maxChars} characters`);
    return value;
  };
}

function oneOf(...values) {
  return (given) => {
    if (!values.includes(String(given))) throw new Error(`it must be one of ${values.join(', ')}`);
    return String(given);
  };
}

function oneOfNumbers(...values) {
  const rule = oneOf(...values.map(String));
  return (given) => Number(rule(given));
}

function whole(least, most) {
  return (given) => {
    const value = typeof given === 'string' && given.trim() === '' ? Number.NaN : Number(given);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new Error(`it must be a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

function flag(given) {
  if (String(given) === 'true') return true;
  if (String(given) === 'false') return false;
  throw new Error('it must be true or false');
}

/** An IPv4 network, as security groups and firewalls take it. */
function cidr(given) {
  const [address, bits, ...more] = String(given).split('/');
  if (more.length > 0 || !isIPv4(address) || !/^\d{1,2}$/.test(bits ?? '') || Number(bits) > 32) {
    throw new Error('it must be a network such as 203.0.113.0/24');
  }
  return `${address}/${Number(bits)}`;
}

/** A list in the file; on the command line its items with commas between them. */
function list(rule, most) {
  return (given) => {
    const items = Array.isArray(given)
      ? given
      : String(given)
          .split(',')
          .filter((item) => item !== '');
    if (items.length > most) throw new Error(`it must have at most ${most} items`);
    return items.map((item) => rule(typeof item === 'string' ? item.trim() : item));
  };
}

module.exports = { databaseMajor, fargateMemory, parameterRules, readParameter };
