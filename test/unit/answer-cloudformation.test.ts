import { describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { silentLog } from '../../core/log.ts';
import { answerCloudFormation } from '../../handlers/middleware/answer-cloudformation.ts';
import { maskSecrets } from '../../handlers/migrate/mask-secrets.ts';

const url = 'https://cloudformation-custom-resource-response.example/signed?Signature=secret';
const create = {
  RequestType: 'Create',
  ResponseURL: url,
  StackId: 'stack-1',
  RequestId: 'request-1',
  LogicalResourceId: 'Migration',
  ResourceType: 'Custom::Migration',
  ServiceToken: 'arn',
  ResourceProperties: { ServiceToken: 'arn' },
};
const update = { ...create, RequestType: 'Update', PhysicalResourceId: 'given-before', OldResourceProperties: {} };
const context = { awsRequestId: 'a', logStreamName: '2026/11/27/[1]abc' } as Context;

/** Runs a handler behind the middleware and returns what CloudFormation was told, and how the invocation ended. */
async function answered(event: object, operation: () => Promise<unknown>) {
  const sent: { url: string; body: Record<string, unknown> }[] = [];
  const handler = middy(operation).use(
    answerCloudFormation(silentLog, async (to, body) => {
      sent.push({ url: to, body: JSON.parse(body) as Record<string, unknown> });
    }),
  );
  const result: unknown = await handler(event, context).catch((error: unknown) => error);
  return { sent, result };
}

describe('CloudFormation', () => {
  test('is told of success, with what it asked for and the values that a template can read', async () => {
    const { sent } = await answered(create, async () => ({ applied: 2, newest: '0002' }));
    expect(sent).toEqual([
      {
        url,
        body: {
          Status: 'SUCCESS',
          Reason: expect.stringContaining('log stream'),
          PhysicalResourceId: 'Migration-once',
          StackId: 'stack-1',
          RequestId: 'request-1',
          LogicalResourceId: 'Migration',
          Data: { applied: 2, newest: '0002' },
        },
      },
    ]);
  });

  test('keeps the physical id it has, so that it never deletes a former one', async () => {
    const { sent } = await answered(update, async () => null);
    expect(sent[0]?.body).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'given-before' });
  });

  test('is told why an operation failed, and Lambda is not, which would run it again', async () => {
    const { sent, result } = await answered(update, async () => {
      throw new Error('migration 0002 failed: no such table');
    });
    expect(sent[0]?.body).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'given-before' });
    expect(sent[0]?.body['Reason']).toContain('migration 0002 failed: no such table');
    expect(result).toEqual({ status: 'FAILED', reason: 'migration 0002 failed: no such table' });
  });

  test('is told of success at once when a resource is deleted, and nothing is done', async () => {
    let calls = 0;
    const { sent } = await answered({ ...update, RequestType: 'Delete' }, async () => {
      calls += 1;
    });
    expect(sent[0]?.body).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'given-before' });
    expect(calls).toBe(0);
  });

  test('takes 4,096 bytes: a long reason is cut', async () => {
    const { sent } = await answered(create, async () => {
      throw new Error('x'.repeat(100_000));
    });
    expect(JSON.stringify(sent[0]?.body).length).toBeLessThan(4_096);
  });

  test('is not told of events from elsewhere: their failures are Lambda’s, their results are returned', async () => {
    const failed = await answered({}, async () => {
      throw new Error('no');
    });
    expect(failed.sent).toEqual([]);
    expect(failed.result).toEqual(new Error('no'));
    expect(await answered({}, async () => ({ min: 2 }))).toEqual({ sent: [], result: { min: 2 } });
  });
});

describe('a reason that leaves the function', () => {
  test('shows no password, plain or percent-encoded', () => {
    const text = 'could not connect to postgres://u:p%40ss%2Fword@host as u with p@ss/word';
    expect(maskSecrets(text, ['p@ss/word', undefined, ''])).toBe(
      'could not connect to postgres://u:***@host as u with ***',
    );
  });
});
