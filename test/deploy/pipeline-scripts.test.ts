import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ListChangeSetsCommand,
} from '@aws-sdk/client-cloudformation';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isOnPath } from '../support/is-on-path.ts';
import { isLong } from '../support/long-run.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { type ApiProcess, startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { canEmulate } from './emulator/start-emulator.ts';
import { openTrial, type Trial } from './support/open-trial.ts';
import { pushImage } from './support/push-image.ts';
import { runCommand, runScript, type ScriptRun } from './support/run-script.ts';
import { keepBundles, runServerless, type ServerlessRun } from './support/run-serverless.ts';

const longMillis = 2_400_000;
const stack = 'qurable-dev';
const hasCli = isOnPath('aws');
const describeOrSkip = requireOrSkip('python3 with moto[server], and the aws CLI', canEmulate() && hasCli);

describeOrSkip('a stage in an emulated account, by the pipeline’s own scripts', () => {
  let trial: Trial;
  let emulator: Trial['emulator'];
  let account: Trial['account'];
  let project: Trial['project'];
  let database: TestDatabase;
  let api: ApiProcess;
  /** The timestamp of version A. */
  let firstPassed = '';

  beforeAll(async () => {
    trial = await openTrial('empty');
    ({ emulator, account, project } = trial);
    // No task runs in the emulator: this stands where the load balancer leads.
    database = await createTestDatabase('going_back');
    api = await startApiProcess(database.url);
  }, longMillis);

  afterAll(async () => {
    await api?.stop();
    await database?.drop();
    await trial?.close();
  }, longMillis);

  const script = (name: string, args: string[], environment: Record<string, string> = {}): Promise<ScriptRun> =>
    runScript(project.directory, emulator.url, name, args, {
      NODE_OPTIONS: keepBundles,
      SMOKE_TEST_ADDRESS: api.address,
      QURABLE_ADMIN_KEY: testSecrets.QURABLE_ADMIN_KEY,
      ...environment,
    });

  /** `npm run smoke` with this stage, and an API that stands where the load balancer leads. */
  const smoke = (address: string) =>
    runCommand(
      project.directory,
      emulator.url,
      'npm',
      ['run', '--silent', 'smoke', '--', '--stage', 'dev', '--url', address, '--patience', '0'],
      { QURABLE_ADMIN_KEY: testSecrets.QURABLE_ADMIN_KEY! },
    );

  /** Deploys a version that can be told by the mark that `scale` answers with. */
  async function deploy(mark: string, ...more: string[]): Promise<ServerlessRun> {
    const path = 'handlers/scale/set-capacity.ts';
    const text = readFileSync(join(project.directory, path), 'utf8');
    project.write(
      path,
      text.replace(/overrideUntil, held(, mark: '\w+')?, past/, `overrideUntil, held, mark: '${mark}', past`),
    );
    await pushImage(account, project.directory);
    return runServerless(project.directory, ['deploy', '--stage', 'dev', ...more], emulator.url);
  }

  async function deployed(mark: string, ...more: string[]): Promise<void> {
    const { ok, output } = await deploy(mark, ...more);
    if (!ok) throw new Error(output);
  }

  async function liveMark(): Promise<unknown> {
    const { failed, answer } = await account.invoke(`${stack}-scale`, {});
    expect(failed).toBe(false);
    return (answer as { mark?: string }).mark;
  }

  const preview = (stage: string): Promise<ScriptRun> =>
    runScript(project.directory, emulator.url, 'preview.sh', [stage], { NODE_OPTIONS: keepBundles });

  const liveByScript = async () => (await script('deployments.sh', ['live', 'dev'])).stdout.trim();
  const before = () => script('deployments.sh', ['before', 'dev']);

  /** Replaces a text of the copy that must be there. */
  function edit(path: string, from: string, to: string): void {
    const text = readFileSync(join(project.directory, path), 'utf8');
    if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
    project.write(path, text.replaceAll(from, to));
  }

  const describeStack = async () =>
    (await account.cloudFormation.send(new DescribeStacksCommand({ StackName: stack }))).Stacks?.[0];

  /** The timestamp of what runs. */
  async function live(): Promise<string> {
    const { Outputs = [] } = (await describeStack())!;
    return Outputs.find(({ OutputKey }) => OutputKey === 'Deployment')?.OutputValue ?? '';
  }

  /** The stack's status once nothing is under way: a deployment that fails ends before it has gone back. */
  async function stackStatus(): Promise<string> {
    for (;;) {
      const status = (await describeStack())?.StackStatus ?? 'none';
      if (!status.endsWith('IN_PROGRESS')) return status;
      await sleep(200);
    }
  }

  /** What a preview might leave behind or change. */
  async function traces() {
    const { cloudFormation, s3 } = account;
    const { StackEvents } = await cloudFormation.send(new DescribeStackEventsCommand({ StackName: stack }));
    const { Summaries } = await cloudFormation.send(new ListChangeSetsCommand({ StackName: stack }));
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stack }));
    const outputs = Stacks?.[0]?.Outputs ?? [];
    const Bucket = outputs.find(({ OutputKey }) => OutputKey === 'ServerlessDeploymentBucketName')?.OutputValue;
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket }));
    const objects = (Contents ?? []).map(({ Key }) => Key).sort();
    return { events: StackEvents?.length, changeSets: Summaries ?? [], objects };
  }

  /** The rows of the table, by the resource's name. */
  const rowsOf = (markdown: string): Record<string, { verb: string; because: string }> =>
    Object.fromEntries(
      markdown
        .split('\n')
        .filter((line) => line.startsWith('| ') && !line.startsWith('| |'))
        .map((line) => line.split('|').map((cell) => cell.trim()))
        .map(([, verb = '', name = '', , because = '']) => [name, { verb, because }]),
    );

  test('a preview of a stage that is not there says that all of it would be new', async () => {
    expect(await preview('dev')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Nothing of it is deployed'),
    });
  });

  test(
    'the way back leads to the last version that has passed its smoke test, and nowhere where there is none',
    async () => {
      expect(await liveByScript()).toBe('');
      await deployed('A');
      const a = await live();
      firstPassed = a;
      expect(a).toMatch(/^\d{13}$/);
      expect(await liveByScript()).toBe(a);
      // With a single version there is nothing to go back to, whether it has passed or not.
      expect(await before()).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('there is nothing to go back to'),
      });
      const passed = await smoke(api.address);
      expect(passed.stdout).not.toMatch(/^(no|skipped) /m);
      expect(passed.stdout).toMatch(/^ok +tasks +(\d+) of \1 tasks healthy, version [0-9a-f]{24}-\w+, commit /m);
      expect(passed).toMatchObject({ status: 0, stdout: expect.stringMatching(/^ok +clean up /m), stderr: '' });
      expect((await script('deployments.sh', ['passed', 'dev'])).status).toBe(0);
      expect(await before()).toMatchObject({ status: 1 });

      // A deployment that fails goes back by itself, as deploy.test.ts shows on every run; what it left in the bucket
      // is no version.
      if (isLong) {
        project.write('migrations/9001_half.sql', 'create table half_done (id int); select 1 / 0;');
        expect((await deploy('B')).ok).toBe(false);
        project.remove('migrations/9001_half.sql');
        expect([await stackStatus(), await live(), await liveMark()]).toEqual(['UPDATE_ROLLBACK_COMPLETE', a, 'A']);
      }

      // One that is deployed and then fails its smoke test goes back to the one that passed, not to the one that
      // failed.
      await deployed('C');
      expect(await liveMark()).toBe('C');
      expect((await smoke('http://127.0.0.1:9')).status).toBe(1);
      expect((await before()).stdout.trim()).toBe(a);
      const back = await script('roll-back.sh', ['dev']);
      expect([back.status, await live(), await liveMark()]).toEqual([0, a, 'A']);

      // Back once more: there is nothing before A, and C is not taken for good because it is newer.
      expect(await script('roll-back.sh', ['dev'])).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('there is nothing to go back to'),
      });
      expect(await liveMark()).toBe('A');
    },
    longMillis,
  );

  test(
    'a deployment refuses what was given the last time and is missing now, before anything is touched',
    async () => {
      await deployed('D', '--param=maxTasks=3');
      const first = await live();
      const forgotten = await runServerless(project.directory, ['deploy', '--stage', 'dev'], emulator.url);
      expect([forgotten.ok, await live()]).toEqual([false, first]);
      expect(forgotten.output).toContain('was given maxTasks=3, and this one is not, which would change it to 2');
      expect((await script('deployments.sh', ['passed', 'dev'])).status).toBe(0);
    },
    longMillis,
  );

  test(
    'a preview tells what would be added, changed, replaced and removed, what is lost first; and changes nothing, nor leaves anything',
    async () => {
      const files = ['resources/database.yml', 'resources/storage.yml'].map(
        (path) => [path, readFileSync(join(project.directory, path), 'utf8')] as const,
      );
      const before = await traces();
      const same = await preview('dev');
      expect(same.status === 0 ? '' : same.stderr).toBe('');
      expect(same.stderr).not.toContain('::warning');
      // Its parameters are those of the deployment that runs; each deployment brings its functions anew.
      const rows = rowsOf(same.stdout);
      expect(Object.keys(rows).sort()).toEqual(
        expect.arrayContaining(['MigrateLambdaFunction', 'ScaleLambdaFunction']),
      );
      expect(Object.values(rows).every(({ verb, because }) => verb === 'changed' && because === 'Code')).toBe(true);
      expect(await traces()).toEqual(before);

      edit('resources/database.yml', 'DBName: qurable', 'DBName: another');
      edit('resources/database.yml', 'PreferredBackupWindow: 03:00-04:00', 'PreferredBackupWindow: 03:00-03:45');
      edit('resources/storage.yml', 'BackupBucket', 'OtherBucket');
      const told = await preview('dev');
      expect(told.stderr).toContain('::warning title=dev: Database would be replaced::AWS::RDS::DBInstance holds data');
      expect(rowsOf(told.stdout)).toMatchObject({
        Database: { verb: 'replaced', because: 'DBName, PreferredBackupWindow' },
        BackupBucket: { verb: 'removed' },
        OtherBucket: { verb: 'added' },
      });
      const [first, second] = told.stdout.split('\n').filter((line) => line.startsWith('> **'));
      expect(first).toBe(
        '> **Database would be REPLACED**, which holds data. A snapshot of the one that is there stays.',
      );
      expect(second).toContain('BackupBucket would be REMOVED');
      expect(told.stdout).toContain('1 replaced, 2 removed, 4 perhaps replaced, ');
      expect(told.stdout).toContain('with the parameters of the deployment that runs');
      expect(await traces()).toEqual(before);
      for (const [path, text] of files) project.write(path, text);
    },
    longMillis,
  );

  test(
    'the way back never leads to a version from which somebody went back',
    async () => {
      if (isLong) {
        // What is said again is meant, which parameters.test.ts shows on every run.
        await deployed('E', '--param=maxTasks=2');
        // What is as it would be by itself need not be said again.
        await deployed('F');
        expect((await script('deployments.sh', ['passed', 'dev'])).status).toBe(0);
      }
      // By hand, past D, which had passed, as has F in the long run.
      expect((await script('roll-back.sh', ['dev', firstPassed])).status).toBe(0);
      expect(await liveMark()).toBe('A');
      await deployed('G');
      expect((await before()).stdout.trim()).toBe(firstPassed);
    },
    longMillis,
  );
});
