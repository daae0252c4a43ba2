import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ListChangeSetsCommand,
} from '@aws-sdk/client-cloudformation';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import type { Trial } from '../support/open-trial.ts';
import { runScript, type ScriptRun } from '../support/run-script.ts';
import { keepBundles } from '../support/run-serverless.ts';

const longMillis = 2_400_000;
const stack = 'qurable-dev';

const preview = ({ project, emulator }: Trial): Promise<ScriptRun> =>
  runScript(project.directory, emulator.url, 'preview.sh', ['dev'], { NODE_OPTIONS: keepBundles });

/** What a preview might leave behind or change. */
async function traces(account: Trial['account']) {
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

/** Tests the preview of an account in which nothing is deployed. */
export function testPreviewOfNothing(openedTrial: () => Trial): void {
  test('a preview of a stage that is not there says that all of it would be new', async () => {
    expect(await preview(openedTrial())).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Nothing of it is deployed'),
    });
  });
}

/** Tests the preview of a stage that runs what the copy of the project has. */
export function testPreview(openedTrial: () => Trial): void {
  test(
    'a preview tells what would be added, changed, replaced and removed, what is lost first; and changes nothing, nor leaves anything',
    async () => {
      const trial = openedTrial();
      const { project, account } = trial;
      const files = ['resources/database.yml', 'resources/storage.yml'].map(
        (path) => [path, readFileSync(join(project.directory, path), 'utf8')] as const,
      );
      const before = await traces(account);
      const same = await preview(trial);
      expect(same.status === 0 ? '' : same.stderr).toBe('');
      expect(same.stderr).not.toContain('::warning');
      // Its parameters are those of the deployment that runs; each deployment brings its functions anew.
      const rows = rowsOf(same.stdout);
      expect(Object.keys(rows).sort()).toEqual(
        expect.arrayContaining(['MigrateLambdaFunction', 'ScaleLambdaFunction']),
      );
      expect(Object.values(rows).every(({ verb, because }) => verb === 'changed' && because === 'Code')).toBe(true);
      expect(await traces(account)).toEqual(before);

      project.edit('resources/database.yml', 'DBName: qurable', 'DBName: another');
      project.edit(
        'resources/database.yml',
        'PreferredBackupWindow: 03:00-04:00',
        'PreferredBackupWindow: 03:00-03:45',
      );
      project.edit('resources/storage.yml', 'BackupBucket', 'OtherBucket');
      const told = await preview(trial);
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
      expect(await traces(account)).toEqual(before);
      for (const [path, text] of files) project.write(path, text);
    },
    longMillis,
  );
}
