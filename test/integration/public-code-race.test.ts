import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Caller, createBook, eraseUser, lockCoupon, redeemCoupon, transferCoupon } from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';

const publicCode = 'FOREVERYBODY';
const customer = (customerId: string): Caller => ({ ...admin, role: 'customer', actor: 'customer', customerId });
let testCore: TestCore;

beforeAll(async () => {
  testCore = await openTestCore('public-code-race');
  const terms = { publicCode, maxRedemptionsPerCode: null, selfService: true };
  await createBook(testCore.core, admin, { name: 'Public', status: 'active', ...terms }, null);
});
afterAll(() => testCore.close());

const use = (userId: string) => lockCoupon(testCore.core, customer(userId), publicCode, { userId });

/** Has `what` happen between finding a user's coupon and reading it, once. */
function inBetween(what: () => Promise<unknown>): void {
  const { pool } = testCore.core;
  const query = pool.query;
  pool.query = async function (this: typeof pool, ...args: [{ name?: string }]) {
    if (args[0].name === 'read-coupons') {
      pool.query = query;
      await what();
    }
    return (query as (...all: unknown[]) => unknown).apply(pool, args);
  } as unknown as typeof query;
}

test('a customer’s use of a public code that an erasure overtakes is as one that comes after it', async () => {
  const { code } = (await redeemCoupon(testCore.core, customer('ana'), publicCode, { userId: 'ana' })).body;
  inBetween(() => eraseUser(testCore.core, admin, 'ana'));
  const { body } = await use('ana');
  expect(body).toMatchObject({ status: 'locked', userId: 'ana', publicCode });
  expect(body.code).not.toBe(code);
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
});

test('a customer’s use of a public code whose coupon goes to another meanwhile is dealt one of its own', async () => {
  const { code } = (await redeemCoupon(testCore.core, customer('bea'), publicCode, { userId: 'bea' })).body;
  inBetween(() => transferCoupon(testCore.core, admin, code, { userId: 'cid' }));
  const { body } = await use('bea');
  expect(body).toMatchObject({ status: 'locked', userId: 'bea' });
  expect(body.code).not.toBe(code);
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
});
