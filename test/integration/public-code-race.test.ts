import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  assignCode,
  type Caller,
  changeBook,
  createBook,
  eraseUser,
  generateCodes,
  lockCoupon,
  redeemCoupon,
  transferCoupon,
} from '../../core/index.ts';
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

test('uses of a public code by a new user that come in one batch are of one coupon', async () => {
  const redeem = (userId: string) => redeemCoupon(testCore.core, admin, publicCode, { userId });
  for (const user of ['eva', 'eli', 'edu', 'ema']) {
    // The first ones are under way while all of the user's own come together.
    const before = Array.from({ length: 40 }, (_one, at) => redeem(`before-${user}-${at}`));
    const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(user)));
    await Promise.all(before);
    expect(new Set(answers.map(({ body }) => body.code)).size).toBe(1);
  }
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
});

/** Has `what` happen once codes are located, before anything is locked. */
function behindLocating(what: () => Promise<unknown>): void {
  const { pool } = testCore.core;
  const query = pool.query;
  pool.query = async function (this: typeof pool, ...args: [{ name?: string }]) {
    const answer = await (query as (...all: unknown[]) => unknown).apply(pool, args);
    if (args[0].name === 'locate-codes') {
      pool.query = query;
      await what();
    }
    return answer;
  } as unknown as typeof query;
}

const uses = {
  assign: (code: string) => assignCode(testCore.core, admin, code, { userId: 'dan' }),
  lock: (code: string) => lockCoupon(testCore.core, admin, code, { userId: 'dan' }),
  redeem: (code: string) => redeemCoupon(testCore.core, admin, code, { userId: 'dan' }),
};

let drafts = 0;
for (const [name, use] of Object.entries(uses)) {
  for (const given of [null, 'another'] as const) {
    const title = given === null ? 'gives it up' : 'changes it';
    test(`nothing is dealt by a draft’s public code to a user’s ${name} that the book’s opening overtakes, where that ${title}`, async () => {
      const { core } = testCore;
      drafts += 1;
      const before = `BEFORE-OPENING-${drafts}`;
      const terms = { publicCode: before, maxRedemptionsPerCode: null };
      const { id } = (await createBook(core, admin, { name: 'Draft', ...terms }, null)).body;
      await generateCodes(core, admin, id, { count: 10, pattern: `DRAFT${drafts}-########` }, null);
      const publicCode = given === null ? null : `AFTER-OPENING-${drafts}`;
      behindLocating(() => changeBook(core, admin, id, { publicCode, status: 'active' }, null));
      await expect(use(before)).rejects.toMatchObject({ refusal: { kind: 'coupon-not-found' } });
      const { rows } = await core.pool.query(
        'select sum(next_pos)::int as dealt from decks d join books b using (book_id) where b.id = $1',
        [id],
      );
      expect(rows).toEqual([{ dealt: 0 }]);
      expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
    });
  }
}
