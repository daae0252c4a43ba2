import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Core } from '../../core/core.ts';
import { changeCoupons } from '../../core/coupons/engine/change-coupons.ts';
import { openPool } from '../../core/db/pool.ts';
import {
  assignCoupon,
  createBook,
  eraseUser,
  generateCodes,
  listCouponEvents,
  lockCoupon,
  redeemCoupon,
  reverseRedemption,
  transferCoupon,
} from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { keyed } from '../support/keyed.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { waitForLockWait } from '../support/wait-for-lock.ts';

let testCore: TestCore;
/** Waits for locks as long as the test needs. */
let patient: pg.Pool;
let books = 0;

beforeAll(async () => {
  testCore = await openTestCore('transfers');
  patient = openPool(
    { connectionString: testCore.database.url },
    {
      ...{ max: 4, applicationName: 'test', onError: () => {}, plans: 'by-key' },
      ...{ lockTimeoutMillis: 60_000, statementTimeoutMillis: 60_000, idleInTransactionMillis: 60_000 },
    },
  );
});
afterEach(async () => {
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
});
afterAll(async () => {
  await patient.end();
  await testCore.close();
});

async function makeBook(terms: object = {}): Promise<string> {
  books += 1;
  const { core } = testCore;
  const { body } = await createBook(core, admin, { name: 'Transfers', status: 'active', ...terms }, null);
  await generateCodes(core, admin, body.id, { count: 100, pattern: `TR${books}-########` }, null);
  return body.id;
}

const assigned = async (bookId: string, userId: string) =>
  (await assignCoupon(testCore.core, admin, { bookId, userId })).body.code;
const transfer = (code: string, userId: string, reason?: string) =>
  transferCoupon(testCore.core, admin, code, reason === undefined ? { userId } : { userId, reason });
const redeem = async (code: string, userId: string) =>
  (await redeemCoupon(testCore.core, admin, code, { userId, reference: `order of ${userId}` })).body;
/** Redeems in a batch of its own, which waits for locks as long as the test holds them. */
async function redeemPatiently(core: Core, code: string, userId: string): Promise<void> {
  const rest = { caller: admin, keyed: null, lockToken: null, reference: null, metadata: null };
  const command = { op: 'redeem' as const, code, userId, ...rest };
  const [answer] = await changeCoupons({ ...core, pool: patient }, admin.tenantId, [command]);
  if (typeof answer !== 'object' || !('body' in answer)) throw answer;
}
/** Runs a statement that locks rows, and keeps them locked. */
async function hold(statement: string) {
  const client = new pg.Client(testCore.database.url);
  await client.connect();
  await client.query('begin');
  await client.query(statement);
  const letGo = async () => {
    await client.query('rollback');
    await client.end();
  };
  return { client, letGo };
}

const settled = async (promise: Promise<unknown>) => (await Promise.allSettled([promise]))[0]!;
const eventsOf = async (code: string) => (await listCouponEvents(testCore.core, admin, code)).data;

test('a redemption counts for whoever made it, wherever its coupon is now', async () => {
  const bookId = await makeBook({ maxRedemptionsPerCode: 5, maxRedemptionsPerUser: 2 });
  const code = await assigned(bookId, 'ana');
  const other = await assigned(bookId, 'ana');
  const first = await redeem(code, 'ana');
  await redeem(code, 'ana');
  await transfer(code, 'bea');
  // Ana has used both of hers, though the coupon is gone; Bea has used none, though the coupon has two.
  await expect(redeem(other, 'ana')).rejects.toMatchObject({ kind: 'user-limit-reached' });
  await redeem(code, 'bea');
  expect((await redeem(code, 'bea')).redemptions).toBe(4);
  await expect(redeem(code, 'bea')).rejects.toMatchObject({ kind: 'user-limit-reached' });
  // One of Ana's is given back: it is Ana's again to use.
  await reverseRedemption(testCore.core, admin, first.redemption.id, {});
  await expect(redeem(code, 'bea')).rejects.toMatchObject({ kind: 'user-limit-reached' });
  await redeem(other, 'ana');
  await expect(redeem(other, 'ana')).rejects.toMatchObject({ kind: 'user-limit-reached' });
});

test('a coupon may go back to whoever gave it, and on, and counts stay true', async () => {
  const bookId = await makeBook({ maxRedemptionsPerCode: null, maxRedemptionsPerUser: 3 });
  const code = await assigned(bookId, 'ana');
  for (const [from, to] of [
    ['ana', 'bea'],
    ['bea', 'ana'],
    ['ana', 'eva'],
    ['eva', 'ana'],
  ] as const) {
    await redeem(code, from);
    await transfer(code, to);
  }
  await redeem(code, 'ana');
  await expect(redeem(code, 'ana')).rejects.toMatchObject({ kind: 'user-limit-reached' });
});

test('a redemption that a former holder made is given back where nothing is limited, and counted once a limit comes', async () => {
  const bookId = await makeBook({ maxRedemptionsPerCode: 3 });
  const code = await assigned(bookId, 'ana');
  const { redemption } = await redeem(code, 'ana');
  await transfer(code, 'bea');
  expect((await reverseRedemption(testCore.core, admin, redemption.id, {})).body.redemptions).toBe(0);
});

test('the same key transfers once, and a replay tells the coupon as it was then', async () => {
  const code = await assigned(await makeBook(), 'ana');
  const body = { userId: 'bea' };
  const once = () =>
    transferCoupon(testCore.core, admin, code, body, keyed(`once-${code}`, `coupons/${code}/transfer`, body));
  const all = await Promise.all([once(), once(), once()]);
  expect(all.map(({ replayed }) => replayed).toSorted()).toEqual([false, true, true]);
  await transfer(code, 'eva');
  expect(await once()).toEqual({ body: all[0]!.body, replayed: true });
  expect(all[0]!.body).toMatchObject({ userId: 'bea', rev: 2 });
});

test('trouble with the key comes before a public code that names no coupon', async () => {
  const { core } = testCore;
  books += 1;
  const publicCode = `TRANSFERS${books}`;
  await createBook(core, admin, { name: 'Everybody', status: 'active', publicCode }, null);
  const code = await assigned(await makeBook(), 'ana');
  const body = { userId: 'bea' };
  await transferCoupon(core, admin, code, body, keyed('used', `coupons/${code}/transfer`, body));
  const asked = (key: string) =>
    transferCoupon(core, admin, publicCode, body, keyed(key, `coupons/${publicCode}/transfer`, body));
  await expect(asked('used')).rejects.toMatchObject({ kind: 'idempotency-key-reused' });
  await expect(asked('new')).rejects.toMatchObject({ kind: 'conflict' });
});

test('an erasure reaches what the user wrote on coupons that it gave away, and leaves the receiver’s', async () => {
  const bookId = await makeBook({ maxRedemptionsPerCode: 5 });
  const code = await assigned(bookId, 'ana');
  await redeem(code, 'ana');
  await transfer(code, 'bea', 'ana gave it to bea');
  await redeem(code, 'bea');
  await eraseUser(testCore.core, admin, 'ana');
  const events = await eventsOf(code);
  expect(JSON.stringify(events)).not.toContain('ana');
  expect(events.map(({ kind, userId }) => [kind, userId])).toEqual([
    ['assigned', null],
    ['redeemed', null],
    ['transferred', 'bea'],
    ['redeemed', 'bea'],
  ]);
  expect(events[2]!.data).toEqual({ fromUserId: null, toUserId: 'bea', reason: null });
  expect(events[3]!.data).toMatchObject({ reference: 'order of bea' });
});

test('a lock that has expired stands in no way, and its token is worth nothing afterwards', async () => {
  const code = await assigned(await makeBook(), 'ana');
  const { lockToken } = (await lockCoupon(testCore.core, admin, code, { userId: 'ana', ttlSeconds: 1 })).body;
  await testCore.core.pool.query('select pg_sleep(1.05)');
  expect((await transfer(code, 'bea')).body).toMatchObject({ userId: 'bea', lockedUntil: null });
  const late = redeemCoupon(testCore.core, admin, code, { userId: 'bea', lockToken });
  await expect(late).rejects.toMatchObject({ kind: 'lock-expired' });
});

test('a redeem that began before its coupon changed hands can’t count beside the receiver’s limit', async () => {
  const bookId = await makeBook({ maxRedemptionsPerUser: 1 });
  const given = await assigned(bookId, 'ana');
  const own = await assigned(bookId, 'bea');
  const other = await testCore.openAnother();
  const holdsAna = await hold(`select from holders where user_id = 'ana' for no key update`);
  // It has seen that the coupon is Ana's, and waits for her row.
  const ofGiven = settled(redeemPatiently(testCore.core, given, 'bea'));
  await waitForLockWait(holdsAna.client, 1);
  // Without the gate it is over at once; with the gate it waits for the redeem.
  const moving = settled(transferCoupon({ ...other, coldPool: patient }, admin, given, { userId: 'bea' }));
  await Promise.race([moving, waitForLockWait(holdsAna.client, 2)]);
  // What the redeems write waits here, behind their decisions.
  const holdsCounters = await hold('select from book_counters for update');
  const ofOwn = settled(redeemPatiently(other, own, 'bea'));
  await waitForLockWait(holdsAna.client, 2);
  await holdsAna.letGo();
  await Promise.race([ofGiven, waitForLockWait(holdsCounters.client, 2, ofOwn)]).catch(() => {});
  await holdsCounters.letGo();
  const made = (await Promise.all([ofGiven, ofOwn])).filter(({ status }) => status === 'fulfilled');
  expect(made.length).toBeLessThanOrEqual(1);
  await moving;
});
