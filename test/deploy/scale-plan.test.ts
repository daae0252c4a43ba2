import { DescribeReplicationGroupsCommand } from '@aws-sdk/client-elasticache';
import { DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isOnPath } from '../support/is-on-path.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { canEmulate } from './emulator/start-emulator.ts';
import { openTrial, type Trial } from './support/open-trial.ts';
import { runCommand } from './support/run-script.ts';
import { runServerless } from './support/run-serverless.ts';

const longMillis = 2_400_000;
const hasCli = isOnPath('aws');
/** It deploys again and again: minutes that only the long run has. */
const isLong = process.env.QURABLE_TEST_LONG === '1';
const describeOrSkip = isLong
  ? requireOrSkip('python3 with moto[server], and the aws CLI', canEmulate() && hasCli)
  : describe.skip;

describeOrSkip('a plan for an event, in an emulated account', () => {
  let trial: Trial;
  let emulator: Trial['emulator'];
  let account: Trial['account'];
  let project: Trial['project'];

  beforeAll(async () => {
    trial = await openTrial('filled');
    ({ emulator, account, project } = trial);
    const run = await runServerless(project.directory, ['deploy', '--stage', 'dev'], emulator.url);
    if (!run.ok) throw new Error(run.output);
  }, longMillis);

  afterAll(async () => {
    await trial?.close();
  }, longMillis);

  const scalePlan = (...args: string[]) =>
    runCommand(project.directory, emulator.url, 'npm', [
      ...['run', '--silent', 'scale-plan', '--', '--stage', 'dev'],
      ...args,
    ]);
  const plan = (...args: string[]) =>
    scalePlan('--event', 'black-friday', '--requests-per-day', '10000000', ...larger, ...args);
  const larger = ['--cache-class', 'cache.t4g.small', '--cache-nodes', '2'];

  /** What the account has: class of the database, and the cache's class and nodes. */
  async function sizes() {
    const { DBInstances } = await account.rds.send(new DescribeDBInstancesCommand({}));
    const { ReplicationGroups } = await account.elastiCache.send(new DescribeReplicationGroupsCommand({}));
    const [group] = ReplicationGroups ?? [];
    return [DBInstances?.[0]?.DBInstanceClass, group?.CacheNodeType, group?.MemberClusters?.length, group?.MultiAZ];
  }
  const small = ['db.t4g.micro', 'cache.t4g.micro', 1, 'disabled'];
  const large = ['db.r6g.large', 'cache.t4g.small', 2, 'enabled'];

  test(
    'tells what changes and changes nothing, carries it out once when told to, and takes it back',
    async () => {
      const told = await plan('--live');
      expect(told).toMatchObject({ status: 0, stderr: '' });
      for (const line of [
        /^tasks +1 to 4 → \d+ to \d+: the busiest second needs \d+; no interruption$/m,
        /^database +db\.t4g\.micro → db\.r6g\.large: .* It takes a restart .*databaseSharedBuffersMb 192 → 4096/m,
        /^cache +cache\.t4g\.micro × 1 → cache\.t4g\.small × 2: in place/m,
        /^quota +\d+ tasks .* the account may run 6/m,
        /^cost +\$[\d.,]+ → \$[\d.,]+ a month under this load: \$[\d.,]+ more for each day/m,
        /^when +carry it out in a quiet hour before \d{4}-11-\d\dT11:00Z/m,
      ]) {
        expect(told.stdout).toMatch(line);
      }
      expect(await sizes()).toEqual(small);
      expect((await scalePlan('--back')).stdout).toContain('nothing was carried out');

      expect(await plan('--carry-out')).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('carried out for black-friday; npm run scale-plan -- --stage dev --back'),
      });
      expect(await sizes()).toEqual(large);
      // A second time there is nothing left to change, and nothing is deployed.
      expect((await plan('--carry-out')).stdout).toMatch(/^carried out already for black-friday/m);

      const back = await scalePlan('--back');
      expect(back.stdout).toMatch(/^as before black-friday: .*databaseClass db\.t4g\.micro.*cacheNodes 1/m);
      expect(await sizes()).toEqual(small);
      expect((await scalePlan('--back')).stdout).toContain('nothing was carried out');
    },
    longMillis,
  );

  test(
    'says in one line what it can’t use',
    async () => {
      for (const [args, sentence] of [
        [['--event', 'black-friday'], '--requests-per-day is missing'],
        [['--event', 'hot-sale', '--requests-per-day', '1000'], '--event hot-sale: none of that name is to come'],
        [
          ['--event', 'black-friday', '--requests-per-day', 'many'],
          '--requests-per-day many: it must be a whole number',
        ],
        [['--event', 'black-friday', '--requests-per-day', '900000000'], 'the largest class with a known price has 4'],
      ] as const) {
        const { status, stdout, stderr } = await scalePlan(...args);
        expect([status, stdout, stderr.trim().split('\n')]).toEqual([2, '', [expect.stringContaining(sentence)]]);
      }
    },
    longMillis,
  );
});
