import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { CreateSecretCommand, DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Context } from 'aws-lambda';
import pg from 'pg';
import { testPostgresUrl } from '../support/start-postgres.ts';

// LocalStack's free version has Secrets Manager, and neither RDS, ElastiCache, ECS nor Application Auto Scaling: of the
// functions it is `migrate` that can be run against it, in this process, where it reaches the tests' PostgreSQL.

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const name = `localstack_${process.pid}`;
const root = fileURLToPath(new URL('../../', import.meta.url));
const tables = "select table_name from information_schema.tables where table_schema = 'public' order by 1";
const context = {
  awsRequestId: 'localstack',
  functionName: 'migrate',
  memoryLimitInMB: '512',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:migrate',
  logStreamName: 'localstack',
  getRemainingTimeInMillis: () => 60_000,
} as Context;

let secrets: SecretsManagerClient;
let secretArn: string | undefined;
let answers: Server;
const answered: { Status: string; Reason: string }[] = [];
type Handler = (event: unknown, context: Context) => Promise<unknown>;
let migrate: Handler;

async function onServer(statement: string, database?: string): Promise<unknown[]> {
  const url = new URL(testPostgresUrl());
  if (database !== undefined) url.pathname = `/${database}`;
  const client = new pg.Client(url.href);
  await client.connect();
  try {
    return (await client.query({ text: statement, rowMode: 'array' })).rows.map((row: unknown[]) => row[0]);
  } finally {
    await client.end();
  }
}

/** An event as CloudFormation sends it, with an address in this process. */
function customResource(type: 'Create' | 'Update' | 'Delete') {
  const { port } = answers.address() as AddressInfo;
  return {
    RequestType: type,
    ResponseURL: `http://127.0.0.1:${port}/answer`,
    StackId: 'stack',
    RequestId: type,
    LogicalResourceId: 'Migration',
    ...(type === 'Create' ? {} : { PhysicalResourceId: 'Migration-once' }),
  };
}

describe('migrate, with its secret in LocalStack', () => {
  beforeAll(async () => {
    secrets = new SecretsManagerClient({ region: 'us-east-1', credentials });
    await onServer(`create database ${name}`);
    const url = new URL(testPostgresUrl());
    const secret = {
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      host: url.hostname,
      port: Number(url.port),
      dbname: name,
    };
    const made = await secrets.send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(secret) }));
    secretArn = made.ARN;
    answers = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        answered.push(JSON.parse(Buffer.concat(chunks).toString()) as { Status: string; Reason: string });
        response.end();
      });
    });
    await new Promise<void>((resolve) => answers.listen(0, '127.0.0.1', resolve));
    Object.assign(process.env, {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      DB_SECRET_ARN: secretArn,
      LAMBDA_TASK_ROOT: root,
    });
    migrate = (await import('../../handlers/migrate.ts')).handler as Handler;
  });

  afterAll(async () => {
    await new Promise((resolve) => answers?.close(resolve));
    if (secretArn !== undefined) {
      await secrets.send(new DeleteSecretCommand({ SecretId: secretArn, ForceDeleteWithoutRecovery: true }));
    }
    await onServer(`drop database if exists ${name} with (force)`);
  });

  test('makes the tables for a custom resource and tells CloudFormation', async () => {
    await migrate(customResource('Create'), context);
    expect(answered.at(-1)).toMatchObject({ Status: 'SUCCESS', Data: { newest: expect.stringMatching(/^\d{4}_/) } });
    expect(await onServer(tables, name)).toEqual(expect.arrayContaining(['books', 'coupons', 'events']));
  });

  test('called again changes nothing, and deleting the resource leaves the tables', async () => {
    await migrate(customResource('Update'), context);
    expect(answered.at(-1)).toMatchObject({ Status: 'SUCCESS', Data: { applied: 0 } });
    const before = await onServer(tables, name);
    await migrate(customResource('Delete'), context);
    expect(answered.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(await onServer(tables, name)).toEqual(before);
  });

  test('without its secret fails, says so to CloudFormation, and shows nothing of one', async () => {
    process.env['DB_SECRET_ARN'] = `${secretArn}-missing`;
    await migrate(customResource('Update'), context);
    expect(answered.at(-1)?.Status).toBe('FAILED');
    expect(answered.at(-1)?.Reason).not.toContain(new URL(testPostgresUrl()).password);
  });
});
