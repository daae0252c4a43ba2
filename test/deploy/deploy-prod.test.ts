import {
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeReplicationGroupsCommand } from '@aws-sdk/client-elasticache';
import { DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { describe, expect, test } from '@jest/globals';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { canEmulate } from './emulator/start-emulator.ts';
import { openTrial } from './support/open-trial.ts';
import { runServerless } from './support/run-serverless.ts';

/** Prod is dev with other numbers, and deploying it as well takes a minute that only the long run has. */
const isLong = process.env.QURABLE_TEST_LONG === '1';
const testMillis = 2_400_000;
const stack = 'qurable-prod';

const describeOrSkip = isLong ? requireOrSkip('python3 with moto[server]', canEmulate()) : describe.skip;

describeOrSkip('prod, with a domain, in an emulated account', () => {
  test(
    'comes up with standby, replica and capacity, is not removed by one command, and changes its version and its certificate',
    async () => {
      const { emulator, account, project, close } = await openTrial('filled');
      try {
        const zone = await createZone(emulator.url, 'example.com');
        const domain = ['--param=domainName=coupons.example.com', `--param=hostedZoneId=${zone}`];
        const given = ['--param=alertEmail=ops@example.com', ...domain];
        const sls = (command: string, ...more: string[]) =>
          runServerless(project.directory, [command, '--stage', 'prod', ...given, ...more], emulator.url);
        expect((await sls('deploy')).output).toContain('deployed');
        const instances = await account.rds.send(new DescribeDBInstancesCommand({}));
        expect(instances.DBInstances).toEqual([
          expect.objectContaining({ DBInstanceIdentifier: stack, MultiAZ: true, DeletionProtection: true }),
          expect.objectContaining({ ReadReplicaSourceDBInstanceIdentifier: stack }),
        ]);
        const caches = await account.elastiCache.send(new DescribeReplicationGroupsCommand({}));
        expect(caches.ReplicationGroups?.[0]).toMatchObject({ AutomaticFailover: 'enabled', MultiAZ: 'enabled' });
        const service = `service/${stack}/qurable-api`;
        expect(await account.capacities()).toEqual([{ service, min: 2, max: 10 }]);
        const { cloudFormation } = account;
        const eventsOfStack = async () =>
          (await cloudFormation.send(new DescribeStackEventsCommand({ StackName: stack }))).StackEvents?.length;
        const eventsBefore = await eventsOfStack();
        const removed = await sls('remove');
        expect([removed.ok, await eventsOfStack()]).toEqual([false, eventsBefore]);
        expect(removed.output).toMatch(/protect/i);
        const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stack }));
        expect(Stacks?.[0]).toMatchObject({ StackStatus: 'UPDATE_COMPLETE', EnableTerminationProtection: true });

        // A newer version: the copy goes first, and the other way round is refused with the two steps before it begins.
        const versions = async () =>
          (await account.rds.send(new DescribeDBInstancesCommand({}))).DBInstances?.map((found) => found.EngineVersion);
        const early = await sls('deploy', '--param=databaseVersion=15.18');
        expect([early.ok, await versions()]).toEqual([false, ['15.17', '15.17']]);
        expect(early.output).toContain('Deploy with databaseVersion 15.17 and databaseReplicaVersion 15.18, then');
        expect((await sls('deploy', '--param=databaseReplicaVersion=15.18')).ok).toBe(true);
        expect(await versions()).toEqual(['15.17', '15.18']);
        const second = await sls('deploy', '--param=databaseVersion=15.18', '--param=databaseReplicaVersion=none');
        expect([second.ok ? '' : second.output, await versions()]).toEqual(['', ['15.18', '15.18']]);

        // From the certificate to plain HTTP and back. Port 80 is the same listener all along.
        const listeners = async () => {
          const found = await cloudFormation.send(new DescribeStackResourcesCommand({ StackName: stack }));
          const ofType = (found.StackResources ?? []).filter(({ ResourceType }) =>
            ResourceType?.endsWith('::Listener'),
          );
          return Object.fromEntries(ofType.map((item) => [item.LogicalResourceId, item.PhysicalResourceId]));
        };
        const https = await listeners();
        expect(Object.keys(https).sort()).toEqual(['HttpListener', 'HttpsListener']);
        const newest = ['--param=databaseVersion=15.18', '--param=databaseReplicaVersion=none'];
        const plain = await sls(
          'deploy',
          ...newest,
          '--param=domainName=none',
          '--param=hostedZoneId=none',
          '--param=allowPlainHttp=true',
        );
        expect([plain.ok ? '' : plain.output, await listeners()]).toEqual(['', { HttpListener: https.HttpListener }]);
        expect((await sls('deploy', ...newest, '--param=allowPlainHttp=false')).ok).toBe(true);
        expect(await listeners()).toMatchObject({
          HttpListener: https.HttpListener,
          HttpsListener: expect.any(String),
        });
      } finally {
        await close();
      }
    },
    testMillis,
  );
});

/** The operator's own zone, in which the deployment makes its record. Returns its id. */
async function createZone(endpoint: string, name: string): Promise<string> {
  const scope = 'Credential=test/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0';
  const answer = await fetch(`${endpoint}/2013-04-01/hostedzone`, {
    method: 'POST',
    headers: { Authorization: `AWS4-HMAC-SHA256 ${scope}` },
    body: `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>${name}</Name><CallerReference>1</CallerReference></CreateHostedZoneRequest>`,
  });
  const id = /\/hostedzone\/([A-Z0-9]+)</.exec(await answer.text())?.[1];
  if (id === undefined) throw new Error(`no zone: ${answer.status}`);
  return id;
}
