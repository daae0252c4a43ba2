import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeReplicationGroupsCommand } from '@aws-sdk/client-elasticache';
import { DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { describe, expect, test } from '@jest/globals';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { canEmulate, startEmulator } from './emulator/start-emulator.ts';
import { openAccount } from './support/account.ts';
import { copyProject } from './support/copy-project.ts';
import { createRepository, pushImage } from './support/push-image.ts';
import { runServerless } from './support/run-serverless.ts';
import { startTlsPostgres } from './support/start-tls-postgres.ts';

/** Prod is dev with other numbers, and deploying it as well takes a minute that only the long run has. */
const isLong = process.env.QURABLE_TEST_LONG === '1';
const testMillis = 480_000;
const stack = 'qurable-prod';

const describeOrSkip = isLong ? requireOrSkip('python3 with moto[server]', canEmulate()) : describe.skip;

describeOrSkip('prod, with a domain, in an emulated account', () => {
  test(
    'comes up with its standby, its replica and its capacity, and can not be removed by one command',
    async () => {
      const postgres = await startTlsPostgres();
      const emulator = await startEmulator({
        postgresUrl: postgres.superuserUrl,
        certificateFile: postgres.certificateFile,
      });
      const project = copyProject();
      try {
        const account = openAccount(emulator.url);
        await createRepository(account);
        await pushImage(account, project.directory);
        const zone = await createZone(emulator.url, 'example.com');
        const domain = ['--param=domainName=coupons.example.com', `--param=hostedZoneId=${zone}`];
        const args = ['--stage', 'prod', ...domain, '--param=alertEmail=ops@example.com'];
        const deployed = await runServerless(project.directory, ['deploy', ...args], emulator.url);
        expect(deployed.output).toContain('deployed');
        const instances = await account.rds.send(new DescribeDBInstancesCommand({}));
        expect(instances.DBInstances).toEqual([
          expect.objectContaining({ DBInstanceIdentifier: stack, MultiAZ: true, DeletionProtection: true }),
          expect.objectContaining({ ReadReplicaSourceDBInstanceIdentifier: stack }),
        ]);
        const caches = await account.elastiCache.send(new DescribeReplicationGroupsCommand({}));
        expect(caches.ReplicationGroups?.[0]).toMatchObject({ AutomaticFailover: 'enabled', MultiAZ: 'enabled' });
        const service = `service/${stack}/qurable-api`;
        expect(await account.capacities()).toEqual([{ service, min: 2, max: 10 }]);
        const removed = await runServerless(project.directory, ['remove', ...args], emulator.url);
        expect(removed.ok).toBe(false);
        expect(removed.output).toContain('Cannot delete protected DB Instance');
        const { Stacks } = await account.cloudFormation.send(new DescribeStacksCommand({ StackName: stack }));
        expect(Stacks?.[0]?.StackStatus).toBe('DELETE_FAILED');
      } finally {
        project.dispose();
        await emulator.stop();
        await postgres.stop();
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
