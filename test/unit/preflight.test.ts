import { describe, expect, test } from '@jest/globals';
import { type AskAws, AwsRefusal, refusalOf } from '../../operations/checklists/ask-aws.ts';
import type { Finding } from '../../operations/checklists/check.ts';
import { runChecks } from '../../operations/checklists/run-checks.ts';
import { BadInput } from '../../operations/cost/bad-input.ts';
import { judgeAlarms, judgeTold } from '../../operations/preflight/check-alarms.ts';
import { judgeBackups, judgeSnapshots } from '../../operations/preflight/check-backups.ts';
import { judgeMigrations } from '../../operations/preflight/check-migrations.ts';
import { judgeConcurrency, judgeQuota } from '../../operations/preflight/check-quota.ts';
import { judgeSecrets } from '../../operations/preflight/check-secrets.ts';
import { checkDrift, judgeStack } from '../../operations/preflight/check-stack.ts';
import { locksOfMigrations } from '../../operations/preflight/rules/locks-of-migration.ts';
import { judgeTasks } from '../../operations/smoke/check-tasks.ts';

const now = Date.parse('2026-11-28T12:00:00Z');
const ago = (hours: number) => new Date(now - hours * 3_600_000).toISOString();
const stage = {
  name: 'prod',
  stack: 'qurable-prod',
  status: 'UPDATE_COMPLETE',
  outputs: { Deployment: '1795830893235' },
};

/** Every finding in one line. */
const told = ({ verdict, text }: Finding) => `${verdict} ${text}`;

describe('a checklist', () => {
  test('goes on after a no, after what can’t be found out, and ends where nothing can be asked', async () => {
    const lines: string[] = [];
    const check = (name: string, look: () => Promise<Finding>) => ({ name, look });
    const fine = check('fine', async () => ({ verdict: 'ok', text: 'as it\nshould be' }));
    const broken = check('broken', () => Promise.reject(new AwsRefusal('AccessDenied', 'you may not ask')));
    const print = (line: string) => lines.push(line);
    expect(await runChecks([broken, fine], print)).toBe(false);
    expect(lines).toEqual(['no       broken        you may not ask', 'ok       fine          as it should be']);
    expect(await runChecks([fine, check('off', async () => ({ verdict: 'skipped', text: 'why' }))], print)).toBe(true);
    const lost = check('lost', () => Promise.reject(new BadInput('no credentials')));
    await expect(runChecks([lost, fine], print)).rejects.toThrow('no credentials');
  });

  test.each<[string, object, typeof BadInput | typeof AwsRefusal, RegExp]>([
    ['', { code: 'ENOENT' }, BadInput, /the aws CLI is not there/],
    [
      'You must specify a region. You can also configure your region',
      { code: 253 },
      BadInput,
      /give --region us-east-1/,
    ],
    ['Unable to locate credentials. You can configure', { code: 253 }, BadInput, /export AWS_PROFILE/],
    ['The config profile (x) could not be found', { code: 255 }, BadInput, /export AWS_PROFILE/],
    ['Could not connect to the endpoint URL: "https://rds.moon-1…"', { code: 255 }, BadInput, /is --region right/],
    [
      'An error occurred (ExpiredToken) when calling the DescribeStacks operation: The security token is expired',
      { code: 254 },
      BadInput,
      /\(ExpiredToken\): sign in again/,
    ],
    [
      'An error occurred (AccessDenied) when calling the DescribeDBInstances operation: User: arn:x is not authorized to perform: rds:DescribeDBInstances on resource: arn:y',
      { code: 254 },
      AwsRefusal,
      /^you may not ask: allow rds:DescribeDBInstances to your role$/,
    ],
    [
      'An error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id x does not exist',
      { code: 254 },
      AwsRefusal,
      /^aws rds x: Stack with id x does not exist$/,
    ],
    ['', { killed: true }, AwsRefusal, /did not answer in a minute/],
  ])('says in one line how to mend what the aws CLI says: %s', (stderr, error, kind, text) => {
    const refusal = refusalOf(error, `\n${stderr}\n`, 'rds x', null);
    expect(refusal).toBeInstanceOf(kind);
    expect(refusal.message).toMatch(text);
    expect(refusal.message).not.toContain('\n');
  });
});

describe('preflight', () => {
  test('of a stack that is busy or stuck is a no', () => {
    const judged = (status: string) => told(judgeStack({ ...stage, status }));
    expect(judged('UPDATE_COMPLETE')).toBe('ok deployment 1795830893235 runs');
    expect(judged('UPDATE_ROLLBACK_COMPLETE')).toMatch(/^ok .*the last try was taken back/);
    expect(judged('UPDATE_IN_PROGRESS')).toMatch(/^no .*wait until that is done/);
    expect(judged('UPDATE_ROLLBACK_FAILED')).toMatch(/^no .*continue-update-rollback/);
    for (const status of ['ROLLBACK_COMPLETE', 'DELETE_FAILED', 'CREATE_FAILED'])
      expect(judged(status)).toMatch(/^no /);
  });

  test('wants a database that is there, keeps backups, and can go back to a quarter of an hour ago', () => {
    const database = { DBInstanceStatus: 'available', BackupRetentionPeriod: 7, LatestRestorableTime: ago(0.1) };
    const judged = (change: object) => told(judgeBackups({ ...database, ...change }, now));
    expect(judged({})).toBe('ok restorable to 6 min ago, kept for 7 days');
    expect(judged({ PendingModifiedValues: { DBInstanceClass: 'db.r6g.large' } })).toMatch(
      /^ok .*DBInstanceClass wait/,
    );
    expect(judged({ DBInstanceStatus: 'modifying' })).toMatch(/^no .*modifying/);
    expect(judged({ BackupRetentionPeriod: 0 })).toMatch(/^no .*databaseBackupDays/);
    expect(judged({ LatestRestorableTime: undefined })).toMatch(/^no .*no backup yet/);
    expect(judged({ LatestRestorableTime: ago(0.26) })).toMatch(/^no .*15 min old/);
    expect(judged({ LatestRestorableTime: 'never' })).toMatch(/^no /);
  });

  test('wants a finished snapshot of the last day of database and cache', () => {
    const of = (hours: number, isDone = true) => [{ name: 'qurable-prod-x', takenAt: ago(hours), isDone }];
    const judged = (database: ReturnType<typeof of>, cache: ReturnType<typeof of>) =>
      told(judgeSnapshots({ database, cache }, 'qurable-prod', now));
    expect(judged([...of(50), ...of(3)], of(1))).toBe('ok database 3 hours ago, cache 60 min ago');
    expect(judged(of(27), of(1))).toMatch(/^no the database’s newest is 27 hours old/);
    expect(judged(of(1), of(27))).toMatch(/^no the cache’s newest/);
    expect(judged(of(1), [])).toMatch(/^no no snapshot of the cache/);
    expect(judged(of(1, false), of(1))).toMatch(/^no no snapshot of the database/);
  });

  test('wants every secret with the value that tasks read, and none about to be deleted', () => {
    const secret = { Name: 's', VersionIdsToStages: { v1: ['AWSCURRENT'], v2: ['code-secret-2'] } };
    const judged = (change: object, label = 'AWSCURRENT') =>
      told(judgeSecrets([{ ...secret, ...change }], () => label));
    expect(judged({})).toBe('ok 1 have a value');
    expect(judged({}, 'code-secret-2')).toMatch(/^ok /);
    expect(judged({}, 'code-secret-3')).toMatch(/^no s has no value code-secret-3/);
    expect(judged({ VersionIdsToStages: undefined })).toMatch(/^no s has no value/);
    expect(judged({ DeletedDate: ago(1) })).toMatch(/^no s is about to be deleted/);
    expect(told(judgeSecrets([], () => ''))).toMatch(/^no /);
  });

  test('wants every alarm there, armed and still', () => {
    const alarm = { AlarmName: 'a', StateValue: 'OK', ActionsEnabled: true, AlarmActions: ['arn:topic'] };
    const judged = (change: object) => told(judgeAlarms([{ ...alarm, ...change }], ['a']));
    expect(judged({})).toBe('ok 1 armed, none rings');
    expect(judged({ StateValue: 'INSUFFICIENT_DATA' })).toBe('ok 1 armed, none rings; 1 have no data yet');
    expect(judged({ StateValue: 'ALARM' })).toMatch(/^no ring: a/);
    expect(judged({ ActionsEnabled: false })).toMatch(/^no tell nobody: a/);
    expect(judged({ AlarmActions: [] })).toMatch(/^no tell nobody: a/);
    expect(told(judgeAlarms([], ['a']))).toMatch(/^no not there: a/);
  });

  test('wants somebody who has confirmed to be told, unless nobody is meant', () => {
    expect(told(judgeTold(['arn:aws:sns:x'], false))).toBe('ok 1 confirmed');
    expect(told(judgeTold(['arn:aws:sns:x', 'PendingConfirmation'], false))).toMatch(/^no 1 of 2 not confirmed/);
    expect(told(judgeTold([], false))).toMatch(/^no nobody is told/);
    expect(told(judgeTold(['Deleted'], false))).toMatch(/^no nobody is told/);
    expect(told(judgeTold([], true))).toMatch(/^skipped /);
  });

  test('wants room for an event that is being rolled', () => {
    expect(told(judgeQuota(50, 50, 50))).toMatch(/^ok 50 tasks/);
    expect(told(judgeQuota(49, 50, 50))).toMatch(/^no .*--desired-value 50$/);
  });

  test('wants room for what is reserved for webhooks, and for the hundred that Lambda wants left', () => {
    expect(told(judgeConcurrency(150, 50))).toMatch(/^ok 50 are reserved/);
    expect(told(judgeConcurrency(149, 50))).toMatch(/^no .*--desired-value 150$/);
    expect(told(judgeConcurrency(10, 0))).toMatch(/^ok nothing is reserved/);
  });

  test('tells drift by names of properties, never by their values, and waits for CloudFormation to look', async () => {
    const account = (status: string, drift: string): AskAws => {
      let asked = 0;
      return async (_, operation) => {
        if (operation === 'detect-stack-drift') return { StackDriftDetectionId: 'id' };
        if (operation === 'describe-stack-drift-detection-status') {
          asked += 1;
          const state = asked < 3 ? 'DETECTION_IN_PROGRESS' : status;
          return { DetectionStatus: state, StackDriftStatus: drift, DetectionStatusReason: 'why' };
        }
        const of = (LogicalResourceId: string, StackResourceDriftStatus: string) => ({
          LogicalResourceId,
          StackResourceDriftStatus,
          PropertyDifferences: [{ PropertyPath: '/Port', ActualValue: 'secret' }],
        });
        return { StackResourceDrifts: [of('Listener', 'MODIFIED'), of('Alarm', 'DELETED')] };
      };
    };
    let clock = now;
    const time = { now: () => clock, sleep: async (millis: number) => (clock += millis) };
    const judged = async (status: string, drift = '') => told(await checkDrift(account(status, drift), stage, time));
    expect(await judged('DETECTION_COMPLETE', 'IN_SYNC')).toBe('ok nothing was changed by hand');
    expect(await judged('DETECTION_COMPLETE', 'DRIFTED')).toMatch(
      /^no changed by hand: Listener \(\/Port\); Alarm \(deleted\)/,
    );
    expect(await judged('DETECTION_FAILED')).toMatch(/^skipped .*why/);
    expect(await judged('DETECTION_IN_PROGRESS')).toMatch(/^skipped .*ten minutes/);
  });
});

describe('migrations that are pending', () => {
  const files = (texts: Record<string, string>) =>
    new Map(Object.entries(texts).map(([name, text]) => [name, () => text]));

  test('are told with what they lock; what grows with a table must be meant', () => {
    const judged = (texts: Record<string, string>, isMeant = false, applied = ['0001_a']) =>
      told(judgeMigrations(new Set(applied), files({ '0001_a': '', ...texts }), isMeant));
    expect(judged({})).toBe('ok none is pending');
    expect(judged({}, false, ['0001_a', '0009_z'])).toBe('ok none is pending; the database is ahead by 0009_z');
    const short = { '0002_b': 'alter table books add column x int not null default 0;' };
    expect(judged(short)).toBe('ok 0002_b pending: locks books (all wait) for a moment');
    const long = { '0002_b': 'create index i on coupons (pos);' };
    expect(judged(long)).toMatch(/^no 0002_b pending: locks coupons \(writes wait\) for as long as its rows take: /);
    expect(judged(long, true)).toMatch(/^ok /);
  });

  test.each<[string, string]>([
    ['create table a (id int); create index on a (id); alter table a add primary key (id);', ''],
    ['alter table books add constraint c check (x > 0) not valid; -- alter table coupons drop x;', 'books everything'],
    ['alter table books validate constraint c;', ''],
    ['ALTER TABLE only public.books\n  ADD CONSTRAINT c CHECK (x > 0);', 'books everything long'],
    ['alter table books add constraint p primary key (id);', 'books everything long'],
    ['alter table books add constraint p primary key using index i;', 'books everything'],
    ['alter table books alter column x type bigint;', 'books everything long'],
    ['alter table books alter x set not null;', 'books everything long'],
    ['alter table books add column x uuid default gen_random_uuid();', 'books everything long'],
    ["alter table books add column x text default 'a; create index i on coupons (x)';", 'books everything'],
    ['create unique index if not exists i on books (x);', 'books writes long'],
    ['drop index i;', 'i everything'],
    ['update books set x = 1;', 'books writes long'],
    ['create table events_2027 partition of events for values from (1) to (2);', 'events everything'],
    ['create function f() returns void language sql as $$ update books set x = 1; $$;', ''],
    ['alter table books add column x int; update coupons set y = 1;', 'books everything long, coupons writes long'],
  ])('lock what PostgreSQL locks for them: %s', (text, locks) => {
    const found = locksOfMigrations([text]);
    const said = found.map(({ table, stops, isLong }) => `${table} ${stops}${isLong ? ' long' : ''}`);
    expect(said.join(', ')).toBe(locks);
  });
});

test('tasks are well where all are healthy and run what was deployed', () => {
  const tasks = { wanted: 2, healthy: 2, deployments: 1, image: 'a', deployedImage: 'a', lastEvent: '' };
  const judged = (change: object) => told(judgeTasks({ ...tasks, ...change }, { outputs: { Commit: 'abc' } }));
  expect(judged({})).toBe('ok 2 of 2 tasks healthy, version a, commit abc');
  expect(judged({ healthy: 1, lastEvent: 'no room' })).toBe('no 1 of 2 tasks healthy: no room');
  expect(judged({ wanted: 0, healthy: 0 })).toMatch(/^no no task is wanted/);
  expect(judged({ deployments: 2 })).toMatch(/^no .*under way/);
  expect(judged({ image: 'b' })).toMatch(/^no .*they run b and not a/);
});
