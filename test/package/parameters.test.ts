import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

type Parameters = Record<string, unknown>;
interface Derived {
  checked: Parameters;
  [name: string]: unknown;
}

const load = createRequire(import.meta.url);
const derive = load('../../resources/derived.cjs') as (context: {
  options: { param?: string[] };
  resolveVariable(name: string): Promise<unknown>;
}) => Promise<Derived>;
const { parameterRules } = load('../../resources/parameter-rules.cjs') as { parameterRules: Parameters };
const stages = parse(readFileSync(resolve(import.meta.dirname, '../../resources/stages.yml'), 'utf8')) as Record<
  string,
  Parameters
>;

/** What the packager makes of a stage and its command line, without the packager: milliseconds instead of seconds. */
function deriveStage(stage: string, given: Parameters = {}): Promise<Derived> {
  const values = { ...stages.default, ...stages[stage], ...given };
  return derive({
    options: { param: Object.entries(given).map(([name, value]) => `${name}=${String(value)}`) },
    resolveVariable: async (name) => (name === 'sls:stage' ? stage : values[name.replace('param:', '')]),
  });
}

const signIn = {
  oidcIssuer: 'https://login.example',
  oidcClientId: 'qurable-console',
  oidcClientSecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:OidcClient-abcdef',
  oidcRoles: 'support=operator',
};
const trial = { allowPlainHttp: 'true', allowNoAlertEmail: 'true' };

describe('a parameter', () => {
  test('has one rule, and each rule is one of a parameter that there is', () => {
    const names = new Set(Object.values(stages).flatMap((parameters) => Object.keys(parameters)));
    expect(Object.keys(parameterRules).sort()).toEqual([...names].sort());
  });

  test.each([
    [{ eventTimeZone: 'America/Buenos' }, 'timeZone America/Buenos is not an IANA time zone'],
    [{ eventStart: '8:00' }, 'blackFriday.from must be a time like 08:00'],
    [{ eventEnd: '24:00' }, 'blackFriday.to is not a time that exists'],
    [{ taskCpu: '500' }, 'taskCpu "500": it must be one of 256, 512'],
    [{ taskMemory: '100000' }, 'taskMemory 100000: with taskCpu 256, Fargate has 512, 1024, 2048'],
    [{ databaseClass: 'db.t4g.medum' }, 'databaseClass "db.t4g.medum": it must be a class such as'],
    [{ databaseVersion: '16.4' }, 'databaseVersion "16.4": it must be a full version of PostgreSQL 15'],
    [{ cacheClass: 't4g.micro' }, 'cacheClass "t4g.micro": it must be a class such as'],
    [{ merchantCidrs: '203.0.113.4' }, 'merchantCidrs "203.0.113.4": it must be a network such as'],
    [{ oidcIssuer: 'http://login.example' }, 'oidcIssuer "http://login.example": it must be an https:// address'],
    [
      { oidcIssuer: 'https://login.example' },
      'oidcClientId, oidcClientSecretArn, oidcRoles: set all of oidcIssuer, oidcClientId, oidcClientSecretArn, oidcRoles, or none',
    ],
    [
      { ...signIn, nat: 'none' },
      'oidcIssuer is set, but the tasks have no way out to ask it: set nat to one or each-zone',
    ],
    [{ certificateArn: 'foo' }, 'certificateArn "foo": it must be the ARN of a certificate'],
    [{ certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/a-b' }, 'is not in the region us-east-1'],
    [{ cpuArchitecture: 'arm64' }, 'cpuArchitecture "arm64": it must be one of X86_64, ARM64'],
    [{ stopTimeoutSeconds: '600' }, 'stopTimeoutSeconds "600": it must be a whole number from 35 to 120'],
    [{ snapshotKeepMost: '500' }, 'snapshotKeepMost "500": it must be a whole number from 3 to 80'],
    [{ firewallRequestsPerFiveMinutes: '5' }, 'firewallRequestsPerFiveMinutes "5": it must be a whole number from 10'],
    [{ requestsPerTaskPerMinute: '0' }, 'requestsPerTaskPerMinute "0": it must be a whole number from 1'],
    [
      { domainName: 'https://coupons.example.com' },
      'domainName "https://coupons.example.com": it must be a name such as',
    ],
    [{ databaseBackupDays: '0', databaseReplica: 'true' }, 'databaseBackupDays is 0, and databaseReplica is true'],
    [{ databaseReplicaVersion: '15.1' }, 'databaseReplicaVersion is older than databaseVersion'],
    [{ deletionProtection: 'yes' }, 'deletionProtection "yes": it must be true or false'],
    [{ alertEmail: 'ana' }, 'alertEmail "ana": it must be an e-mail address'],
    [{ bookEmails: 'ana@example.com,ben' }, 'bookEmails "ana@example.com,ben": it must be an e-mail address'],
    [{ minTasks: '' }, 'minTasks "": it must be a whole number'],
    [{ minTasks: '5', maxTasks: '2' }, 'minTasks 5 is more than maxTasks 2'],
    [
      { minTasks: '1', rollingMaxPercent: '150' },
      'rollingMaxPercent 150 leaves no room for a new task beside minTasks 1',
    ],
    [
      { events: [{ name: 'a', start: '2027-01-02T00:00', end: '2027-01-01T00:00', min: 1, max: 4 }] },
      'the event a ends before',
    ],
    [{ permissionsBoundaryArn: 'x' }, 'permissionsBoundaryArn "x": it must be the ARN of a policy'],
    [{ maxTasks: '9' }, 'base has 9 tasks, more than this stage’s eventMaxTasks 4'],
    [{ databaseMaxWalMb: '8192' }, 'databaseMaxWalMb must be at most a fifth of databaseStorageGb'],
    [{ clientCidr: '203.0.113.0/33' }, 'clientCidr "203.0.113.0/33": it must be a network such as 203.0.113.0/24'],
    [
      { jwksUrl: 'https://issuer.example/keys' },
      'jwksUrl is set, but the tasks have no way out to fetch it: set nat to one or each-zone',
    ],
    [{ eventsKeepMonths: '2' }, 'eventsKeepMonths 2: it must be 3 or more'],
    [{ databaseBackupDays: '0', restoreDrill: 'monthly' }, 'without backups there is nothing to restore'],
    // Where the new tasks of a canary can’t be asked.
    [{ deployment: 'canary', clientCidr: '203.0.113.0/24' }, 'clientCidr 203.0.113.0/24 keeps the function out'],
    [
      { deployment: 'canary', certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/a-b' },
      'asks the new tasks by the name that the certificate is for: set domainName',
    ],
  ])('that can’t be used is refused in a sentence that names it: %j', async (given, reason) => {
    const refused = deriveStage('dev', given);
    await expect(refused).rejects.toThrow(reason);
    await expect(refused).rejects.toMatchObject({ stack: expect.not.stringContaining('\n') });
  });

  test('that is misspelt, or a stage that there is not, is refused by its name', async () => {
    await expect(deriveStage('dev', { maxTask: '3' })).rejects.toThrow('there is no parameter "maxTask"');
    await expect(deriveStage('staging')).rejects.toThrow(
      'there is no stage "staging": resources/stages.yml has dev and prod',
    );
    await expect(deriveStage('staging-2')).rejects.toThrow('stage "staging-2": 1 to 7 of a-z and 0-9');
  });

  test('from the command line may be a list with commas', async () => {
    const { checked } = await deriveStage('dev', { merchantCidrs: '203.0.113.4/32, 198.51.100.0/24' });
    expect(checked.merchantCidrs).toEqual(['203.0.113.4/32', '198.51.100.0/24']);
  });
});

describe('prod', () => {
  test('is served by plain HTTP, or with nobody to alarm, only where that is said', async () => {
    await expect(deriveStage('prod', { alertEmail: 'ops@example.com' })).rejects.toThrow(
      'allowPlainHttp to true for a trial',
    );
    await expect(deriveStage('prod', { allowPlainHttp: 'true' })).rejects.toThrow('allowNoAlertEmail to true');
    expect(await deriveStage('prod', trial)).toMatchObject({ entrance: 'http', alertSubscriptions: [] });
  });

  test.each([
    [{ deployment: 'canary' }, '100 tasks at a time (eventMaxTasks 50, deployment canary) need 817 connections'],
    [{ databasePoolMax: '6' }, 'set eventMaxTasks to 40 at most, or a larger databaseClass'],
    [{ databaseClass: 'db.x2g.large' }, 'the memory of db.x2g.large is not known'],
  ])('with %j, for which its database has too few connections, is refused', async (given, reason) => {
    await expect(deriveStage('prod', { ...trial, ...given })).rejects.toThrow(reason);
  });

  test('tells of books that run out whoever is named for that, and else whoever is told of alarms', async () => {
    const mail = (Endpoint: string) => ({ Protocol: 'email', Endpoint });
    const alarms = { ...trial, alertEmail: 'ops@example.com' };
    expect(await deriveStage('prod', alarms)).toMatchObject({ bookSubscriptions: [mail('ops@example.com')] });
    expect(await deriveStage('prod', { ...alarms, bookEmails: 'ana@example.com, ben@example.com' })).toMatchObject({
      alertSubscriptions: [mail('ops@example.com')],
      bookSubscriptions: [mail('ana@example.com'), mail('ben@example.com')],
    });
    expect(await deriveStage('prod', trial)).toMatchObject({ bookSubscriptions: [] });
  });

  test('takes a calendar of hundreds of events, which is a part of the function’s code', async () => {
    const events = Array.from({ length: 300 }, (_, day) => {
      const date = new Date(Date.UTC(2027, 0, 1 + day)).toISOString().slice(0, 10);
      return { name: `day-${day}`, start: `${date}T08:00`, end: `${date}T23:00`, min: 2, max: 40 };
    });
    const { scaleCalendar, scaleCalendarLiteral } = await deriveStage('prod', { ...trial, events });
    expect(JSON.parse(String(scaleCalendarLiteral))).toBe(scaleCalendar);
    expect(String(scaleCalendar).length).toBeGreaterThan(4096);
  });
});

describe('a parameter that was given at the last deployment', () => {
  type Hook = { refuseForgotten(noted: string): void };
  const BeforeDeployment = load('../../resources/before-deployment.cjs') as new (...parts: object[]) => Hook;

  /** The question that the packager asks before a deployment, without the packager. */
  async function deployAfter(noted: Parameters, given: Record<string, string>): Promise<void> {
    const derived = await deriveStage('dev', given);
    const serverless = { getProvider: () => ({}), service: { custom: { derived } }, classes: { Error } };
    const param = Object.entries(given).map(([name, value]) => `${name}=${value}`);
    new BeforeDeployment(serverless, { param }, { log: {} }).refuseForgotten(JSON.stringify(noted));
  }

  test('and is missing now is refused, unless it is as it would be by itself; said again it is meant', async () => {
    await expect(deployAfter({ maxTasks: 3 }, {})).rejects.toThrow(
      'was given maxTasks=3, and this one is not, which would change it to 2',
    );
    await deployAfter({ maxTasks: 3 }, { maxTasks: '2' });
    await deployAfter({ maxTasks: 3 }, { maxTasks: '3' });
    await deployAfter({ maxTasks: 2 }, {});
  });
});
