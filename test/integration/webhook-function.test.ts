import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { openLambdaSender } from '../../containers/api/lambda-sender.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { type OutboundRequest, openSender, type Sender } from '../../core/outbound/open-sender.ts';
import { secretText, signedHeaders } from '../../core/webhooks/sign-message.ts';
import { readRequest } from '../../handlers/deliver/read-request.ts';
import { sendOnce } from '../../handlers/deliver/send-once.ts';
import { handler } from '../../handlers/deliver.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:qurable-dev-deliver';
const key = Buffer.alloc(32, 7);
const body = JSON.stringify({
  type: 'coupon.redeemed',
  timestamp: '2026-11-27T00:00:00.000Z',
  data: { reason: 'año ✓' },
});
const context = { functionName: 'qurable-dev-deliver', awsRequestId: 'a', getRemainingTimeInMillis: () => 30_000 };

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  receiver.secrets = [secretText(key)];
});
afterAll(() => receiver.close());
afterEach(() => {
  receiver.received.splice(0);
  receiver.answer = () => 200;
});

function signedRequest(url = receiver.url): OutboundRequest {
  const headers = signedHeaders({ id: 'evt_1', timestamp: Math.floor(Date.now() / 1_000), body }, [key]);
  return { url, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body };
}

/** The function itself but for one thing: it may send to this machine, where the receiver is. */
const deliverHere = (event: unknown) =>
  sendOnce(
    // Longer than any machine stalls.
    () => openSender({ allowLoopback: true, clock: systemClock, answerMaxMillis: 60_000 }),
    readRequest(event),
  );
const deliver = (event: unknown) => handler(event, context as unknown as Context);

describe('the function that sends webhooks', () => {
  test('sends what was signed, byte by byte, and answers what the receiver said', async () => {
    expect(await deliverHere(signedRequest())).toMatchObject({ statusCode: 200, error: null });
    expect([receiver.received.length, receiver.unsigned]).toEqual([1, 0]);
  });

  test('answers a failure as a result, with what the receiver says of the next attempt', async () => {
    receiver.answer = () => ({ status: 503, headers: { 'retry-after': '7' } });
    expect(await deliverHere(signedRequest())).toMatchObject({ statusCode: 503, error: null, retryAfter: '7' });
  });

  test.each(['127.0.0.1', '2130706433', '[::1]', '[::ffff:7f00:1]', '169.254.169.254', '10.0.0.1', 'localhost'])(
    'never sends to %s, which is inside of where it runs',
    async (host) => {
      const { port } = new URL(receiver.url);
      for (const scheme of ['http', 'https']) {
        const answer = await deliver(signedRequest(`${scheme}://${host}:${port}/`));
        expect(answer).toMatchObject({ statusCode: null, error: 'address-not-allowed' });
      }
      expect(receiver.received).toEqual([]);
    },
  );

  test.each([
    ['url', { headers: {}, body: '{}' }],
    ['body', { url: 'https://shop.example/', headers: {}, body: 1 }],
    ['headers', { url: 'https://shop.example/', headers: { authorization: 'Bearer x' }, body: '{}' }],
    ['headers', { url: 'https://shop.example/', headers: { host: 'other.example' }, body: '{}' }],
    ['url', null],
  ])('is in error, naming %s, where it is called with anything else: %j', async (named, event) => {
    await expect(deliver(event)).rejects.toThrow(new RegExp(`^${named} `));
  });
});

describe('a process that has a function send', () => {
  const before = { ...process.env };
  let lambda: Server;
  let sender: Sender;
  let errors: object[];
  /** How Lambda answers the next calls; where it is empty it runs the function. */
  let refusals: ({ status: number; type: string } | 'function-error' | 'never')[];
  let calls: { path: string; event: Record<string, unknown> }[];

  beforeEach(async () => {
    errors = [];
    refusals = [];
    calls = [];
    lambda = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const event = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
      calls.push({ path: decodeURIComponent(request.url!), event });
      const refusal = refusals.shift();
      if (refusal === 'never') return;
      if (refusal === 'function-error') {
        response.writeHead(200, { 'x-amz-function-error': 'Unhandled' }).end('{"errorMessage":"out of memory"}');
      } else if (refusal !== undefined) {
        response.writeHead(refusal.status, { 'x-amzn-errortype': refusal.type }).end('{"message":"no"}');
      } else {
        response.writeHead(200).end(JSON.stringify(await deliverHere(event)));
      }
    });
    await new Promise<void>((resolve) => lambda.listen(0, '127.0.0.1', resolve));
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${(lambda.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    const log = { ...silentLog, error: (fields: object) => void errors.push(fields) };
    sender = await openLambdaSender({ functionArn, clock: systemClock, log });
  });
  afterEach(async () => {
    await sender.close();
    lambda.closeAllConnections();
    await new Promise((resolve) => lambda.close(resolve));
    process.env = { ...before };
  });

  test('hands it the signed request and nothing else, and takes its answer for the receiver’s', async () => {
    const outgoing = { ...signedRequest(), deliveryKey: 4711, attempts: 2 };
    expect(await sender.send(outgoing)).toMatchObject({ statusCode: 200, error: null });
    expect([receiver.received.length, receiver.unsigned]).toEqual([1, 0]);
    expect(calls).toEqual([
      { path: `/2015-03-31/functions/${functionArn}/invocations`, event: signedRequestOf(outgoing) },
    ]);
  });

  test('waits a little where the function is at its bound, and tells no receiver’s failure of it', async () => {
    refusals.push({ status: 429, type: 'TooManyRequestsException' }, { status: 429, type: 'TooManyRequestsException' });
    expect(await sender.send(signedRequest())).toMatchObject({ statusCode: 200 });
    expect([calls.length, errors]).toEqual([3, []]);
  });

  test.each([
    ['fails', 'function-error', 'FunctionFailed'],
    ['may not be called', { status: 403, type: 'AccessDeniedException' }, 'AccessDeniedException'],
  ] as const)('answers a failure and says so in the log where the function %s', async (_what, refusal, reason) => {
    refusals.push(refusal);
    expect(await sender.send(signedRequest())).toMatchObject({ statusCode: null, error: 'connection-failed' });
    expect(errors).toEqual([{ reason }]);
    expect(JSON.stringify(errors)).not.toContain('coupon.redeemed');
  });

  test('cuts a call that is under way when it closes, without a line in the log', async () => {
    refusals.push('never');
    const sent = sender.send(signedRequest());
    while (calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await sender.close();
    expect(await sent).toMatchObject({ statusCode: null, error: 'connection-failed' });
    expect(errors).toEqual([]);
  });

  function signedRequestOf({ url, headers, body: sent }: OutboundRequest): OutboundRequest {
    return { url, headers, body: sent };
  }
});
