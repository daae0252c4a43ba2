import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Core } from '../../core/core.ts';
import {
  assignCoupon,
  cancelJob,
  changeBook,
  changeWebhook,
  createBook,
  createJob,
  createWebhook,
  type EventType,
  eraseUser,
  generateCodes,
  listDeliveries,
  lockCoupon,
  readJob,
  readWebhook,
  redeemCoupon,
  replayWebhook,
  reverseRedemption,
  rotateWebhookSecret,
  subscribableTypes,
  testWebhook,
  transferCoupon,
  unlockCoupon,
  voidCoupon,
} from '../../core/index.ts';
import { openSender } from '../../core/outbound/open-sender.ts';
import { rewrapPatternKeys } from '../../core/patterns/rewrap-pattern-keys.ts';
import { systemRandom } from '../../core/random.ts';
import { countDeliveries, deliver, handOn, passTime } from '../support/deliver-webhooks.ts';
import { admin, openTestCore, type TestCore, testConfig } from '../support/open-test-core.ts';
import { finishJobs } from '../support/run-jobs.ts';
import { type Received, type Receiver, startReceiver } from '../support/webhook-receiver.ts';

let testCore: TestCore;
let core: Core;
let bookId: string;
let receiver: Receiver;
let webhookId: string;

beforeAll(async () => {
  testCore = await openTestCore('webhook_delivery', {}, { WEBHOOK_ALLOW_LOOPBACK: 'true' });
  core = testCore.core;
  bookId = await makeBook('HOOK');
});
afterAll(() => testCore.close());

beforeEach(async () => {
  receiver = await startReceiver();
  webhookId = await subscribe(receiver, subscribableTypes);
});
afterEach(async () => {
  await receiver.close();
  await core.pool.query('truncate webhooks, webhook_secrets, webhook_replays, webhook_deliveries');
});

async function makeBook(prefix: string, count = 100_000): Promise<string> {
  const { body } = await createBook(core, admin, { name: prefix, status: 'active' }, null);
  await generateCodes(core, admin, body.id, { count, pattern: `${prefix}-########` }, null);
  return body.id;
}

async function subscribe(to: Receiver, events: readonly EventType[]): Promise<string> {
  const input = { url: to.url, events: [...events] as never[] };
  const { body } = await createWebhook(core, admin, input, null);
  to.secrets = [body.secret!];
  return body.id;
}

const assign = async (userId: string, book = bookId) =>
  (await assignCoupon(core, admin, { bookId: book, userId }, null)).body;
const typesOf = (received: readonly Received[]) => received.map(({ type }) => type);
const statusOf = async () => (await readWebhook(core, admin, webhookId)).status;

test('every event of a coupon is told, in order, signed, with the coupon as it was after it', async () => {
  const { code } = await assign('u-1');
  const locked = (await lockCoupon(core, admin, code, { userId: 'u-1' }, null)).body as { lockToken: string };
  await lockCoupon(core, admin, code, { userId: 'u-1', lockToken: locked.lockToken }, null);
  await unlockCoupon(core, admin, code, { userId: 'u-1', lockToken: locked.lockToken }, null);
  const redeem = { userId: 'u-1', reference: 'order-1', metadata: { till: 7 } };
  const redeemed = (await redeemCoupon(core, admin, code, redeem, null)).body as { redemption: { id: string } };
  await reverseRedemption(core, admin, redeemed.redemption.id, { reason: 'cancelled' }, null);
  await transferCoupon(core, admin, code, { userId: 'u-2', reason: 'a present' }, null);
  await voidCoupon(core, admin, code, { reason: 'leaked' }, null);
  await deliver(core);
  expect(receiver.unsigned).toBe(0);
  expect(typesOf(receiver.received)).toEqual([
    'coupon.assigned',
    'coupon.locked',
    'coupon.unlocked',
    'coupon.redeemed',
    'coupon.reversed',
    'coupon.transferred',
    'coupon.voided',
  ]);
  expect(receiver.received.map(({ data }) => data.rev)).toEqual([1, 2, 4, 5, 6, 7, 8]);
  expect(receiver.received[3]!.data).toMatchObject({
    code,
    bookId,
    userId: 'u-1',
    status: 'redeemed',
    redemption: { id: redeemed.redemption.id, seq: 1, reference: 'order-1', metadata: { till: 7 } },
  });
  expect(receiver.received[5]!.data).toMatchObject({ userId: 'u-2', fromUserId: 'u-1', reason: 'a present' });
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(7);
  expect(receiver.received.every(({ id }) => /^[a-z0-9_]+$/.test(id))).toBe(true);
  expect(JSON.stringify(receiver.received)).not.toContain(locked.lockToken);
});

test('a book is told when it is opened, paused and closed, and each low and empty stock once', async () => {
  const { body } = await createBook(core, admin, { name: 'Small', status: 'active' }, null);
  await generateCodes(core, admin, body.id, { count: 10, pattern: 'SMLL-########' }, null);
  await deliver(core);
  for (let user = 0; user < 10; user += 1) {
    await assign(`s-${user}`, body.id);
    await deliver(core);
  }
  for (const status of ['paused', 'active', 'closed'] as const)
    await changeBook(core, admin, body.id, { status }, null);
  await deliver(core);
  await deliver(core);
  const books = receiver.received.filter(({ type }) => type.startsWith('book.'));
  expect(typesOf(books)).toEqual([
    'book.opened',
    'book.low-stock',
    'book.exhausted',
    'book.paused',
    'book.opened',
    'book.closed',
  ]);
  expect(books[1]!.data).toMatchObject({ bookId: body.id, name: 'Small', codes: 10, available: 1 });
});

test('a job is told once when it has ended, done or cancelled, and again by a replay', async () => {
  const file = () => Readable.from([Buffer.from('userId\nj-1\nj-2\nj-2\n')]);
  const make = async () => (await createJob(core, admin, { kind: 'assign', bookId }, file(), null)).body.id;
  const jobs = () => receiver.received.filter(({ type }) => type === 'job.finished');
  const done = await make();
  await deliver(core);
  expect(jobs()).toEqual([]);
  await finishJobs(core);
  const { kind, status, total, done: rows, refused } = await readJob(core, admin, done);
  expect([status, total]).toEqual(['done', 3]);
  await deliver(core);
  await deliver(core);
  expect(jobs().map(({ data }) => data)).toEqual([{ jobId: done, kind, status, total, done: rows, refused }]);
  const cancelled = await make();
  await cancelJob(core, admin, cancelled, null);
  await deliver(core);
  expect(jobs().map(({ data }) => [data.jobId, data.status])).toEqual([
    [done, 'done'],
    [cancelled, 'cancelled'],
  ]);
  const [first] = jobs();
  const from = new Date(core.clock.now() - 3_600_000).toISOString();
  const to = new Date(core.clock.now() + 1).toISOString();
  await replayWebhook(core, admin, webhookId, { from, to }, null);
  await deliver(core);
  expect(jobs().filter(({ id }) => id === first!.id)).toHaveLength(2);
});

test('a coupon’s next event waits for the one before, and other coupons pass', async () => {
  const [first, second] = [await assign('o-1'), await assign('o-2')];
  receiver.answer = ({ data }) => (data.code === first.code ? 500 : 200);
  await deliver(core);
  await redeemCoupon(core, admin, first.code, { userId: 'o-1' }, null);
  await redeemCoupon(core, admin, second.code, { userId: 'o-2' }, null);
  await passTime(core.pool, 0.01);
  await deliver(core);
  const told = (code: string) => typesOf(receiver.received.filter(({ data }) => data.code === code));
  expect(told(first.code)).toEqual(['coupon.assigned', 'coupon.assigned']);
  expect(told(second.code)).toEqual(['coupon.assigned', 'coupon.redeemed']);
  receiver.answer = () => 200;
  await passTime(core.pool, 0.2);
  await deliver(core);
  expect(told(first.code)).toEqual(['coupon.assigned', 'coupon.assigned', 'coupon.assigned', 'coupon.redeemed']);
});

test('what comes in behind something that rests is looked for once, not all the time', async () => {
  const { code } = await assign('b-1');
  receiver.answer = () => 500;
  await deliver(core);
  // It rests for longer than this test takes on any machine.
  await passTime(core.pool, -1);
  await redeemCoupon(core, admin, code, { userId: 'b-1' }, null);
  await deliver(core);
  const fence = async () => (await core.pool.query<{ fence: number }>('select fence from webhooks')).rows[0]!.fence;
  const before = await fence();
  await deliver(core);
  expect([receiver.received.length, await fence()]).toEqual([1, before]);
});

test('a delivery is tried ten times within three days and a half, then given up', async () => {
  await assign('t-1');
  receiver.answer = () => 503;
  await handOn(core);
  const first = await core.pool.query<{ at: Date }>('select next_at as at from webhook_deliveries');
  let hours = 0;
  for (let round = 0; round < 12; round += 1) {
    await deliver(core);
    const { rows } = await core.pool.query<{ wait: number }>(
      `select extract(epoch from next_at - clock_timestamp())::float8 / 3600 as wait from webhook_deliveries where next_at is not null`,
    );
    hours += rows[0]?.wait ?? 0;
    await passTime(core.pool, (rows[0]?.wait ?? 0) + 0.1);
    await core.pool.query(`update webhook_deliveries set created_at = clock_timestamp() where status = 'pending'`);
  }
  expect(first.rows).toHaveLength(1);
  expect(receiver.received).toHaveLength(10);
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
  expect(hours).toBeGreaterThan(75);
  expect(hours).toBeLessThan(84);
  expect(await countDeliveries(core.pool)).toEqual({ failed: 1 });
});

test('an endpoint that fails for five days is disabled and says so, and one that succeeds in between is not', async () => {
  receiver.answer = () => 500;
  for (let user = 0; user < 12; user += 1) await assign(`d-${user}`);
  for (let round = 0; round < 14; round += 1) {
    await deliver(core);
    await passTime(core.pool, 6);
    await core.pool.query(`update webhook_deliveries set created_at = clock_timestamp() where status = 'pending'`);
    if (round === 8) {
      receiver.answer = () => 200;
      await deliver(core);
      receiver.answer = () => 500;
      for (let user = 0; user < 12; user += 1) await assign(`e-${user}`);
    }
  }
  expect(await statusOf()).toBe('enabled');
  await assign('d-last');
  for (let round = 0; round < 14; round += 1) {
    await deliver(core);
    await passTime(core.pool, 20);
    await core.pool.query(`update webhook_deliveries set created_at = clock_timestamp() where status = 'pending'`);
    await assign(`f-${round}`);
  }
  expect(await readWebhook(core, admin, webhookId)).toMatchObject({ status: 'disabled', disabledReason: 'failing' });
  const before = receiver.received.length;
  await passTime(core.pool, 30);
  await deliver(core);
  expect(receiver.received).toHaveLength(before);
  receiver.answer = () => 200;
  await changeWebhook(core, admin, webhookId, { status: 'enabled' });
  await deliver(core);
  expect(receiver.received.length).toBeGreaterThan(before);
});

test('410 disables at once', async () => {
  receiver.answer = () => 410;
  await assign('g-1');
  await deliver(core);
  expect(await readWebhook(core, admin, webhookId)).toMatchObject({ status: 'disabled', disabledReason: 'gone' });
});

test('a redirect is a failure and is not followed', async () => {
  const inner = await startReceiver();
  receiver.answer = () => ({ status: 302, headers: { location: inner.url } });
  await assign('r-1');
  await deliver(core);
  expect([receiver.received.length, inner.received.length]).toEqual([1, 0]);
  expect((await listDeliveries(core, admin, webhookId, {})).data[0]).toMatchObject({
    status: 'pending',
    statusCode: 302,
  });
  await inner.close();
});

test('Retry-After is heeded with 429 and 503: nothing at all is sent meanwhile', async () => {
  receiver.answer = () => ({ status: 429, headers: { 'retry-after': '1200' } });
  await assign('w-1');
  await deliver(core);
  await assign('w-2');
  await passTime(core.pool, 0.25);
  await deliver(core);
  expect(receiver.received).toHaveLength(1);
  receiver.answer = () => 200;
  await passTime(core.pool, 0.1);
  await deliver(core);
  expect(receiver.received).toHaveLength(3);
});

test('a dead endpoint costs one request an interval, whatever waits for it', async () => {
  receiver.answer = () => 500;
  for (let user = 0; user < 100; user += 1) await assign(`c-${user}`);
  await deliver(core);
  const opened = receiver.received.length;
  expect(opened).toBeLessThan(15);
  for (let round = 0; round < 5; round += 1) {
    await passTime(core.pool, 0.1);
    await deliver(core);
  }
  // The pauses are of seconds at first: on a machine that stalls, one more may be over within a round.
  expect(receiver.received.length - opened).toBeGreaterThanOrEqual(5);
  expect(receiver.received.length - opened).toBeLessThan(10);
});

test('for 24 hours after a rotation both secrets sign, then the new one alone', async () => {
  const { body } = await rotateWebhookSecret(core, admin, webhookId, null);
  const old = receiver.secrets[0]!;
  receiver.secrets = [old, body.secret!];
  await assign('k-1');
  await deliver(core);
  expect([receiver.received.length, receiver.unsigned]).toEqual([1, 0]);
  await core.pool.query(`update webhook_secrets set signs_until = signs_until - interval '24 hours'`);
  await assign('k-2');
  await deliver(core);
  expect([receiver.received.length, receiver.unsigned]).toEqual([2, 1]);
  receiver.secrets = [body.secret!];
  await assign('k-3');
  await deliver(core);
  expect([receiver.received.length, receiver.unsigned]).toEqual([3, 1]);
});

test('a replay has the ids of the first time, and what happened before the webhook too', async () => {
  await assign('p-1');
  await deliver(core);
  const from = new Date(core.clock.now() - 3_600_000).toISOString();
  const to = new Date(core.clock.now()).toISOString();
  await replayWebhook(core, admin, webhookId, { from, to }, null);
  await deliver(core);
  const [first, ...again] = receiver.received;
  expect(again.map(({ id }) => id)).toContain(first!.id);
  expect(again.some(({ type }) => type === 'book.opened')).toBe(true);
  const replayed = (await listDeliveries(core, admin, webhookId, { limit: 1_000 })).data.filter(({ replay }) => replay);
  expect(replayed.length).toBe(again.length);
});

test('a user who was erased before something is sent is not in it', async () => {
  const { code } = await assign('somebody-private');
  await redeemCoupon(core, admin, code, { userId: 'somebody-private', reference: 'private-1' }, null);
  await handOn(core);
  await eraseUser(core, admin, 'somebody-private');
  await deliver(core);
  expect(receiver.received.map(({ data }) => data.userId)).toEqual([null, null]);
  expect(JSON.stringify(receiver.received)).not.toContain('private');
  const { rows } = await core.pool.query('select d::text as text from webhook_deliveries d');
  expect(JSON.stringify(rows)).not.toContain('private');
});

test('a test is sent at once, even to an endpoint that has a pause', async () => {
  receiver.answer = () => 500;
  for (let user = 0; user < 8; user += 1) await assign(`x-${user}`);
  await deliver(core);
  receiver.answer = () => 200;
  await testWebhook(core, admin, webhookId, null);
  await deliver(core);
  expect(typesOf(receiver.received)).toContain('webhook.test');
});

test('an endpoint that hangs delays no other', async () => {
  const other = await startReceiver();
  await subscribe(other, ['coupon.assigned']);
  receiver.answer = () => null;
  for (let user = 0; user < 50; user += 1) await assign(`h-${user}`);
  const ending = new AbortController();
  await handOn(core);
  // It waits for the one that hangs for as long as the others need on any machine.
  const sender = openSender({ allowLoopback: true, clock: core.clock, answerMaxMillis: 600_000 });
  const delivering = deliver({ ...core, sender }, ending.signal);
  while (other.received.length < 50) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(receiver.received.length).toBe(1);
  // It looks every half second whether anything else is to be served, and leaves nothing behind by that.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(getEventListeners(ending.signal, 'abort').length).toBeLessThanOrEqual(3);
  ending.abort();
  await receiver.close();
  await delivering;
  await sender.close();
  await other.close();
});

test('nothing is sent to this machine where that is not allowed', async () => {
  const strict = await testCore.openAnother({}, {});
  await assign('n-1');
  await handOn(core);
  await deliver(strict);
  expect(receiver.received).toHaveLength(0);
  expect((await listDeliveries(core, admin, webhookId, {})).data[0]).toMatchObject({ error: 'address-not-allowed' });
  await expect(createWebhook(strict, admin, { url: receiver.url, events: ['book.closed'] }, null)).rejects.toThrow(
    'url',
  );
  expect(testConfig(testCore.database.url).webhookAllowLoopback).toBe(false);
});

test('a rotation of CODE_SECRET keeps the secrets of webhooks, and a start with the one before is refused', async () => {
  const next = { CODE_SECRET: 'another code secret for tests, 32 characters', CODE_SECRET_VERSION: '2' };
  const to = testConfig(testCore.database.url, next);
  await assign('z-1');
  await handOn(core);
  expect(await rewrapPatternKeys(core.pool, systemRandom, core.config, to)).toBeGreaterThan(1);
  await deliver(core);
  expect(receiver.received).toHaveLength(0);
  const rotated = await testCore.openAnother({}, { WEBHOOK_ALLOW_LOOPBACK: 'true', ...next });
  await deliver(rotated);
  expect([receiver.received.length, receiver.unsigned]).toEqual([1, 0]);
  await core.pool.query('delete from code_patterns');
  await expect(testCore.openAnother({}, {})).rejects.toThrow('wrapped by version 2');
});
