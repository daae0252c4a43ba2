import { createInterface } from 'node:readline';
import { DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import {
  CreateDBInstanceCommand,
  type DBInstance,
  DeleteDBInstanceCommand,
  DescribeDBInstancesCommand,
} from '@aws-sdk/client-rds';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import type { DrillReport } from '../../../handlers/drill/make-report.ts';
import { startApiProcess } from '../../support/start-api-processes.ts';
import type { Account } from '../support/account.ts';
import { plainDay, type Trial } from '../support/open-trial.ts';

const longMillis = 2_400_000;
const stack = 'qurable-dev';
/** How the migrations' moments are written. */
const isoText = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"';

/** What the stage is deployed with, so that there is a drill. */
export const parametersOfDrill = ['--param=restoreDrill=monthly', '--param=drillDatabaseClass=db.t4g.small'];

/**
 * Tests the restore drill's state machine, in an emulated account that runs it step by step. What is restored there is
 * the stage's database itself under another name: that a copy is a copy, the rights and the networks are not shown.
 * @param openedTrial where the stage is deployed with `parametersOfDrill`; asked for when the tests run
 */
export function testRestoreDrill(openedTrial: () => Trial): void {
  describe('its restore drill', () => testSteps(openedTrial));
}

function testSteps(openedTrial: () => Trial): void {
  let postgres: Trial['postgres'];
  let emulator: Trial['emulator'];
  let account: Account;
  let resources: Map<string, string>;

  beforeAll(async () => {
    ({ postgres, emulator, account } = openedTrial());
    // The marks are compared with what was dealt by the machine's clock.
    await emulator.setClock(null);
    // It was migrated on the plain day, but its months of events are those of the machine's clock: the drill would take
    // the months between for events that have left the database.
    await ask(`update kysely_migration set timestamp = to_char(clock_timestamp() at time zone 'UTC', '${isoText}')`);
    const found = await account.cloudFormation.send(new DescribeStackResourcesCommand({ StackName: stack }));
    resources = new Map(
      (found.StackResources ?? []).map(({ LogicalResourceId, PhysicalResourceId }) => [
        LogicalResourceId ?? '',
        PhysicalResourceId ?? '',
      ]),
    );
    await dealSome();
  }, longMillis);

  afterAll(async () => {
    await emulator.setClock(plainDay);
  });

  /** An API deals a few codes, and its marks come into the log of the API, where a collector would bring them. */
  async function dealSome(): Promise<void> {
    const key = 'qk_the-root-key-of-a-drill-in-a-test';
    const api = await startApiProcess(postgres.superuserUrl, { QURABLE_ADMIN_KEY: key });
    const marks: string[] = [];
    createInterface({ input: api.process.stdout! }).on('line', (line) => {
      if (line.includes('"deck marks"')) marks.push(line);
    });
    const call = async (path: string, body: object) => {
      const answer = await fetch(api.address + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as { id: string };
    };
    const { id } = await call('/v1/books', { name: 'of a drill', status: 'active' });
    await call(`/v1/books/${id}/codes/generate`, { count: 100, pattern: 'DRILL-####-####' });
    for (const userId of ['ana', 'ben']) await call('/v1/coupons/assign', { bookId: id, userId });
    await api.stop('SIGTERM');
    await account.call('logs', {
      target: 'Logs_20140328.CreateLogStream',
      body: { logGroupName: `/ecs/${stack}-api`, logStreamName: 'a-task' },
    });
    await putLines(marks);
  }

  /** A line as a task without news writes it each minute. */
  const heartbeat = (task: string, line: number, awayMillis: number) =>
    JSON.stringify({ time: new Date(Date.now() + awayMillis).toISOString(), msg: 'deck marks', task, line });

  async function putLines(lines: readonly string[]): Promise<void> {
    const logEvents = lines.map((message) => ({ timestamp: Date.parse(JSON.parse(message).time), message }));
    const body = { logGroupName: `/ecs/${stack}-api`, logStreamName: 'a-task', logEvents };
    await account.call('logs', { target: 'Logs_20140328.PutLogEvents', body });
  }

  const states = (operation: string, body: object) =>
    account.call('states', { target: `AWSStepFunctions.${operation}`, body });

  /** Starts the state machine as the schedule does, and returns how it ended and what it reported. */
  async function drill(name: string): Promise<{ status: unknown; error: unknown; report: DrillReport }> {
    // A task has written before it restores and goes on while it does, however long that takes here.
    await putLines([heartbeat(name, 0, -300_000)]);
    await putLines([heartbeat(name, 1, 300_000)]);
    const before = await reports();
    const { executionArn } = await states('StartExecution', {
      stateMachineArn: resources.get('Drill'),
      name,
      input: '{}',
    });
    for (;;) {
      const { status, error } = await states('DescribeExecution', { executionArn });
      if (status !== 'RUNNING') {
        const [key] = (await reports()).filter((one) => !before.includes(one));
        if (key === undefined)
          throw new Error(`no report: ${JSON.stringify(await states('GetExecutionHistory', { executionArn }))}`);
        const Bucket = resources.get('BackupBucket');
        const { Body } = await account.s3.send(new GetObjectCommand({ Bucket, Key: key }));
        const report = JSON.parse(await Body!.transformToString()) as DrillReport;
        expect(key.startsWith(report.good ? 'drills/good/' : 'drills/bad/')).toBe(true);
        return { status, error, report };
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function reports(): Promise<string[]> {
    const request = { Bucket: resources.get('BackupBucket'), Prefix: 'drills/' };
    const { Contents = [] } = await account.s3.send(new ListObjectsV2Command(request));
    return Contents.map(({ Key }) => Key ?? '');
  }

  async function instances(): Promise<DBInstance[]> {
    return (await account.rds.send(new DescribeDBInstancesCommand({}))).DBInstances ?? [];
  }
  const names = async () => (await instances()).map(({ DBInstanceIdentifier }) => DBInstanceIdentifier).sort();
  const step = (name: string, run: string) =>
    account.invoke(`${stack}-drill`, { step: name, run, beganAt: new Date().toISOString(), state: {} });

  async function ask(statement: string): Promise<void> {
    const client = new pg.Client(postgres.superuserUrl);
    await client.connect();
    await client.query(statement).finally(() => client.end());
  }

  test(
    'restores, asks, deletes what it made, and keeps a report that says yes',
    async () => {
      const { status, report } = await drill('first');
      expect(report).toMatchObject({ good: true, against: [], run: 'first' });
      expect(status).toBe('SUCCEEDED');
      const { answers } = report;
      expect(answers?.marks).toMatchObject({ missing: 0, beyond: 0 });
      expect(answers?.marks.compared).toBeGreaterThan(0);
      expect(answers?.invariants).toMatchObject({ broken: [], unanswered: [], leftOut: [], next: null });
      expect(answers?.newestEventAt).toMatch(/^\d{4}-/);
      expect(report.rtoSeconds).toBeGreaterThan(0);
      expect(await names()).toEqual([stack]);
    },
    longMillis,
  );

  test(
    'says no where one promise is broken in what was restored, and deletes it all the same',
    async () => {
      await ask('update decks set voided = voided + 1');
      const { status, error, report } = await drill('broken').finally(() =>
        ask('update decks set voided = voided - 1'),
      );
      expect(report.against).toEqual([expect.stringMatching(/^broken by 1 rows: 7a /)]);
      expect([status, error, report.good]).toEqual(['FAILED', 'DrillSaysNo', false]);
      expect(await names()).toEqual([stack]);
    },
    longMillis,
  );

  test(
    'deletes what it made and says no where a step fails, and where it can’t delete it says so',
    async () => {
      const FunctionName = `${stack}-ask-restored`;
      const withLog = (MARKS_LOG_GROUP: string) =>
        account.lambda.send(
          new UpdateFunctionConfigurationCommand({
            FunctionName,
            Environment: { Variables: { ...variables, MARKS_LOG_GROUP } },
          }),
        );
      const before = await account.call('lambda', { method: 'GET', path: `/2015-03-31/functions/${FunctionName}` });
      const variables = (before.Configuration as { Environment: { Variables: Record<string, string> } }).Environment
        .Variables;
      await withLog('/no/such/group');
      const { status, report } = await drill('failing').finally(() => withLog(variables.MARKS_LOG_GROUP!));
      expect([status, report.good, report.answers]).toEqual(['FAILED', false, null]);
      expect(report.against).toEqual([expect.stringMatching(/log group/i)]);
      expect(await names()).toEqual([stack]);
    },
    longMillis,
  );

  test('restores into one zone, a small class and a group of its own, marked and unprotected, once a run', async () => {
    const source = (await instances())[0]!;
    expect(await step('begin', 'by hand')).toMatchObject({ failed: false });
    expect(await step('begin', 'by hand')).toMatchObject({ failed: false });
    const [made, ...others] = (await instances()).filter(({ DBInstanceIdentifier }) => DBInstanceIdentifier !== stack);
    expect(others).toEqual([]);
    expect(made).toMatchObject({
      DBInstanceIdentifier: expect.stringMatching(/^qurable-dev-drill-[0-9a-f]{12}$/),
      DBInstanceClass: 'db.t4g.small',
      MultiAZ: false,
      DeletionProtection: false,
      PubliclyAccessible: false,
      StorageEncrypted: true,
      VpcSecurityGroups: [{ VpcSecurityGroupId: resources.get('DrillDatabaseSecurityGroup') }],
      TagList: expect.arrayContaining([{ Key: 'qurable:drill-of', Value: stack }]),
    });
    expect((await instances()).find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === stack)).toEqual({
      ...source,
      LatestRestorableTime: expect.anything(),
    });
    expect(await step('remove', 'by hand')).toMatchObject({ answer: { removed: made!.DBInstanceIdentifier } });
    expect(await step('remove', 'by hand')).toMatchObject({ answer: { removed: null } });
  });

  test('sweeps what an earlier one left a day ago, and nothing that it did not make; and counts the days', async () => {
    await step('begin', 'left');
    const foreign = `${stack}-drill-byhand`;
    const request = { DBInstanceIdentifier: foreign, DBInstanceClass: 'db.t4g.micro', Engine: 'postgres' };
    await account.rds.send(
      new CreateDBInstanceCommand({
        ...request,
        MasterUsername: 'a',
        MasterUserPassword: 'a password',
        AllocatedStorage: 20,
      }),
    );
    const watch = () => account.invoke(`${stack}-drill`, { step: 'watch' });
    expect(await watch()).toMatchObject({ answer: { swept: [] } });
    await emulator.setClock(new Date(Date.now() + 25 * 3_600_000));
    const { answer } = (await watch()) as { answer: { swept: string[]; days: number } };
    await emulator.setClock(null);
    expect(answer.swept).toEqual([expect.stringMatching(/^qurable-dev-drill-[0-9a-f]{12}$/)]);
    expect(answer.days).toBeGreaterThan(1);
    expect(answer.days).toBeLessThan(1.2);
    expect(await names()).toEqual([stack, foreign]);
    await account.rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: foreign, SkipFinalSnapshot: true }));
  });

  test('is started by a schedule, whose watch writes the figure that the alarm of its silence looks at', async () => {
    const schedule = (name: string) =>
      account.call('scheduler', { method: 'GET', path: `/schedules/${stack}-${name}` });
    expect(((await schedule('drill')).Target as { Arn: string }).Arn).toBe(resources.get('Drill'));
    const { Arn, Input } = (await schedule('drill-watch')).Target as { Arn: string; Input: string };
    expect((await account.invoke(Arn, JSON.parse(Input))).failed).toBe(false);
    const { events } = await account.call('logs', {
      target: 'Logs_20140328.FilterLogEvents',
      body: { logGroupName: `/aws/lambda/${stack}-drill` },
    });
    const metrics = (events as { message: string }[])
      .filter(({ message }) => message.includes('"_aws"') && message.includes('DaysSinceGoodDrill'))
      .map(({ message }) => JSON.parse(message) as { service: string; _aws: { CloudWatchMetrics: object[] } });
    expect(metrics.at(-1)).toMatchObject({
      service: 'qurable-drill',
      _aws: { CloudWatchMetrics: [{ Namespace: 'Qurable/dev', Dimensions: [['service']] }] },
    });
  });
}
