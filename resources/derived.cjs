// What follows from the parameters of resources/stages.yml. A parameter that can't be used (resources/parameter-rules.cjs) and
// whatever contradicts another one end the packaging here, with a sentence that says what to change.
const { createHash } = require('node:crypto');
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { connectionTrouble } = require('./connection-budget.cjs');
const { dashboardBody } = require('./dashboard-body.cjs');
const { databaseMemory } = require('./database-memory.cjs');
const { deploymentStrategy, strategyTrouble } = require('./deployment-strategy.cjs');
const { imageTag } = require('./image-tag.cjs');
const { databaseMajor, fargateMemory, parameterRules, readParameter } = require('./parameter-rules.cjs');
const { ofEvents, ofOperators, ofRewrap, ofTasks } = require('./task-environment.cjs');
const { secretNames, versionedSecrets } = require('./versioned-secrets.cjs');

const project = join(__dirname, '..');
const stagesFile = readFileSync(join(__dirname, 'stages.yml'), 'utf8');

module.exports = async ({ options, resolveVariable }) => {
  refuseUnknown([options.param ?? []].flat());
  const stage = await resolveVariable('sls:stage');
  refuseUnknownStage(stage);
  const checked = withMemory(await readAll(resolveVariable));
  refuseContradictions(checked);
  const trouble = strategyTrouble(checked) ?? (await connectionTrouble(checked));
  if (trouble !== null) refuse(trouble);
  const entrance = entranceOf(checked);
  const deployment = deploymentStrategy(checked, entrance);
  const replica = checked.databaseReplica ? 'one' : 'none';
  const codeSecretArn = checked.codeSecretArn || { Ref: 'CodeSecret' };
  const subnets = [{ Ref: 'PrivateSubnetA' }, { Ref: 'PrivateSubnetB' }];

  // 90 % of all connections, as the strategy's 180 of 200.
  const databaseConnectionsAlarm = Math.floor(checked.databaseMaxConnections * 0.9);
  const databaseFreeStorageAlarm = freeStorageAlarm(checked);
  return {
    // Every parameter as the rules have read it; the templates take them from here, so that none goes in unchecked.
    checked,
    scaleResourceId: `service/qurable-${stage}/qurable-api`,
    ...(await calendarOf(checked)),
    imageTag: checked.imageTag || imageTag(project, checked.cpuArchitecture),
    migrations: migrationsHash(),
    nat: checked.nat,
    // Where they were on before, what is there still expires.
    accessLogExpiryDays: Math.max(1, checked.accessLogDays),
    accessLogs: String(checked.accessLogDays > 0),
    ...entrance,
    deployment,
    replica,
    codeSecret: checked.codeSecretArn === '' ? 'made' : 'given',
    codeSecretArn,
    consoleOidc: checked.oidcIssuer === '' ? 'none' : 'given',
    // A text, as outputs are.
    codeSecretVersion: String(checked.codeSecretVersion),
    hasSeveralCacheNodes: checked.cacheNodes > 1,
    interfaceEndpointSubnets: subnets.slice(0, checked.interfaceEndpointZones),
    webhookConcurrency: checked.webhookConcurrency || { Ref: 'AWS::NoValue' },
    databaseReplicaVersion: checked.databaseReplicaVersion || checked.databaseVersion,
    databaseFamily: `postgres${databaseMajor}`,
    databaseConnectionsAlarm,
    databaseFreeStorageAlarm,
    // RDS takes integers in the parameter's own unit: pages of 8 kB for some, kB for others.
    databaseMemory: {
      maxWal: String(checked.databaseMaxWalMb),
      hugePages: checked.databaseHugePages ? 'on' : 'off',
      sharedBuffers: String(checked.databaseSharedBuffersMb * 128),
      effectiveCache: String(checked.databaseEffectiveCacheMb * 128),
      walBuffers: String(checked.databaseWalBuffersMb * 128),
      maintenanceWorkMem: String(checked.databaseMaintenanceWorkMemMb * 1024),
      workMem: String(checked.databaseWorkMemMb * 1024),
    },
    containers: {
      tasks: ofTasks(checked, codeSecretArn),
      operators: ofOperators(checked, codeSecretArn),
      events: ofEvents(checked, codeSecretArn),
      rewrap: ofRewrap(checked, codeSecretArn),
    },
    eventsCommand: [
      ...['node', 'operations/events/export-events-command.ts', '--open'],
      ...(checked.eventsKeepMonths === 0 ? [] : ['--drop']),
    ],
    serviceDependsOn: serviceDependsOn(entrance.entrance),
    secretNames: secretNames(checked),
    versionedSecrets: versionedSecrets(checked, stage),
    dashboardBody: dashboardBody({
      stage,
      targetGroups: deployment.groups,
      cacheNodes: checked.cacheNodes,
      hasReplica: checked.databaseReplica,
      hasDrill: checked.restoreDrill === 'monthly',
      rings: { connections: databaseConnectionsAlarm, freeStorageBytes: databaseFreeStorageAlarm },
    }),
    cacheMetrics: {
      evictions: overCacheNodes(checked.cacheNodes, 'SUM', 'Evictions', 'Sum'),
      cpu: overCacheNodes(checked.cacheNodes, 'MAX', 'EngineCPUUtilization', 'Average'),
      memory: overCacheNodes(checked.cacheNodes, 'MAX', 'DatabaseMemoryUsagePercentage', 'Average'),
    },
    alertSubscriptions: mailTo(checked.alertEmail === '' ? [] : [checked.alertEmail]),
    traces: tracesOf(checked),
    traceFunctions: checked.traceFunctions ? 'on' : 'off',
    bookSubscriptions: mailTo(bookEmailsOf(checked)),
  };
};

/** The tasks' way to X-Ray: through an endpoint of its own where they have no way out. */
function tracesOf({ traceTasks, nat }) {
  if (!traceTasks) return 'none';
  return nat === 'none' ? 'endpoint' : 'nat';
}

function mailTo(addresses) {
  return addresses.map((address) => ({ Protocol: 'email', Endpoint: address }));
}

/** Whoever is told of alarms is told of books, unless others are. */
function bookEmailsOf({ bookEmails, alertEmail }) {
  return bookEmails.length > 0 || alertEmail === '' ? bookEmails : [alertEmail];
}

/** Reads every parameter by its rule. */
async function readAll(resolveVariable) {
  const checked = {};
  for (const name of Object.keys(parameterRules)) {
    const given = await resolveVariable(`param:${name}`);
    try {
      checked[name] = readParameter(name, given);
    } catch (error) {
      refuse(error.message);
    }
  }
  return checked;
}

/** Puts what follows from the database's class where nothing was said. */
function withMemory(checked) {
  try {
    const followed = databaseMemory(checked.databaseClass);
    const open = Object.entries(followed).filter(([name]) => checked[name] === '');
    return { ...checked, ...Object.fromEntries(open) };
  } catch (error) {
    refuse(`databaseClass: ${error.message}`);
  }
}

/** What each alone may be, and not together. */
function refuseContradictions(p) {
  if (p.jwksUrl !== '' && p.nat === 'none') {
    refuse('jwksUrl is set, but the tasks have no way out to fetch it: set nat to one or each-zone');
  }
  if (!fargateMemory[p.taskCpu].includes(p.taskMemory)) {
    refuse(`taskMemory ${p.taskMemory}: with taskCpu ${p.taskCpu}, Fargate has ${fargateMemory[p.taskCpu].join(', ')}`);
  }
  if (p.databaseStorageMaxGb < p.databaseStorageGb * 1.1) {
    refuse('databaseStorageMaxGb must be at least a tenth above databaseStorageGb');
  }
  if (p.databaseMaxWalMb > p.databaseStorageGb * 1024 * 0.2) {
    refuse('databaseMaxWalMb must be at most a fifth of databaseStorageGb');
  }
  if (p.eventsKeepMonths > 0 && p.eventsKeepMonths < 3) {
    refuse(`eventsKeepMonths ${p.eventsKeepMonths}: it must be 3 or more, or 0, which keeps all`);
  }
  if (p.databaseReplica && p.databaseBackupDays === 0) {
    refuse('databaseBackupDays is 0, and databaseReplica is true: RDS copies from a database that has backups');
  }
  if (p.restoreDrill !== 'none' && p.databaseBackupDays === 0) {
    refuse('databaseBackupDays is 0, and restoreDrill is monthly: without backups there is nothing to restore');
  }
  if (p.databaseReplicaVersion !== '' && minorOf(p.databaseReplicaVersion) < minorOf(p.databaseVersion)) {
    refuse(
      'databaseReplicaVersion is older than databaseVersion: RDS upgrades the copy first (docs/deployment.md, "A new version of the database")',
    );
  }
  refuseHalfOfSignIn(p);
  for (const name of ['certificateArn', 'codeSecretArn', 'oidcClientSecretArn']) {
    if (p[name] !== '' && p[name].split(':')[3] !== p.region) refuse(`${name} is not in the region ${p.region}`);
  }
  if (p.alertEmail === '' && !p.allowNoAlertEmail) {
    refuse('alertEmail is empty, so no alarm would reach anybody: set it, or allowNoAlertEmail to true');
  }
}

/** The company's sign-in to the console is all of it or nothing. */
function refuseHalfOfSignIn(p) {
  const parts = ['oidcIssuer', 'oidcClientId', 'oidcClientSecretArn', 'oidcRoles'];
  const missing = parts.filter((name) => p[name] === '');
  if (missing.length === parts.length) return;
  if (missing.length > 0) refuse(`${missing.join(', ')}: set all of ${parts.join(', ')}, or none`);
  if (p.nat === 'none') {
    refuse('oidcIssuer is set, but the tasks have no way out to ask it: set nat to one or each-zone');
  }
}

function minorOf(version) {
  return Number(version.split('.')[1]);
}

/** Which listeners there are, and where their certificate comes from. */
function entranceOf({ domainName, hostedZoneId, certificateArn, allowPlainHttp }) {
  const host = domainName || { 'Fn::GetAtt': ['LoadBalancer', 'DNSName'] };
  if (hostedZoneId !== '' && domainName === '') refuse('hostedZoneId is set, and domainName, the name in it, is not');
  if (certificateArn !== '') {
    const certificate = hostedZoneId === '' ? 'given' : 'given-record';
    return { entrance: 'https', certificate, certificateArn, host };
  }
  if (domainName === '' && !allowPlainHttp) {
    refuse(
      'neither domainName nor certificateArn is set, so keys would travel readable: set one, or allowPlainHttp to true for a trial',
    );
  }
  if (domainName === '') return { entrance: 'http', certificate: 'none' };
  if (hostedZoneId === '') {
    refuse('domainName is set: set hostedZoneId, its Route 53 zone, as well, or certificateArn where there is none');
  }
  return { entrance: 'https', certificate: 'made', certificateArn: { Ref: 'Certificate' }, host };
}

/**
 * When the service needs which capacity, read by the very code that `scale` runs: a calendar that it would refuse never
 * leaves this machine. Both the text for the template and the same as a literal of the bundled function's code, where it
 * may be as long as it likes: a function's variables have 4 kB together.
 */
async function calendarOf(p) {
  const base = { min: p.minTasks, max: p.maxTasks };
  const event = { min: p.eventMinTasks, max: p.eventMaxTasks };
  if (base.min > base.max) refuse(`minTasks ${base.min} is more than maxTasks ${base.max}`);
  // ECS rounds down, and then no new task may start before an old one stops, which none may.
  if (Math.floor((base.min * p.rollingMaxPercent) / 100) <= base.min)
    refuse(`rollingMaxPercent ${p.rollingMaxPercent} leaves no room for a new task beside minTasks ${base.min}`);
  if (event.min > event.max) refuse(`eventMinTasks ${event.min} is more than eventMaxTasks ${event.max}`);
  for (const { name, max } of [{ name: 'base', ...base }, ...p.events]) {
    if (max > event.max) {
      refuse(
        `${name} has ${max} tasks, more than this stage’s eventMaxTasks ${event.max}, for which there are connections`,
      );
    }
  }
  const scaleCalendar = JSON.stringify({
    timeZone: p.eventTimeZone,
    base,
    leadMinutes: p.eventLeadMinutes,
    trailMinutes: p.eventTrailMinutes,
    blackFriday: p.blackFriday ? { from: p.eventStart, to: p.eventEnd, ...event } : null,
    events: p.events,
  });
  const { readCalendar } = await import('../handlers/scale/read-calendar.ts');
  const { pastEvents } = await import('../handlers/scale/event-calendar.ts');
  try {
    const past = pastEvents(readCalendar(scaleCalendar), Date.now());
    return { scaleCalendar, scaleCalendarLiteral: JSON.stringify(scaleCalendar), past };
  } catch (error) {
    refuse(`the calendar of events: ${error.message}`);
  }
}

/** What must be there before the first task: the schema, the ways to and from it, and a listener that leads to it. */
function serviceDependsOn(entrance) {
  const listeners = entrance === 'https' ? ['HttpListener', 'HttpsListener'] : ['HttpListener'];
  const endpoints = ['RegistryApiEndpoint', 'RegistryEndpoint', 'LogsEndpoint', 'SecretsEndpoint', 'StorageEndpoint'];
  return ['Migration', ...listeners, ...endpoints, 'DatabaseIngressOfTasks', 'CacheIngressOfTasks', 'TaskIngress'];
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

/**
 * Free bytes of the disk below which somebody should look. RDS grows the disk by itself when a tenth of it is free, up to
 * databaseStorageMaxGb; what this waits for is growth that has failed or reached its end: half of that tenth.
 */
function freeStorageAlarm({ databaseStorageGb }) {
  return Math.floor(databaseStorageGb * 0.05 * 1024 ** 3);
}

/**
 * A misspelt --param would leave the parameter that was meant as it is, without a word. The names are read off the file: to
 * have them resolved would resolve the values of other stages too, wherever those come from.
 */
function refuseUnknown(given) {
  const known = new Set(stagesFile.match(/(?<=^ {2})\w+(?=:)/gm));
  for (const name of given.map((parameter) => parameter.split('=', 1)[0])) {
    if (!known.has(name)) refuse(`there is no parameter "${name}": resources/stages.yml has them all`);
  }
}

/** Names of ElastiCache's snapshots are at most 40 characters, and hold the stage, the kind, the date and the run. */
function refuseUnknownStage(stage) {
  if (!/^[a-z][a-z0-9]{0,6}$/.test(stage)) refuse(`stage "${stage}": 1 to 7 of a-z and 0-9, a letter first`);
  const known = stagesFile.match(/^\w+(?=:)/gm).filter((name) => name !== 'default');
  if (known.includes(stage)) return;
  refuse(
    `there is no stage "${stage}": resources/stages.yml has ${known.join(' and ')}; another one gets a section of its own there`,
  );
}

/** The packager prints an error's stack, in whose lines the sentence would be hard to find. */
function refuse(why) {
  const error = new Error(`The deployment's parameters can't be used: ${why}.`);
  error.stack = error.message;
  throw error;
}
