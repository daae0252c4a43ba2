import { DescribeServicesCommand } from '@aws-sdk/client-ecs';
import { UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { type ApiProcess, startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { canEmulate } from './emulator/start-emulator.ts';
import { openTrial, type Trial } from './support/open-trial.ts';
import { runServerless } from './support/run-serverless.ts';

const longMillis = 2_400_000;
const stack = 'qurable-dev';
/** It deploys again and again: minutes that only the long run has. */
const isLong = process.env.QURABLE_TEST_LONG === '1';
const describeOrSkip = isLong ? requireOrSkip('python3 with moto[server]', canEmulate()) : describe.skip;

/*
 * What the emulator shows of a strategy: that CloudFormation makes and removes what it takes, in an order that works,
 * and that the function which ECS asks answers rightly. No task runs in it, so no request is shifted, no alarm takes
 * anything back, and no role is judged.
 */
describeOrSkip('a deployment strategy, in an emulated account', () => {
  let trial: Trial;
  let emulator: Trial['emulator'];
  let account: Trial['account'];
  let project: Trial['project'];
  let database: TestDatabase;
  let api: ApiProcess;

  beforeAll(async () => {
    trial = await openTrial('filled');
    ({ emulator, account, project } = trial);
    database = await createTestDatabase('deployment_strategies');
    api = await startApiProcess(database.url);
  }, longMillis);

  afterAll(async () => {
    await api?.stop();
    await database?.drop();
    await trial?.close();
  }, longMillis);

  async function deploy(deployment: string): Promise<void> {
    const given = ['deploy', '--stage', 'dev', `--param=deployment=${deployment}`];
    const run = await runServerless(project.directory, given, emulator.url);
    if (!run.ok) throw new Error(run.output);
  }

  async function rules(): Promise<number> {
    const body = new URLSearchParams({ Action: 'DescribeLoadBalancers', Version: '2015-12-01' });
    const ask = async (parameters: URLSearchParams) => {
      const scope =
        'Credential=test/20260101/us-east-1/elasticloadbalancing/aws4_request, SignedHeaders=host, Signature=0';
      const headers = {
        'Content-Type': 'application/x-www-form-urlencoded',
        Authorization: `AWS4-HMAC-SHA256 ${scope}`,
      };
      return (await fetch(emulator.url, { method: 'POST', headers, body: parameters })).text();
    };
    const balancer = /<LoadBalancerArn>([^<]+)/.exec(await ask(body))![1]!;
    const listeners = await ask(
      new URLSearchParams({ Action: 'DescribeListeners', Version: '2015-12-01', LoadBalancerArn: balancer }),
    );
    const listener = /<ListenerArn>([^<]+)/.exec(listeners)![1]!;
    const found = await ask(
      new URLSearchParams({ Action: 'DescribeRules', Version: '2015-12-01', ListenerArn: listener }),
    );
    return [...found.matchAll(/<RuleArn>/g)].length;
  }

  /** The function is pointed at what stands where the load balancer leads, and called as ECS calls it. */
  async function askNewTasks(address: string) {
    await account.lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: `${stack}-ask-new-tasks`,
        Environment: { Variables: { ASK_ADDRESS: address } },
      }),
    );
    return account.invoke(`${stack}-ask-new-tasks`, {
      executionId: '1',
      lifecycleStage: 'POST_TEST_TRAFFIC_SHIFT',
      resourceArn: 'arn:aws:ecs:us-east-1:123456789012:service-deployment/qurable-dev/qurable-api/1',
    });
  }

  async function inDatabase(statement: string): Promise<void> {
    const client = new pg.Client(database.url);
    await client.connect();
    await client.query(statement);
    await client.end();
  }

  test(
    'is changed to and from on a running stage, each time with the rules and groups that it takes and no others',
    async () => {
      for (const [deployment, made] of [
        ['rolling', 0],
        ['canary', 2],
        ['blue-green', 2],
        ['rolling', 0],
      ] as const) {
        await deploy(deployment);
        // Each listener has a default rule of its own.
        expect([deployment, await rules()]).toEqual([deployment, 1 + made]);
        const { services } = await account.ecs.send(
          new DescribeServicesCommand({ cluster: stack, services: ['qurable-api'] }),
        );
        expect(services?.[0]).toMatchObject({ status: 'ACTIVE', desiredCount: 1 });
      }
    },
    longMillis,
  );

  test(
    'lets a version go on whose tasks answer rightly, and takes one back whose do not, or that can’t be reached',
    async () => {
      expect(await askNewTasks(api.address)).toEqual({ failed: false, answer: { hookStatus: 'SUCCEEDED' } });
      // Alive, but without its schema it is not ready.
      await inDatabase('alter table kysely_migration rename to gone');
      expect(await askNewTasks(api.address)).toEqual({ failed: false, answer: { hookStatus: 'FAILED' } });
      await inDatabase('alter table gone rename to kysely_migration');
      expect(await askNewTasks('http://127.0.0.1:1')).toEqual({ failed: false, answer: { hookStatus: 'FAILED' } });
    },
    longMillis,
  );
});
