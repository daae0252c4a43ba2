import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { assignCoupon, createBook, createWebhook, generateCodes, redeemCoupon } from '../../core/index.ts';
import { deliverWebhooks } from '../../core/webhooks/delivery/deliver-webhooks.ts';
import { countDeliveries, handOn, passTime } from '../support/deliver-webhooks.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

const coupons = 1_000;

let testCore: TestCore;
let receiver: Receiver;
let dead: Receiver;
beforeAll(async () => {
  testCore = await openTestCore('webhook_load', {}, { WEBHOOK_ALLOW_LOOPBACK: 'true' });
  [receiver, dead] = [await startReceiver(), await startReceiver()];
});
afterAll(async () => {
  await Promise.all([receiver.close(), dead.close()]);
  await testCore.close();
});

test('an endpoint that fails a third of the time gets each event, in order a coupon, and none that was not', async () => {
  const { core } = testCore;
  const book = (await createBook(core, admin, { name: 'Load', status: 'active' }, null)).body.id;
  await generateCodes(core, admin, book, { count: coupons, pattern: 'LOAD-########' }, null);
  for (const { url } of [receiver, dead]) {
    await createWebhook(core, admin, { url, events: ['coupon.assigned', 'coupon.redeemed'] }, null);
  }
  const users = Array.from({ length: coupons }, (_, index) => `u-${index}`);
  await Promise.all(
    users.map(async (userId) => {
      const { code } = (await assignCoupon(core, admin, { bookId: book, userId })).body;
      await redeemCoupon(core, admin, code, { userId }, null);
    }),
  );
  let asked = 0;
  const failures = new Map<string, number>();
  // Every third request fails, and none of one message so often that it would be given up.
  receiver.answer = ({ id }) => {
    const failed = failures.get(id) ?? 0;
    asked += 1;
    if (asked % 3 !== 0 || failed === 5) return 200;
    failures.set(id, failed + 1);
    return 500;
  };
  dead.answer = () => 500;
  await handOn(core);
  const another = await testCore.openAnother();
  const [ending, going] = [new AbortController(), new AbortController().signal];
  const delivered = async () => (await countDeliveries(core.pool)).delivered ?? 0;
  // The process that began ends in the middle, and the other goes on where it was.
  const first = deliverWebhooks(core, ending.signal);
  while (receiver.received.length < coupons / 2) await new Promise((resolve) => setTimeout(resolve, 5));
  ending.abort();
  await first;
  expect(await delivered()).toBeLessThan(2 * coupons);
  for (let round = 0; round < 60 && (await delivered()) < 2 * coupons; round += 1) {
    await deliverWebhooks(another, going);
    await passTime(core.pool, 30);
  }
  const taken = receiver.received.filter(({ status }) => status === 200);
  expect(new Set(taken.map(({ id }) => id)).size).toBe(2 * coupons);
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(2 * coupons);
  const revs = new Map<string, number[]>();
  for (const { data } of taken) revs.set(data.code, [...(revs.get(data.code) ?? []), data.rev]);
  expect(revs.size).toBe(coupons);
  expect([...revs.values()].filter((of) => of.join() !== '1,2')).toEqual([]);
  expect(dead.received.length).toBeLessThan(receiver.received.length / 4);
}, 120_000);
