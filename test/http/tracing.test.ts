import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openLog } from '../../containers/api/observe/log.ts';
import { tracingLimits } from '../../containers/api/observe/tracing.ts';
import { type RunningServer, startServer } from '../../containers/api/server.ts';
import { signAwsRequest } from '../../core/index.ts';
import { allIfLong } from '../support/long-run.ts';
import { testConfig, testSecrets } from '../support/open-test-core.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

/** Longer than any machine stands still: what is sent to a receiver that answers arrives. */
const patience = { sendTimeoutMillis: 600_000, closeMaxMillis: 600_000 };
const usual = { ...tracingLimits };
/** For what is about receivers that do not answer. */
const useUsualLimits = () => void Object.assign(tracingLimits, usual);
beforeEach(() => void Object.assign(tracingLimits, patience));
afterAll(useUsualLimits);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(
  endpoint: string,
  oneIn: number,
  variables: Record<string, string> = {},
  log = openLog('silent'),
): Promise<{ server: RunningServer; database: TestDatabase }> {
  const database = await createTestDatabase('tracing');
  closing.push(() => database.drop());
  const more = { PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, TRACE_ONE_IN: String(oneIn), ...variables };
  const server = await startServer(testConfig(database.url, more), { log });
  closing.push(() => server.close());
  return { server, database };
}

async function receiver(...given: Parameters<typeof startOtlpReceiver>): Promise<OtlpReceiver> {
  const made = await startOtlpReceiver(...given);
  closing.push(() => made.close());
  return made;
}

type Body = Record<string, never>;

async function call(server: RunningServer, path: string, body: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(`${server.address}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${testSecrets.QURABLE_ADMIN_KEY}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
      ...headers,
    },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Body };
}

/** A book with codes, and one of them in a user's hands. */
async function makeCoupon(server: RunningServer): Promise<{ bookId: string; code: string }> {
  const book = await call(server, '/v1/books', { name: 'Traced', status: 'active' });
  const bookId = String(book.body.id);
  await call(server, `/v1/books/${bookId}/codes/generate`, { count: 100, pattern: 'TRACE-####-####' });
  const assigned = await call(server, '/v1/coupons/assign', { bookId, userId: 'someone-personal' });
  return { bookId, code: String(assigned.body.code) };
}

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };

describe('a trace', () => {
  test('of a redeem has the request, its wait, and linked to it the batch with its statements, by name alone', async () => {
    const received = await receiver();
    const { server } = await start(received.endpoint, 1_000_000);
    const { code } = await makeCoupon(server);
    const redeemed = await call(
      server,
      `/v1/coupons/${code}/redeem`,
      { userId: 'someone-personal', reference: 'order-7' },
      traceparent,
    );
    expect(redeemed.status).toBe(200);
    await closing.pop()!();

    const spans = received.spans();
    const find = (name: string): ReceivedSpan => spans.find((span) => span.name === name)!;
    const request = find('POST /v1/coupons/:code/redeem');
    expect(request).toMatchObject({
      traceId,
      parentSpanId: '00f067aa0ba902b7',
      attributes: {
        'http.route': '/v1/coupons/:code/redeem',
        'http.response.status_code': '200',
        'qurable.tenant': '1',
      },
    });
    expect(find('wait')).toMatchObject({ traceId, parentSpanId: request.spanId });
    const batch = find('batch changes');
    expect(batch).toMatchObject({ parentSpanId: null, links: [{ traceId, spanId: request.spanId }] });
    expect(batch.traceId).not.toBe(traceId);
    const groups = spans.filter((span) => span.name === 'statements');
    expect(groups.length).toBeGreaterThanOrEqual(2);
    for (const group of groups) expect(group).toMatchObject({ traceId: batch.traceId, parentSpanId: batch.spanId });
    const names = groups.map(({ attributes }) => attributes['qurable.statements']).join();
    for (const name of ['begin', 'write-events', 'commit']) expect(names).toContain(name);
    expect(spans).toHaveLength(3 + groups.length);

    const sent = Buffer.concat(received.bodies).toString('latin1');
    for (const personal of [code, 'someone-personal', 'order-7', testSecrets.QURABLE_ADMIN_KEY])
      expect(sent).not.toContain(personal);
  });

  test('of a batch names 32 of its members, and one in so many requests is traced', async () => {
    const received = await receiver();
    const { server } = await start(received.endpoint, 1);
    const { bookId } = await makeCoupon(server);
    const members = 4 * tracingLimits.linksMax;
    await Promise.all(
      Array.from({ length: members }, (_, n) => call(server, '/v1/coupons/assign', { bookId, userId: `u-${n}` })),
    );
    await closing.pop()!();
    const spans = received.spans();
    // With the one of makeCoupon.
    expect(spans.filter(({ name }) => name === 'POST /v1/coupons/assign')).toHaveLength(members + 1);
    const links = spans.filter(({ name }) => name === 'batch deals').map((span) => span.links.length);
    expect(Math.max(...links)).toBeLessThanOrEqual(tracingLimits.linksMax);
    expect(Math.max(...links)).toBeGreaterThan(1);
  });

  test('is sent for one in a thousand, and for a request whose traceparent is sampled; a malformed one changes nothing', async () => {
    const received = await receiver();
    const { server } = await start(received.endpoint, 10);
    const { code } = await makeCoupon(server);
    // Three requests so far.
    const validate = (headers = {}) =>
      call(server, `/v1/coupons/${code}/validate`, { userId: 'someone-personal' }, headers);
    for (let n = 0; n < 6; n += 1) await validate();
    await validate({ traceparent: `00-${traceId}-00f067aa0ba902b7-00` });
    await validate({ traceparent: 'nonsense' });
    for (let n = 0; n < 9; n += 1) await validate();
    await closing.pop()!();
    expect(received.spans().filter(({ name }) => name.startsWith('POST '))).toHaveLength(2);
  });

  const troubles: [string, () => Promise<string>][] = [
    ['is dead', async () => 'http://127.0.0.1:1'],
    ['never answers', async () => (await receiver(() => {})).endpoint],
    ['answers with 500', async () => (await receiver((response) => void response.writeHead(500).end())).endpoint],
  ];
  // An answer that refuses is what X-Ray gives below.
  test.each(allIfLong(troubles, ([trouble]) => trouble !== 'answers with 500'))(
    'to a receiver that %s changes no answer, and the process ends all the same',
    async (_, endpoint) => {
      useUsualLimits();
      const { server } = await start(await endpoint(), 1);
      const { code } = await makeCoupon(server);
      expect(await call(server, `/v1/coupons/${code}/redeem`, { userId: 'someone-personal' })).toMatchObject({
        status: 200,
      });
      await closing.pop()!();
    },
  );
});

describe('X-Ray', () => {
  const before = { ...process.env };
  beforeAll(() => {
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'a secret of the tests',
      AWS_SESSION_TOKEN: 'a token of the tests',
    });
  });
  afterAll(() => {
    process.env = before;
  });
  const inRegion = { TRACE_AWS_REGION: 'eu-west-1' };

  test('is sent the same spans, in requests that the task’s role has signed', async () => {
    const received = await receiver();
    const { server } = await start(received.endpoint, 1, inRegion);
    await makeCoupon(server);
    await closing.pop()!();
    expect(received.spans().map(({ name }) => name)).toContain('POST /v1/coupons/assign');
    for (const [index, headers] of received.headers.entries()) {
      const sent = String(headers['x-amz-date']);
      const now = Date.parse(sent.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'));
      const signed = await signAwsRequest(
        {
          method: 'POST',
          url: new URL(`${received.endpoint}/v1/traces`),
          headers: { 'content-type': 'application/x-protobuf' },
          body: received.bodies[index]!,
        },
        {
          credentials: {
            accessKeyId: 'AKIDEXAMPLE',
            secretAccessKey: 'a secret of the tests',
            sessionToken: 'a token of the tests',
          },
          region: 'eu-west-1',
          service: 'xray',
          now,
        },
      );
      expect(headers).toMatchObject(signed);
    }
    expect(received.headers.length).toBeGreaterThan(0);
  });

  const troubles: [string, (response: ServerResponse) => void][] = [
    ['refuses', (response) => void response.writeHead(403).end()],
    ['never answers', () => {}],
  ];
  // A signature changes nothing of how an answer is waited for, which is shown above.
  test.each(allIfLong(troubles, ([trouble]) => trouble === 'refuses'))(
    'costs requests nothing where it %s, and the end of the process no more than some seconds',
    async (_how, answer) => {
      useUsualLimits();
      const received = await receiver(answer);
      const { server } = await start(received.endpoint, 1, inRegion);
      const { code } = await makeCoupon(server);
      const redeemed = await call(server, `/v1/coupons/${code}/redeem`, { userId: 'someone-personal' });
      expect(redeemed.status).toBe(200);
      await closing.pop()!();
      expect(received.bodies.length).toBeGreaterThan(0);
    },
  );
});
