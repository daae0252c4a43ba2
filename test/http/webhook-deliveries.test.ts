import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { subscribableTypes } from '../../core/index.ts';
import type { OutboundError } from '../../core/outbound/open-sender.ts';
import { deliverWebhooks } from '../../core/webhooks/delivery/deliver-webhooks.ts';
import { purgeDeliveries } from '../../core/webhooks/delivery/purge-deliveries.ts';
import { deliver, handOn } from '../support/deliver-webhooks.ts';
import { finishJobs } from '../support/run-jobs.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';
import { type Body, startTestApi, type TestApi } from './support.ts';

let api: TestApi;
let receiver: Receiver;
/** The webhook of the test at hand. */
let path: string;

beforeAll(async () => {
  api = await startTestApi('webhook deliveries', { WEBHOOK_ALLOW_LOOPBACK: 'true' });
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.close();
  await api.close();
});
beforeEach(async () => {
  receiver.received.length = 0;
  const { body } = await api.call('POST', '/v1/webhooks', { body: { url: receiver.url, events: subscribableTypes } });
  receiver.secrets = [body.secret];
  path = `/v1/webhooks/${body.id}`;
});

const post = async (to: string, body: object = {}) => {
  const answer = await api.call('POST', to, { body });
  expect([to, answer.status < 300]).toEqual([to, true]);
  return answer.body;
};
const deliveries = async () => (await api.call('GET', `${path}/deliveries`)).body.data;

/** Sends what is due, to nobody: each request ends with this. */
async function sendInVain(error: OutboundError): Promise<void> {
  const send = async () => ({ statusCode: null, error, retryAfter: null, millis: 7 });
  const sender = { send, close: async () => {} };
  await deliverWebhooks({ ...api.core, sender }, new AbortController().signal);
}

/**
 * Does everything that webhooks are told of, to one coupon of a book with two codes, and gives the book's id and the
 * coupon's code.
 */
async function doEverything(): Promise<{ bookId: string; code: string; jobId: string }> {
  const { id: bookId } = await post('/v1/books', { name: 'All', status: 'active' });
  await post(`/v1/books/${bookId}/codes`, { codes: ['TOLD-1'] });
  const { code } = await post('/v1/coupons/assign', { bookId, userId: 'ann' });
  const { lockToken } = await post(`/v1/coupons/${code}/lock`, { userId: 'ann' });
  await post(`/v1/coupons/${code}/unlock`, { userId: 'ann', lockToken });
  const { redemption } = await post(`/v1/coupons/${code}/redeem`, { userId: 'ann', reference: 'order-1' });
  await post(`/v1/redemptions/${redemption.id}/reverse`, { reason: 'sent back' });
  await post(`/v1/coupons/${code}/transfer`, { userId: 'bob' });
  await post(`/v1/coupons/${code}/void`, { reason: 'stolen' });
  await handOn(api.core);
  for (const status of ['paused', 'closed']) await api.call('PATCH', `/v1/books/${bookId}`, { body: { status } });
  const job = await api.call('POST', `/v1/jobs?kind=export-codes&bookId=${bookId}`);
  await finishJobs(api.core);
  return { bookId, code, jobId: job.body.id };
}

/** The check of a message against what the document says of its type, and the names of the data's fields there. */
function makeMessageCheck(): (message: { type: string; data: object }) => string | null {
  const ajv = new Ajv2020.default({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(api.document, 'openapi');
  const { components } = api.document as unknown as { components: { schemas: Record<string, { properties: object }> } };
  return (message) => {
    const content = `openapi#/webhooks/${message.type}/post/requestBody/content/application~1json/schema`;
    if (!ajv.validate({ $ref: content }, message)) return ajv.errorsText();
    const schema = JSON.stringify(ajv.getSchema(content)?.schema);
    const [, name] = /#\/components\/schemas\/(\w+Data)"/.exec(schema)!;
    const others = Object.keys(message.data).filter((field) => !(field in components.schemas[name!]!.properties));
    return others.length === 0 ? null : `undocumented: ${others}`;
  };
}

test('every type of event is sent as the document says, and once it is taken stands among the deliveries so', async () => {
  const { bookId, code, jobId } = await doEverything();
  await post(`${path}/test`);
  await deliver(api.core);
  const told = Object.fromEntries(receiver.received.map(({ type, data }) => [type, data]));
  const coupon = { bookId, code, actor: 'root' };
  expect(told).toMatchObject({
    'coupon.assigned': { ...coupon, rev: 1, userId: 'ann', status: 'assigned' },
    'coupon.locked': { ...coupon, rev: 2, status: 'locked' },
    'coupon.unlocked': { ...coupon, rev: 3, status: 'assigned' },
    'coupon.redeemed': { ...coupon, rev: 4, redemption: { seq: 1, reference: 'order-1' } },
    'coupon.reversed': { ...coupon, rev: 5, reason: 'sent back', redemption: { seq: 1 } },
    'coupon.transferred': { ...coupon, rev: 6, userId: 'bob', fromUserId: 'ann' },
    'coupon.voided': { ...coupon, rev: 7, status: 'voided', reason: 'stolen' },
    'book.opened': { bookId, name: 'All', status: 'active' },
    'book.paused': { bookId, status: 'paused' },
    'book.closed': { bookId, status: 'closed' },
    'book.low-stock': { bookId, codes: 1, available: 0 },
    'book.exhausted': { bookId, codes: 1, available: 0 },
    'job.finished': { jobId, kind: 'export-codes', status: 'done' },
    'webhook.test': { webhookId: path.split('/').at(-1) },
  });
  expect(Object.keys(told).sort()).toEqual([...subscribableTypes, 'webhook.test'].sort());
  const check = makeMessageCheck();
  expect(receiver.received.map(({ type, timestamp, data }) => check({ type, timestamp, data } as never))).toEqual(
    receiver.received.map(() => null),
  );
  // Under `webhook-id`, `webhook-timestamp` and `webhook-signature`, which the reference library has checked.
  expect(receiver.unsigned).toBe(0);
  const all = await deliveries();
  expect(all.map(({ id, type }) => [id, type]).sort()).toEqual(
    receiver.received.map(({ id, type }) => [id, type]).sort(),
  );
  for (const one of all) {
    expect(one).toMatchObject({
      status: 'delivered',
      attempts: 1,
      attemptedAt: expect.any(String),
      nextAttemptAt: null,
      statusCode: 200,
      error: null,
      durationMillis: expect.any(Number),
      replay: false,
    });
  }
});

describe('a delivery that was not taken', () => {
  let bookId: string;
  beforeEach(async () => {
    ({ id: bookId } = await post('/v1/books', { name: 'Waiting' }));
    await api.call('PATCH', `/v1/books/${bookId}`, { body: { status: 'active' } });
    await handOn(api.core);
  });
  const opened = async (): Promise<Body> => {
    const found = (await deliveries()).filter(({ type }) => type === 'book.opened');
    expect(found).toHaveLength(1);
    return found[0]!;
  };

  test('waits for its next attempt, and says what went wrong: an answer by its status', async () => {
    receiver.answer = () => 500;
    await deliver(api.core);
    receiver.answer = () => 200;
    const one = await opened();
    expect(one).toMatchObject({ status: 'pending', attempts: 1, statusCode: 500, error: null });
    expect(Date.parse(String(one.nextAttemptAt))).toBeGreaterThan(Date.parse(String(one.attemptedAt)));
  });

  test.each(['timeout', 'connection-failed', 'name-not-found'] as const)(
    'or that there was none: %s',
    async (error) => {
      await sendInVain(error);
      expect(await opened()).toMatchObject({
        status: 'pending',
        attempts: 1,
        statusCode: null,
        error,
        durationMillis: 7,
      });
    },
  );

  test.each([
    ['address-not-allowed', () => 'https://10.0.0.1/hook'],
    ['tls-failed', () => receiver.url.replace('http:', 'https:')],
  ])('or that there could be none: %s', async (error, url) => {
    // As if it had been allowed when the webhook was made.
    await api.core.pool.query('update webhooks set url = $1 where id = $2', [url(), path.split('/').at(-1)]);
    await deliver(api.core);
    expect(await opened()).toMatchObject({ status: 'pending', attempts: 1, statusCode: null, error });
  });

  test('is given up as too-old after more than three days', async () => {
    await api.core.pool.query(`update webhook_deliveries set created_at = created_at - interval '81 hours'`);
    await purgeDeliveries(api.core);
    expect(await opened()).toMatchObject({ status: 'failed', attempts: 0, nextAttemptAt: null, error: 'too-old' });
  });

  test('is given up as event-removed once what it is about has left the database', async () => {
    const key = '(select book_id from books where id = $1)';
    await api.core.pool.query(`delete from book_revisions where book_id = ${key} and rev > 1`, [bookId]);
    await deliver(api.core);
    expect(await opened()).toMatchObject({
      status: 'failed',
      attempts: 0,
      nextAttemptAt: null,
      error: 'event-removed',
    });
  });
});
