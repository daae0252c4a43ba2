import { ApplicationAutoScalingClient, DescribeScalableTargetsCommand } from '@aws-sdk/client-application-auto-scaling';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElastiCacheClient } from '@aws-sdk/client-elasticache';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { RDSClient } from '@aws-sdk/client-rds';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** What a test asks of an account through the AWS SDK. */
export type Account = ReturnType<typeof openAccount>;

/** What a function answered, or how it failed. */
export type Invocation = { failed: boolean; answer: unknown };

const region = 'us-east-1';

/** It tells the emulator whose request it is; nobody checks the signature. */
const authorizationFor = (service: string) =>
  `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;

/** Opens clients of an emulated account. */
export function openAccount(endpoint: string) {
  const config = { endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const lambda = new LambdaClient(config);
  const autoScaling = new ApplicationAutoScalingClient(config);
  return {
    cloudFormation: new CloudFormationClient(config),
    ecs: new ECSClient(config),
    elastiCache: new ElastiCacheClient(config),
    lambda,
    rds: new RDSClient(config),
    s3: new S3Client({ ...config, forcePathStyle: true }),
    secrets: new SecretsManagerClient(config),
    invoke: async (name: string, event: object): Promise<Invocation> => {
      const answer = await lambda.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) }));
      const payload: unknown = JSON.parse(answer.Payload?.transformToString() || 'null');
      return { failed: answer.FunctionError !== undefined, answer: payload };
    },
    /** Between how many tasks each service may run. */
    capacities: async (): Promise<{ service: string; min: number; max: number }[]> => {
      const answer = await autoScaling.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs' }));
      return (answer.ScalableTargets ?? []).map((target) => ({
        service: target.ResourceId ?? '',
        min: target.MinCapacity ?? -1,
        max: target.MaxCapacity ?? -1,
      }));
    },
    /** A call of a service whose client the project does not depend on. */
    call: async (service: string, request: { method?: string; path?: string; target?: string; body?: object }) => {
      const answer = await fetch(endpoint + (request.path ?? '/'), {
        method: request.method ?? 'POST',
        headers: {
          'Content-Type': 'application/x-amz-json-1.1',
          Authorization: authorizationFor(service),
          ...(request.target === undefined ? {} : { 'X-Amz-Target': request.target }),
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      if (!answer.ok) throw new Error(`${service} answered ${answer.status}: ${await answer.text()}`);
      // Some answers are empty.
      return JSON.parse((await answer.text()) || '{}') as Record<string, unknown>;
    },
    /** The same of a service that takes forms and answers in XML, such as SNS. */
    callByForm: async (service: string, form: Record<string, string>): Promise<string> => {
      const answer = await fetch(endpoint, {
        method: 'POST',
        headers: { Authorization: authorizationFor(service) },
        body: new URLSearchParams(form),
      });
      if (!answer.ok) throw new Error(`${service} answered ${answer.status}: ${await answer.text()}`);
      return answer.text();
    },
  };
}
