import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ListChangeSetsCommand,
} from '@aws-sdk/client-cloudformation';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isOnPath } from '../support/is-on-path.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { canEmulate } from './emulator/start-emulator.ts';
import { openTrial, type Trial } from './support/open-trial.ts';
import { runScript, type ScriptRun } from './support/run-script.ts';
import { keepBundles, runServerless } from './support/run-serverless.ts';

const longMillis = 2_400_000;
const stack = 'qurable-dev';
const hasCli = isOnPath('aws');
const describeOrSkip = requireOrSkip('python3 with moto[server], and the aws CLI', canEmulate() && hasCli);

describeOrSkip('a preview of a deployment', () => {
  let trial: Trial;
  let emulator: Trial['emulator'];
  let account: Trial['account'];
  let project: Trial['project'];

  beforeAll(async () => {
    trial = await openTrial('filled');
    ({ emulator, account, project } = trial);
  }, longMillis);

  afterAll(async () => {
    await trial?.close();
  }, longMillis);

  const preview = (stage: string): Promise<ScriptRun> =>
    runScript(project.directory, emulator.url, 'preview.sh', [stage], { NODE_OPTIONS: keepBundles });

  /** Replaces a text of the copy that must be there. */
  function edit(path: string, from: string, to: string): void {
    const text = readFileSync(join(project.directory, path), 'utf8');
    if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
    project.write(path, text.replaceAll(from, to));
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

  test('of a stage that is not there says that all of it would be new', async () => {
    expect(await preview('dev')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Nothing of it is deployed'),
    });
  });

  test(
    'tells what would be added, changed, replaced and removed, what is lost first; and changes nothing, nor leaves anything',
    async () => {
      const deployed = await runServerless(
        project.directory,
        ['deploy', '--stage', 'dev', '--param=maxTasks=3'],
        emulator.url,
      );
      expect(deployed.ok ? '' : deployed.output).toBe('');
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
    },
    longMillis,
  );
});
