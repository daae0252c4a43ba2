import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeSnapshotsCommand } from '@aws-sdk/client-elasticache';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openAws } from '../../operations/checklists/ask-aws.ts';
import { readStage } from '../../operations/checklists/read-stage.ts';
import { runWatch } from '../../operations/watch/run-watch.ts';
import { watchStage } from '../../operations/watch/watch-stage.ts';
import { isOnPath } from '../support/is-on-path.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { canEmulate } from './emulator/start-emulator.ts';
import { openTrial, type Trial } from './support/open-trial.ts';
import { runCommand } from './support/run-script.ts';
import { runServerless } from './support/run-serverless.ts';

const longMillis = 2_400_000;
const stack = 'qurable-dev';
const hasCli = isOnPath('aws');
/** It breaks a stage in each way that a checklist looks for: minutes that only the long run has. */
const isLong = process.env.QURABLE_TEST_LONG === '1';
const describeOrSkip = isLong
  ? requireOrSkip('python3 with moto[server], and the aws CLI', canEmulate() && hasCli)
  : describe.skip;
const checks = 'stack backups snapshots secrets alarms told quota concurrency migrations drift cost'.split(' ');

/*
 * What the emulator does not show: CloudWatch makes no figures by itself, so the load balancer's are put in here as it
 * would report them; drift is looked for in alarms alone; a subscription is confirmed as soon as it is made; and no
 * right is missing.
 */
describeOrSkip('a checklist, against a stage in an emulated account', () => {
  let trial: Trial;
  let emulator: Trial['emulator'];
  let account: Trial['account'];
  let project: Trial['project'];

  beforeAll(async () => {
    trial = await openTrial('filled');
    ({ emulator, account, project } = trial);
    const run = await runServerless(project.directory, ['deploy', '--stage', 'dev'], emulator.url);
    if (!run.ok) throw new Error(run.output);
    await account.invoke(`${stack}-snapshot`, { kind: 'daily', run: 'checklists' });
  }, longMillis);

  afterAll(async () => {
    await trial?.close();
  }, longMillis);

  /** The preflight's exit status, and what it found by the names of its checks. */
  async function preflight(...args: string[]) {
    const command = ['run', '--silent', 'preflight', '--', '--stage', 'dev', ...args];
    const { status, stdout, stderr } = await runCommand(project.directory, emulator.url, 'npm', command);
    const lines = stdout.trim().split('\n');
    const found = lines.map((line) => [line.slice(9, 21).trim(), `${line.slice(0, 7).trim()} ${line.slice(23)}`]);
    return { status, stderr, found: Object.fromEntries(found) as Record<string, string> };
  }

  /** One check alone, as its exit status and its line. */
  async function look(name: string, ...args: string[]): Promise<string> {
    const others = checks.filter((other) => other !== name).join(',');
    const { status, stderr, found } = await preflight('--skip', others, ...args);
    return `${status} ${found[name]}${stderr}`;
  }

  async function aws(...args: string[]): Promise<string> {
    const run = await runCommand(project.directory, emulator.url, 'aws', [...args, '--endpoint-url', emulator.url]);
    if (run.status !== 0) throw new Error(run.stderr);
    return run.stdout;
  }

  async function output(name: string): Promise<string> {
    const { Stacks } = await account.cloudFormation.send(new DescribeStacksCommand({ StackName: stack }));
    return Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue ?? '';
  }

  /** Changes one text of the copy's stages.yml for as long as the work takes. */
  async function withStages(from: string, to: string, work: () => Promise<void>): Promise<void> {
    const path = 'resources/stages.yml';
    const text = readFileSync(join(project.directory, path), 'utf8');
    if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
    project.write(path, text.replace(from, to));
    try {
      await work();
    } finally {
      project.write(path, text);
    }
  }

  test(
    'is all yes before a deployment to a stage that is as it should be',
    async () => {
      const ready = await preflight();
      expect(ready).toMatchObject({ status: 0, stderr: '' });
      expect(ready.found).toEqual({
        stack: expect.stringMatching(/^ok deployment \d{13} runs$/),
        backups: expect.stringMatching(/^ok restorable to \d+ min ago, kept for 1 days/),
        snapshots: expect.stringMatching(/^ok database \d+ min ago, cache \d+ min ago$/),
        secrets: expect.stringMatching(/^ok \d+ have a value$/),
        alarms: expect.stringMatching(/^ok \d+ armed, none rings/),
        told: 'skipped nobody is told, which allowNoAlertEmail says is meant',
        quota: 'ok 4 tasks that are being rolled need 2 Fargate vCPUs, the account may run 6',
        concurrency: 'ok nothing is reserved for webhooks, the account may run 10 functions at a time',
        migrations: 'ok none is pending',
        drift: 'ok nothing was changed by hand',
        cost: expect.stringMatching(/^ok \$[\d.,]+ → \$[\d.,]+ a month at 1000000 requests a day, nothing changes$/),
      });
    },
    longMillis,
  );

  test(
    'is a no where the stack, its backups or its snapshots are not as they should be',
    async () => {
      await emulator.setStackStatus(stack, 'UPDATE_ROLLBACK_FAILED');
      expect(await look('stack')).toMatch(/^1 no UPDATE_ROLLBACK_FAILED: .*continue-update-rollback/);
      await emulator.setStackStatus(stack, 'UPDATE_COMPLETE');
      expect(await look('stack')).toMatch(/^0 ok /);

      const days = (count: string) =>
        aws('rds', 'modify-db-instance', '--db-instance-identifier', stack, '--backup-retention-period', count);
      await days('0');
      expect(await look('backups')).toMatch(/^1 no the database keeps no backups/);
      await days('1');
      expect(await look('backups')).toMatch(/^0 ok /);

      const { Snapshots } = await account.elastiCache.send(new DescribeSnapshotsCommand({}));
      for (const { SnapshotName } of Snapshots ?? []) {
        await aws('elasticache', 'delete-snapshot', '--snapshot-name', SnapshotName!);
      }
      expect(await look('snapshots')).toMatch(/^1 no no snapshot of the cache: aws lambda invoke .*-snapshot$/);
    },
    longMillis,
  );

  test(
    'is a no where a secret is about to go, an alarm rings, is mute or was changed, or nobody is told',
    async () => {
      const id = await output('AdminKeySecretArn');
      await aws('secretsmanager', 'delete-secret', '--secret-id', id, '--recovery-window-in-days', '7');
      expect(await look('secrets')).toMatch(/^1 no .*about to be deleted: .*restore-secret/);
      await aws('secretsmanager', 'restore-secret', '--secret-id', id);

      const p99 = ['--alarm-name', `${stack}-p99`, '--state-reason', 'a test'];
      await aws('cloudwatch', 'set-alarm-state', ...p99, '--state-value', 'ALARM');
      expect(await look('alarms')).toMatch(new RegExp(`^1 no ring: ${stack}-p99`));
      await aws('cloudwatch', 'set-alarm-state', ...p99, '--state-value', 'OK');
      await aws('cloudwatch', 'disable-alarm-actions', '--alarm-names', `${stack}-p99`);
      expect(await look('alarms')).toMatch(new RegExp(`^1 no tell nobody: ${stack}-p99`));
      await aws('cloudwatch', 'enable-alarm-actions', '--alarm-names', `${stack}-p99`);
      expect(await look('alarms')).toMatch(/^0 ok /);

      const { MetricAlarms } = JSON.parse(
        await aws('cloudwatch', 'describe-alarms', '--alarm-names', `${stack}-cpu`),
      ) as { MetricAlarms: Record<string, unknown>[] };
      const settings = [
        'AlarmName',
        'Namespace',
        'MetricName',
        'Dimensions',
        'Statistic',
        'Period',
        'EvaluationPeriods',
        'ComparisonOperator',
      ];
      const same = Object.fromEntries(settings.map((name) => [name, MetricAlarms[0]?.[name]]));
      const put = (Threshold: number) =>
        aws('cloudwatch', 'put-metric-alarm', '--cli-input-json', JSON.stringify({ ...same, Threshold }));
      await put(99);
      expect(await look('drift')).toBe(
        '1 no changed by hand: TaskCpuAlarm (/Threshold): take it back, or write it into resources/',
      );
      await put(80);
      expect(await look('drift')).toMatch(/^0 ok /);

      await withStages('allowNoAlertEmail: true', 'allowNoAlertEmail: false', async () => {
        expect(await look('told')).toMatch(/^1 no nobody is told: set alertEmail/);
      });
      const topic = await output('AlertTopicArn');
      const mail = ['--protocol', 'email', '--notification-endpoint', 'ops@example.com'];
      await aws('sns', 'subscribe', '--topic-arn', topic, ...mail);
      expect(await look('told')).toBe('0 ok 1 confirmed');
    },
    longMillis,
  );

  test(
    'is a no where tasks have too small a quota or a migration would hold writers up, and tells what costs more',
    async () => {
      await emulator.setQuota('fargate/L-3032A538', 1);
      expect(await look('quota')).toMatch(/^1 no .* need 2 .* may run 1: aws service-quotas/);
      await emulator.setQuota('fargate/L-3032A538', 6);

      await withStages('webhookConcurrency: 0', 'webhookConcurrency: 50', async () => {
        expect(await look('concurrency')).toMatch(
          /^1 no 50 are reserved .* may run 10 functions at a time: lower webhookConcurrency .*--desired-value 150$/,
        );
        await emulator.setQuota('lambda/L-B99A9384', 150);
        expect(await look('concurrency')).toMatch(/^0 ok 50 are reserved/);
      });
      await emulator.setQuota('lambda/L-B99A9384', 10);

      project.write('migrations/9001_index.sql', 'create index coupons_pos_idx on coupons (pos);');
      expect(await look('migrations')).toBe(
        '1 no 9001_index pending: locks coupons (writes wait) for as long as its rows take: wait for a quiet hour, or --accept-locks',
      );
      expect(await look('migrations', '--accept-locks')).toMatch(/^0 ok 9001_index pending/);
      project.remove('migrations/9001_index.sql');

      await withStages('databaseClass: db.t4g.micro', 'databaseClass: db.t4g.medium', async () => {
        expect(await look('cost')).toMatch(/^0 ok \$.*, by Database: /);
      });
    },
    longMillis,
  );

  /** A watch of five minutes whose hours are the test's; the figures come out of the account. */
  async function watch(): Promise<{ isFine: boolean; lines: string[] }> {
    let now = startOfWatch;
    const time = {
      now: () => now,
      sleep: async (millis: number) => {
        now += millis;
      },
    };
    const environment = { ...process.env, AWS_ENDPOINT_URL: emulator.url, ...credentials };
    const ask = openAws(environment, 'us-east-1');
    const source = await watchStage(ask, await readStage(ask, 'dev', 'us-east-1'), time);
    const lines: string[] = [];
    const options = { minutes: 5, everySeconds: 120, isIdleFine: false };
    return { isFine: await runWatch(source, time, options, (line) => lines.push(line)), lines };
  }

  const startOfWatch = Math.floor(Date.now() / 60_000) * 60_000;
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

  /** What the load balancer reports of a minute of the watch, counted from 0. */
  async function report(minute: number, metric: string, value: number): Promise<void> {
    const { StackResources } = await account.cloudFormation.send(
      new DescribeStackResourcesCommand({ StackName: stack, LogicalResourceId: 'LoadBalancer' }),
    );
    const Value = StackResources![0]!.PhysicalResourceId!.split(':loadbalancer/')[1]!;
    const datum = {
      MetricName: metric,
      Dimensions: [{ Name: 'LoadBalancer', Value }],
      Timestamp: new Date(startOfWatch + minute * 60_000).toISOString(),
      Value: value,
    };
    const metrics = ['--namespace', 'AWS/ApplicationELB', '--metric-data', JSON.stringify([datum])];
    await aws('cloudwatch', 'put-metric-data', ...metrics);
  }

  test(
    'watches a stage by its load balancer’s figures and its log: errors, slowness and error lines are each a no, early',
    async () => {
      const silent = await watch();
      expect(silent.isFine).toBe(false);
      expect(silent.lines.join('\n')).toMatch(/^no +error rate +no request was seen/m);

      for (let minute = 0; minute < 5; minute += 1) {
        await report(minute, 'RequestCount', 10_000);
        await report(minute, 'TargetResponseTime', 0.05);
      }
      await report(1, 'HTTPCode_Target_5XX_Count', 20);
      const good = await watch();
      expect(good.lines.join('\n')).toMatch(/^ok +error rate +20 of 50000 requests ended in a 5xx \(0\.040 %\)$/m);
      expect(good.lines.join('\n')).toMatch(/^ok +p99 +p99 50 ms in the worst minute$/m);
      expect(good.isFine).toBe(true);

      const group = ['--log-group-name', `/ecs/${stack}-api`, '--log-stream-name', 'api/qurable-api/1'];
      await aws('logs', 'create-log-stream', ...group);
      const message = '{"level":"error","msg":"a request failed"}';
      const event = JSON.stringify([{ timestamp: startOfWatch + 30_000, message }]);
      await aws('logs', 'put-log-events', ...group, '--log-events', event);
      const noted = await watch();
      expect(noted.lines.join('\n')).toMatch(/^no +error lines +1 in the log, such as "a request failed"$/m);
      await aws('logs', 'delete-log-stream', ...group);

      for (const minute of [0, 1, 2]) await report(minute, 'TargetResponseTime', 3);
      const slow = await watch();
      expect(slow.lines.join('\n')).toMatch(/^no +p99 +p99 3000 ms .* in three of five minutes/m);

      await report(0, 'HTTPCode_ELB_5XX_Count', 5_000);
      const broken = await watch();
      expect(broken.lines.join('\n')).toMatch(/^no +error rate +5020 of 20000 requests/m);
      // After the first look: the other minutes can't make up for it.
      expect(broken.lines.filter((line) => line.includes(' of 5 min'))).toHaveLength(1);
    },
    longMillis,
  );
});
