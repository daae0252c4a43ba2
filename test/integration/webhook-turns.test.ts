import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Core } from '../../core/core.ts';
import { settleEvents } from '../../core/events/settled-events.ts';
import { makeStride } from '../../core/events/stride.ts';
import { assignCoupon, createBook, createWebhook, generateCodes, redeemCoupon } from '../../core/index.ts';
import { claimEndpoints, releaseEndpoint } from '../../core/webhooks/delivery/claim-endpoints.ts';
import { fanOutEvents } from '../../core/webhooks/delivery/fan-out-events.ts';
import { recordResults } from '../../core/webhooks/delivery/record-results.ts';
import { countDeliveries, deliver, handOn } from '../support/deliver-webhooks.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

let testCore: TestCore;
let core: Core;
/** Another process. */
let other: Core;
let bookId: string;
let receiver: Receiver;

beforeAll(async () => {
  testCore = await openTestCore('webhook_turns', {}, { WEBHOOK_ALLOW_LOOPBACK: 'true' });
  core = testCore.core;
  other = await testCore.openAnother();
  bookId = (await createBook(core, admin, { name: 'Turns', status: 'active' }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 1_000, pattern: 'TURN-########' }, null);
});
afterAll(() => testCore.close());

beforeEach(async () => {
  receiver = await startReceiver();
  const events = ['coupon.assigned' as const, 'coupon.locked' as const, 'coupon.redeemed' as const];
  await createWebhook(core, admin, { url: receiver.url, events }, null);
});
afterEach(async () => {
  await receiver.close();
  await core.pool.query('truncate webhooks, webhook_secrets, webhook_replays, webhook_deliveries');
});

const assign = async (userId: string) => (await assignCoupon(core, admin, { bookId, userId })).body.code;
const revs = () => receiver.received.map(({ data }) => [data.code, data.rev]);

async function endLease(): Promise<void> {
  await core.pool.query('update webhooks set lease_until = clock_timestamp()');
}

test('of two processes that look at once, one serves an endpoint', async () => {
  await assign('one');
  await handOn(core);
  const claims = await Promise.all([core, other, core, other].map((by) => claimEndpoints(by, 256, [])));
  expect(claims.map(({ length }) => length).sort()).toEqual([0, 0, 0, 1]);
});

test('a process that was frozen past its lease records nothing, and takes nobody’s lease away', async () => {
  await assign('frozen');
  await handOn(core);
  const [frozen] = await claimEndpoints(core, 256, []);
  await endLease();
  const [serving] = await claimEndpoints(other, 256, []);
  const { rows } = await core.pool.query<{ id: number }>('select delivery_id as id from webhook_deliveries');
  const answered = { status: 'delivered', pauseMillis: 0, statusCode: 200, error: null, millis: 1 } as const;
  frozen!.results.push({ ...answered, deliveryKey: rows[0]!.id });
  Object.assign(frozen!, { failures: 7, disable: 'gone' });
  expect(await recordResults(core, frozen!)).toBeNull();
  await releaseEndpoint(core.backgroundPool, frozen!);
  expect(await claimEndpoints(core, 256, [])).toEqual([]);
  expect(await countDeliveries(core.pool)).toEqual({ pending: 1 });
  const { rows: after } = await core.pool.query('select status, failures from webhooks');
  expect(after).toEqual([{ status: 'enabled', failures: 0 }]);
  // What the frozen one has sent is sent again, under the same id, by whoever serves the endpoint.
  await releaseEndpoint(other.backgroundPool, serving!);
  await deliver(other);
  expect(revs()).toHaveLength(1);
});

test('an event whose transaction stalls is told once it has ended, and nothing that came after it is told before', async () => {
  const [first, second] = [await assign('stalls'), await assign('goes on')];
  await deliver(core);
  const stalled = new pg.Client(testCore.database.url);
  await stalled.connect();
  try {
    await stalled.query('begin');
    // As every operation: its transaction has its number before it reads the clock.
    await stalled.query('select pg_current_xact_id()');
    await stalled.query(
      `insert into events (tenant_id, deck_id, pos, rev, at, kind, holder_id, redemptions, fence, actor)
         select e.tenant_id, e.deck_id, e.pos, 2, date_trunc('milliseconds', clock_timestamp()), 2, e.holder_id, 0, 1, e.actor
         from events e join coupons c using (tenant_id, deck_id, pos) where c.code = $1 and e.rev = 1`,
      [first],
    );
    await sleep(2);
    await redeemCoupon(core, admin, second, { userId: 'goes on' }, null);
    for (let round = 0; round < 5; round += 1) {
      await settleEvents(core);
      while ((await fanOutEvents(core, makeStride())) === 'more');
    }
    expect(await countDeliveries(core.pool)).toEqual({ delivered: 2 });
    await stalled.query('commit');
  } finally {
    await stalled.end();
  }
  await deliver(core);
  expect(revs().slice(2).sort()).toEqual(
    [
      [first, 2],
      [second, 2],
    ].sort(),
  );
});
