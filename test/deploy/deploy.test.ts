import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeServicesCommand, DescribeTaskDefinitionCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import {
  CreateSnapshotCommand,
  DescribeReplicationGroupsCommand,
  DescribeSnapshotsCommand,
} from '@aws-sdk/client-elasticache';
import { GetFunctionConfigurationCommand, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { CreateDBSnapshotCommand, DescribeDBInstancesCommand, DescribeDBSnapshotsCommand } from '@aws-sdk/client-rds';
import {
  GetBucketEncryptionCommand,
  GetPublicAccessBlockCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand, ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { ApiClient, atOnce } from '../support/api-client.ts';
import { isOnPath } from '../support/is-on-path.ts';
import { isLong } from '../support/long-run.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { type ApiProcess, startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { canEmulate } from './emulator/start-emulator.ts';
import { testPreview, testPreviewOfNothing } from './parts/previews.ts';
import { parametersOfDrill, testRestoreDrill } from './parts/restore-drill.ts';
import { listenToTopic, type TopicListener, type TopicMessage } from './support/listen-to-topic.ts';
import { openTrial, plainDay, type Trial } from './support/open-trial.ts';
import { imageTagOf, pushImage } from './support/push-image.ts';
import { runCommand, runScript, type ScriptRun } from './support/run-script.ts';
import { keepBundles, runServerless, type ServerlessRun } from './support/run-serverless.ts';

/**
 * One stage in one emulated account, from its first deployment to its removal: each test goes on from what the one
 * before has left. To open an account, to deploy and to go back are what these tests take long for.
 */

/** Half a minute on two busy cores; a slower machine, or one that stands still for a while, must not decide. */
const deploymentMillis = 1_200_000;
jest.setTimeout(deploymentMillis);
const stack = 'qurable-dev';
const service = `service/${stack}/qurable-api`;
const zone = ['--param=eventTimeZone=America/New_York'];
/** Events of 3 to 4 tasks, so that they can be told from the base of 1 to 2. */
const parameters = [...zone, '--param=eventMinTasks=3', '--param=eventMaxTasks=4', ...parametersOfDrill];
const beforeEvent = plainDay;
const inEvent = new Date('2026-11-27T15:00:00Z');
const afterEvent = new Date('2026-11-28T06:00:00Z');

let trial: Trial;
let emulator: Trial['emulator'];
let account: Trial['account'];
let project: Trial['project'];
let database: TestDatabase;
/** No task runs in the emulator: this stands where the load balancer leads. */
let api: ApiProcess;

async function sls(...args: string[]): Promise<ServerlessRun> {
  return runServerless(project.directory, [...args, '--stage', 'dev', '--verbose'], emulator.url);
}

async function deploy(...more: string[]): Promise<ServerlessRun> {
  await pushImage(account, project.directory);
  return sls('deploy', ...parameters, ...more);
}

function expectOk(run: ServerlessRun): void {
  if (!run.ok) throw new Error(run.output);
}

/** The stack's status once nothing is under way: a deployment that fails ends before it has gone back. */
async function stackStatus(): Promise<string> {
  for (;;) {
    const { Stacks } = await account.cloudFormation.send(new DescribeStacksCommand({ StackName: stack }));
    const status = Stacks?.[0]?.StackStatus ?? 'none';
    if (!status.endsWith('IN_PROGRESS')) return status;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function output(name: string): Promise<string> {
  const { Stacks } = await account.cloudFormation.send(new DescribeStacksCommand({ StackName: stack }));
  const found = Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue;
  if (found === undefined) throw new Error(`the stack has no output ${name}`);
  return found;
}

/** Step 2 of docs/deployment.md. */
async function deployRegistry(): Promise<void> {
  const template = join(project.directory, 'resources/registry.yml');
  const args = ['cloudformation', 'deploy', '--stack-name', 'qurable-registry', '--template-file', template];
  const { status, stderr } = await runCommand(project.directory, emulator.url, 'aws', args);
  if (status !== 0) throw new Error(stderr);
}

/** One of the pipeline's scripts. */
const script = (name: string, args: string[]): Promise<ScriptRun> =>
  runScript(project.directory, emulator.url, name, args, {
    NODE_OPTIONS: keepBundles,
    SMOKE_TEST_ADDRESS: api.address,
    QURABLE_ADMIN_KEY: testSecrets.QURABLE_ADMIN_KEY!,
  });

/** `npm run smoke` of this stage, with whatever stands at an address where the load balancer leads. */
const smoke = (address: string): Promise<ScriptRun> =>
  runCommand(
    project.directory,
    emulator.url,
    'npm',
    ['run', '--silent', 'smoke', '--', '--stage', 'dev', '--url', address, '--patience', '0'],
    { QURABLE_ADMIN_KEY: testSecrets.QURABLE_ADMIN_KEY! },
  );

/** The deployment that runs, which the stack names by its timestamp; empty where there is none. */
const live = async () => (await script('deployments.sh', ['live', 'dev'])).stdout.trim();
/** The deployment to go back to. */
const before = () => script('deployments.sh', ['before', 'dev']);
const nothingBefore = { status: 1, stderr: expect.stringContaining('there is nothing to go back to') };

/** Asks the stack's database as its administrator would. */
async function ask(statement: string): Promise<unknown[]> {
  const client = new pg.Client(trial.postgres.superuserUrl);
  await client.connect();
  try {
    return (await client.query({ text: statement, rowMode: 'array' })).rows.map((row: unknown[]) => row[0]);
  } finally {
    await client.end();
  }
}

const migrations = () => ask('select name from kysely_migration order by name');
const tables = () => ask("select table_name from information_schema.tables where table_schema = 'public' order by 1");

async function codeOf(name: string): Promise<string | undefined> {
  const found = await account.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
  return found.CodeSha256;
}

async function desiredTasks(): Promise<number | undefined> {
  const found = await account.ecs.send(new DescribeServicesCommand({ cluster: stack, services: ['qurable-api'] }));
  return found.services?.[0]?.desiredCount;
}

/** Brings as many tasks as the service's scaling would for what there is to do. */
async function wantTasks(desiredCount: number): Promise<void> {
  await account.ecs.send(new UpdateServiceCommand({ cluster: stack, service: 'qurable-api', desiredCount }));
}

async function taskDefinition(): Promise<string | undefined> {
  const found = await account.ecs.send(new DescribeServicesCommand({ cluster: stack, services: ['qurable-api'] }));
  return found.services?.[0]?.taskDefinition;
}

async function databaseSnapshots(): Promise<string[]> {
  const found = await account.rds.send(new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }));
  return (found.DBSnapshots ?? []).map((snapshot) => snapshot.DBSnapshotIdentifier ?? '').sort();
}

async function cacheSnapshots(): Promise<string[]> {
  const found = await account.elastiCache.send(new DescribeSnapshotsCommand({ SnapshotSource: 'user' }));
  return (found.Snapshots ?? []).map((snapshot) => snapshot.SnapshotName ?? '').sort();
}

/** Stands in for the address that CloudFormation is answered at, for an event that a test makes. */
async function listenForAnswers() {
  const answers: { Status: string; Reason: string; PhysicalResourceId: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    answers.push(JSON.parse(Buffer.concat(chunks).toString()) as (typeof answers)[number]);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, answers, close: () => new Promise((resolve) => server.close(resolve)) };
}

/** The version of the code that answers, told by a mark that a later version adds. */
async function markOfScale(): Promise<unknown> {
  const { failed, answer } = await account.invoke(`${stack}-scale`, {});
  expect(failed).toBe(false);
  return (answer as { mark?: string }).mark;
}

/** The timestamp of the first deployment. */
let firstDeployment = '';

const needs = canEmulate() && isOnPath('aws');
const describeOrSkip = requireOrSkip('python3 with moto[server], and the aws CLI', needs);

describeOrSkip('a deployment to an emulated account', () => {
  beforeAll(async () => {
    trial = await openTrial('none');
    ({ emulator, account, project } = trial);
    database = await createTestDatabase('behind_the_balancer');
    api = await startApiProcess(database.url, {
      // It is called once the stack is there: this is the account that the emulator has.
      STOCK_ANNOUNCER_FUNCTION: `arn:aws:lambda:us-east-1:123456789012:function:${stack}-announce`,
      AWS_ENDPOINT_URL: emulator.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
  }, deploymentMillis);

  afterAll(async () => {
    await api?.stop();
    await database?.drop();
    await trial?.close();
  }, deploymentMillis);

  testPreviewOfNothing(() => trial);

  test(
    'from an empty account: the registry, an image, and one command bring up the stack, migrated before the service',
    async () => {
      expect(await live()).toBe('');
      await deployRegistry();
      const run = await deploy();
      expectOk(run);
      // A new account's quota is enough for dev.
      expect(run.output).not.toContain('vCPUs');
      expect(await stackStatus()).toBe('UPDATE_COMPLETE');
      expect(await tables()).toEqual(expect.arrayContaining(['books', 'coupons', 'deck_codes', 'events', 'holders']));
      expect(await migrations()).toEqual(expect.arrayContaining(['0001_coupon_engine']));
      const found = await account.cloudFormation.send(new DescribeStackResourcesCommand({ StackName: stack }));
      const order = (found.StackResources ?? []).map((resource) => resource.LogicalResourceId);
      expect(order.indexOf('Migration')).toBeLessThan(order.indexOf('Service'));
    },
    deploymentMillis,
  );

  // The size of their code is looked at in cold-start.test.ts, and the template in linted-templates.test.ts.
  test('has put the code of these functions into its bucket, and of no other', async () => {
    const zips = (await deploymentFiles()).flatMap((key) => /([a-z-]+)\.zip$/.exec(key)?.[1] ?? []);
    expect(zips.sort()).toEqual([
      'announce',
      'ask-new-tasks',
      'ask-restored',
      'deliver',
      'drill',
      'migrate',
      'rotate',
      'scale',
      'snapshot',
    ]);
  });

  test('reads back as deployed: encrypted, private, on the named versions, every secret its own', async () => {
    const { DBInstances } = await account.rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: stack }));
    expect(DBInstances?.[0]).toMatchObject({
      StorageEncrypted: true,
      PubliclyAccessible: false,
      EngineVersion: '15.17',
    });
    const groups = await account.elastiCache.send(new DescribeReplicationGroupsCommand({ ReplicationGroupId: stack }));
    expect(groups.ReplicationGroups?.[0]).toMatchObject({
      AtRestEncryptionEnabled: true,
      TransitEncryptionEnabled: true,
    });
    for (const name of ['migrate', 'rotate', 'scale', 'snapshot']) {
      const config = await account.lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: `${stack}-${name}` }),
      );
      expect(config).toMatchObject({ Runtime: 'nodejs24.x' });
    }
    const { Buckets } = await account.s3.send(new ListBucketsCommand({}));
    expect(Buckets?.length).toBeGreaterThanOrEqual(3);
    for (const { Name } of Buckets ?? []) {
      const found = await account.s3.send(new GetPublicAccessBlockCommand({ Bucket: Name }));
      expect(Object.values(found.PublicAccessBlockConfiguration ?? {})).toEqual([true, true, true, true]);
      const encryption = await account.s3.send(new GetBucketEncryptionCommand({ Bucket: Name }));
      expect(encryption.ServerSideEncryptionConfiguration?.Rules).toHaveLength(1);
    }
    const { SecretList } = await account.secrets.send(new ListSecretsCommand({}));
    const values = await Promise.all(
      (SecretList ?? []).map(async ({ ARN }) => {
        return (await account.secrets.send(new GetSecretValueCommand({ SecretId: ARN }))).SecretString ?? '';
      }),
    );
    expect(new Set(values).size).toBe(values.length);
    for (const value of values) expect(value.length).toBeGreaterThanOrEqual(32);
    const admin = await account.secrets.send(
      new GetSecretValueCommand({ SecretId: await output('AdminKeySecretArn') }),
    );
    expect(admin.SecretString).toMatch(/^qk_[A-Za-z0-9]{48}$/);
  });

  test('runs the image of its own files, as a user who may write nothing, in the scaled service', async () => {
    const arn = await taskDefinition();
    const found = await account.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn }));
    const container = found.taskDefinition?.containerDefinitions?.[0];
    const tag = imageTagOf(project.directory);
    expect(container?.image).toMatch(new RegExp(`/qurable-api:${tag}$`));
    expect(container?.readonlyRootFilesystem).toBe(true);
    expect(container?.user).toBe('1000:1000');
    expect(container?.environment?.map(({ value }) => value).join()).not.toMatch(/password|secret/i);
    expect(await account.capacities()).toEqual([{ service, min: 1, max: 2 }]);
  });

  test(
    'announce is called by an API whose book runs out, and tells those who subscribed to the topic, each what was chosen',
    async () => {
      const topic = await output('BookTopicArn');
      const owner = await listenToTopic(account, topic, 'owner');
      const buyer = await listenToTopic(account, topic, 'buyer', { tenant: ['default'], type: ['book.exhausted'] });
      const client = new ApiClient([api.address]);
      const { id } = (await client.post('/v1/books', { name: 'Otoño', status: 'active' })).body;
      await client.post(`/v1/books/${id}/codes/generate`, { count: 10, pattern: 'FALL-####-####' });
      const dealOne = async () => {
        const key = randomUUID();
        const ask = () => client.post('/v1/coupons/assign', { bookId: id, userId: key }, key);
        let answer = await ask();
        while (answer.status === 503) answer = await ask();
        expect(answer.kind).toBe('ok');
      };
      const deal = (count: number) => atOnce(count, dealOne);
      await deal(9);
      const [low] = await untilRead(owner);
      expect(low).toMatchObject({
        Subject: 'Few codes left: Otono',
        Message: expect.stringContaining('The book “Otoño” of the tenant default has 1 of its 10 codes left.'),
        MessageAttributes: { type: { Value: 'book.low-stock' }, bookId: { Value: id } },
      });
      await deal(1);
      const exhausted = [{ Subject: 'No codes left: Otono' }];
      expect(await untilRead(owner)).toMatchObject(exhausted);
      expect(await untilRead(buyer)).toMatchObject(exhausted);
    },
    deploymentMillis,
  );

  test('migrate, called again by hand, changes nothing and says so', async () => {
    const before = await migrations();
    const { failed, answer } = await account.invoke(`${stack}-migrate`, {});
    expect({ failed, answer }).toEqual({ failed: false, answer: { applied: 0, newest: 'nothing to apply' } });
    expect(await migrations()).toEqual(before);
  });

  test(
    'migrate that runs out of time tells CloudFormation, ends its process, and leaves no connection behind',
    async () => {
      const name = `${stack}-migrate`;
      const { url, answers, close } = await listenForAnswers();
      const holder = new pg.Client(trial.postgres.superuserUrl);
      await holder.connect();
      try {
        await holder.query('begin; lock table kysely_migration in access exclusive mode');
        // The function answers ten seconds before its end: after three.
        await account.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Timeout: 13 }));
        const event = {
          RequestType: 'Update',
          ResponseURL: url,
          LogicalResourceId: 'Migration',
          PhysicalResourceId: 'x',
        };
        const { failed } = await account.invoke(name, event);
        expect(failed).toBe(true);
        expect(answers).toEqual([expect.objectContaining({ Status: 'FAILED', PhysicalResourceId: 'x' })]);
        expect(answers[0]?.Reason).toContain('migrate did not finish in the time');
      } finally {
        await account.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Timeout: 900 }));
        await holder.end();
        await close();
      }
      const connections = "select pid from pg_stat_activity where application_name = 'qurable migrate'";
      while ((await ask(connections)).length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    },
    deploymentMillis,
  );

  test('snapshot, called twice for one run, makes one of the database and one of the cache', async () => {
    const event = { kind: 'deploy', run: 'first000' };
    const first = await account.invoke(`${stack}-snapshot`, event);
    const second = await account.invoke(`${stack}-snapshot`, event);
    expect(first.failed || second.failed).toBe(false);
    expect(second.answer).toEqual(first.answer);
    const name = (first.answer as { database: { name: string } }).database.name;
    expect(name).toMatch(/^qurable-dev-deploy-\d{8}-first000$/);
    expect(await databaseSnapshots()).toEqual([name]);
    expect(await cacheSnapshots()).toEqual([name]);
  });

  test(
    'snapshot deletes its own ones past their retention, but for the last three, and never what it did not make',
    async () => {
      const foreign = 'qurable-dev-daily-20200101-byhand';
      const ofDatabase = { DBInstanceIdentifier: stack, DBSnapshotIdentifier: foreign };
      await account.rds.send(new CreateDBSnapshotCommand(ofDatabase));
      await account.elastiCache.send(new CreateSnapshotCommand({ ReplicationGroupId: stack, SnapshotName: foreign }));
      // The emulator dates snapshots by the machine's clock.
      const now = Date.now();
      for (const [day, run] of ['a', 'b', 'c', 'd', 'e'].entries()) {
        await emulator.setClock(new Date(now + day * 86_400_000));
        const { failed } = await account.invoke(`${stack}-snapshot`, { kind: 'daily', run });
        expect(failed).toBe(false);
      }
      await emulator.setClock(beforeEvent);
      const runsLeft = (names: string[]) =>
        names.filter((name) => name.startsWith('qurable-dev-daily')).map((name) => name.split('-').at(-1));
      expect(runsLeft(await databaseSnapshots()).sort()).toEqual(['b', 'byhand', 'c', 'd', 'e']);
      expect(runsLeft(await cacheSnapshots()).sort()).toEqual(['b', 'byhand', 'c', 'd', 'e']);
    },
    deploymentMillis,
  );

  test('the schedule calls scale, which sets an event and the base in their times, however often', async () => {
    const schedule = await account.call('scheduler', { method: 'GET', path: `/schedules/${stack}-scale` });
    const target = schedule['Target'] as { Arn: string; Input: string };
    const tick = async (moment: string) => {
      await emulator.setClock(new Date(moment));
      expect((await account.invoke(target.Arn, JSON.parse(target.Input) as object)).failed).toBe(false);
      return (await account.capacities())[0];
    };
    const base = { service, min: 1, max: 2 };
    const event = { service, min: 3, max: 4 };
    expect(await tick('2026-11-27T12:44:00Z')).toEqual(base);
    expect(await tick('2026-11-27T12:45:00Z')).toEqual(event);
    // Two hours after its end, for whoever comes late.
    expect(await tick('2026-11-28T05:59:00Z')).toEqual(event);
    // Then tasks may go as they fall idle, and the most that may run follows once no more than the base's are left.
    expect(await tick('2026-11-28T06:00:00Z')).toEqual({ ...event, min: base.min });
    await wantTasks(1);
    expect(await tick('2026-11-28T06:05:00Z')).toEqual(base);
  });

  test('an override by one command holds until its end, and the end of an event takes no busy task away', async () => {
    await emulator.setClock(beforeEvent);
    const override = (...args: string[]) =>
      runScript(project.directory, emulator.url, 'override-capacity.sh', ['dev', ...args]);
    expect(await override('2', '4', '2026-10-10T20:00')).toMatchObject({ status: 0 });
    expect(await account.capacities()).toEqual([{ service, min: 2, max: 4 }]);
    expect((await account.invoke(`${stack}-scale`, {})).failed).toBe(false);
    expect(await account.capacities()).toEqual([{ service, min: 2, max: 4 }]);
    expect(await override('2', '400', '2026-10-10T20:00')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('override.max must be a whole number from 1 to 4'),
    });
    // Four tasks are busy when it ends.
    await wantTasks(4);
    expect(await override('end')).toMatchObject({ status: 0 });
    expect(await account.capacities()).toEqual([{ service, min: 1, max: 4 }]);
    // A range that is registered brings the tasks into it at once: with the base's two of them would be gone.
    expect(await desiredTasks()).toBe(4);
    await wantTasks(1);
    expect((await account.invoke(`${stack}-scale`, {})).failed).toBe(false);
    expect(await account.capacities()).toEqual([{ service, min: 1, max: 2 }]);
  });

  testRestoreDrill(() => trial);

  test(
    'a version that has passed its smoke test is noted, and with no other before it there is nothing to go back to',
    async () => {
      firstDeployment = await live();
      expect(firstDeployment).toBe(await output('Deployment'));
      expect(firstDeployment).toMatch(/^\d{13}$/);
      const passed = await smoke(api.address);
      expect(passed.stdout).not.toMatch(/^(no|skipped) /m);
      expect(passed.stdout).toMatch(/^ok +tasks +(\d+) of \1 tasks healthy, version [0-9a-f]{24}-\w+, commit /m);
      expect(passed).toMatchObject({ status: 0, stdout: expect.stringMatching(/^ok +clean up /m), stderr: '' });
      expect(await before()).toMatchObject(nothingBefore);
      expect((await script('deployments.sh', ['passed', 'dev'])).status).toBe(0);
      expect(await before()).toMatchObject(nothingBefore);
    },
    deploymentMillis,
  );

  test(
    'a deployment in mid-event brings new code and a new migration, and keeps the capacity of the event',
    async () => {
      await emulator.setClock(inEvent);
      expect((await account.invoke(`${stack}-scale`, {})).failed).toBe(false);
      expect(await markOfScale()).toBeUndefined();
      project.edit('handlers/scale/set-capacity.ts', 'held, past }', "held, past, mark: 'second' }");
      project.write('migrations/9001_second.sql', 'create table second_version (id int primary key);');
      await emulator.setQuota('fargate/L-3032A538', 1);
      const run = await deploy('--param=maxTasks=3');
      await emulator.setQuota('fargate/L-3032A538', 6);
      expectOk(run);
      expect(run.output).toContain(
        'may run 1 Fargate vCPUs, and 4 tasks that are being rolled need 2: ask for more, days before an event',
      );
      expect(await account.capacities()).toEqual([{ service, min: 3, max: 4 }]);
      expect(await markOfScale()).toBe('second');
      expect(await migrations()).toEqual(expect.arrayContaining(['9001_second']));
      expect(await tables()).toEqual(expect.arrayContaining(['second_version']));
    },
    deploymentMillis,
  );

  test('where it fails its smoke test the way back leads to the version that has passed', async () => {
    expect((await smoke('http://127.0.0.1:9')).status).toBe(1);
    expect((await before()).stdout.trim()).toBe(firstDeployment);
    // Whatever it was has been mended, and the version is noted too: further down somebody goes back from it.
    expect((await script('deployments.sh', ['passed', 'dev'])).status).toBe(0);
    expect((await before()).stdout.trim()).toBe(firstDeployment);
  });

  test(
    'a deployment refuses what was given the last time and is missing now, before anything is touched',
    async () => {
      const deployment = await output('Deployment');
      const forgotten = await deploy();
      expect([forgotten.ok, await output('Deployment')]).toEqual([false, deployment]);
      expect(forgotten.output).toContain('was given maxTasks=3, and this one is not, which would change it to 2');
    },
    deploymentMillis,
  );

  testPreview(() => trial);

  test(
    'a broken migration fails the deployment with its reason; database, functions and service stay as they were',
    async () => {
      const before = {
        migrations: await migrations(),
        tables: await tables(),
        code: await codeOf(`${stack}-scale`),
        task: await taskDefinition(),
        deployment: await output('Deployment'),
      };
      project.write('migrations/9002_half.sql', 'create table half_done (id int); select 1 / 0;');
      project.edit('handlers/scale/set-capacity.ts', "mark: 'second'", "mark: 'third'");
      const run = await deploy('--param=maxTasks=3');
      project.remove('migrations/9002_half.sql');
      project.edit('handlers/scale/set-capacity.ts', "mark: 'third'", "mark: 'second'");
      expect(run.ok).toBe(false);
      expect(run.output).toContain('migration 9002_half failed: division by zero');
      expect(run.output).not.toMatch(/postgres(ql)?:\/\//);
      expect(await stackStatus()).toBe('UPDATE_ROLLBACK_COMPLETE');
      const after = {
        migrations: await migrations(),
        tables: await tables(),
        code: await codeOf(`${stack}-scale`),
        task: await taskDefinition(),
        deployment: await output('Deployment'),
      };
      expect(after).toEqual(before);
      expect(await markOfScale()).toBe('second');
      expect(await account.capacities()).toEqual([{ service, min: 3, max: 4 }]);
    },
    deploymentMillis,
  );

  test(
    'a rollback in mid-event brings back the first version, on the newer schema and with the capacity of the event',
    async () => {
      const { status, stdout, stderr } = await script('roll-back.sh', ['dev']);
      expect([status === 0 ? '' : stdout + stderr, await live()]).toEqual(['', firstDeployment]);
      expect(await stackStatus()).toBe('UPDATE_COMPLETE');
      expect(await account.capacities()).toEqual([{ service, min: 3, max: 4 }]);
      expect(await markOfScale()).toBeUndefined();
      expect(await tables()).toEqual(expect.arrayContaining(['second_version']));
      const { failed, answer } = await account.invoke(`${stack}-migrate`, {});
      expect({ failed, answer }).toEqual({ failed: false, answer: { applied: 0, newest: 'nothing to apply' } });
      await emulator.setClock(afterEvent);
      await wantTasks(1);
      expect((await account.invoke(`${stack}-scale`, {})).failed).toBe(false);
      expect(await account.capacities()).toEqual([{ service, min: 1, max: 2 }]);
      await emulator.setClock(beforeEvent);
    },
    deploymentMillis,
  );

  test(
    'the way back never leads to a version from which somebody went back, nor to one that never ran',
    async () => {
      // There is nothing before the first one, and the newer ones are not taken for good.
      expect(await script('roll-back.sh', ['dev'])).toMatchObject(nothingBefore);
      expect(await live()).toBe(firstDeployment);
      if (isLong) {
        // What is said again is meant, which parameters.test.ts shows on every run.
        expectOk(await deploy('--param=maxTasks=3'));
        expectOk(await deploy('--param=maxTasks=2'));
        // What is as it would be by itself need not be said again.
        expectOk(await deploy());
        expect((await script('deployments.sh', ['passed', 'dev'])).status).toBe(0);
        // By hand, past one that has passed.
        expect((await script('roll-back.sh', ['dev', firstDeployment])).status).toBe(0);
      }
      expect(await markOfScale()).toBeUndefined();
      expectOk(await deploy());
      expect(await markOfScale()).toBe('second');
      expect((await before()).stdout.trim()).toBe(firstDeployment);
      // One that is named is the one that is gone to, and here it is not there.
      const nowhere = await script('roll-back.sh', ['dev', '1000000000000']);
      expect(nowhere.status).not.toBe(0);
      expect(nowhere.stdout + nowhere.stderr).toContain('1000000000000');
      expect(await markOfScale()).toBe('second');
    },
    deploymentMillis,
  );

  test(
    'what a removal leaves is the code secret, the snapshots, the logs of the load balancer, and the registry',
    async () => {
      expectOk(await sls('remove'));
      const { SecretList } = await account.secrets.send(new ListSecretsCommand({}));
      const { Buckets } = await account.s3.send(new ListBucketsCommand({}));
      const { DBInstances } = await account.rds.send(new DescribeDBInstancesCommand({}));
      const left = {
        secrets: (SecretList ?? []).map(({ Name }) => Name?.replace(/-[A-Z0-9]+$/, '')),
        buckets: (Buckets ?? []).map(({ Name }) => Name?.split('-').at(-2)).sort(),
        databases: DBInstances ?? [],
        databaseSnapshots: (await databaseSnapshots()).filter((name) => name.includes('-snapshot-')).length,
        stacks: await remainingStacks(),
      };
      process.stderr.write(`left after a removal: ${JSON.stringify(left)}\n`);
      expect(left).toMatchObject({ databases: [], databaseSnapshots: 1, stacks: ['qurable-registry'] });
      expect(left.buckets).toEqual(['backupbucket', 'logbucket']);
      expect(left.secrets).toEqual([expect.stringContaining('CodeSecret')]);
    },
    deploymentMillis,
  );
});

/** Waits for the next messages of a topic: the API looks at its books every few seconds. */
async function untilRead(listener: TopicListener): Promise<TopicMessage[]> {
  for (;;) {
    const messages = await listener.read();
    if (messages.length > 0) return messages;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function remainingStacks(): Promise<(string | undefined)[]> {
  const { Stacks } = await account.cloudFormation.send(new DescribeStacksCommand({}));
  return (Stacks ?? []).map(({ StackName }) => StackName);
}

/** The keys of what lies in the deployment bucket. */
async function deploymentFiles(): Promise<string[]> {
  const { Buckets } = await account.s3.send(new ListBucketsCommand({}));
  const bucket = Buckets?.find(({ Name }) => Name?.includes('deploymentbucket'))?.Name;
  const found = await account.s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  return (found.Contents ?? []).map(({ Key }) => Key ?? '');
}
