import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  assignCode,
  assignCoupon,
  createBook,
  generateCodes,
  listCouponEvents,
  listUserCoupons,
  lockCoupon,
  readBook,
  readCoupon,
  redeemCoupon,
  reverseRedemption,
  unlockCoupon,
  validateCoupon,
  voidCoupon,
} from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { keyed } from '../support/keyed.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';

describe('a coupon from its deck to its end', () => {
  let testCore: TestCore;
  let bookId: string;

  beforeAll(async () => {
    testCore = await openTestCore('coupon life');
    const book = await createBook(testCore.core, admin, { name: 'Life', status: 'active' }, null);
    bookId = book.body.id;
    await generateCodes(testCore.core, admin, bookId, { count: 1000, pattern: 'LIFE-####-####' }, null);
  });
  afterAll(() => testCore.close());

  test('it is assigned, locked, renewed, unlocked, locked again and redeemed, one revision a step', async () => {
    const { core } = testCore;
    const input = { bookId, userId: 'u-1' };
    const { body: coupon } = await assignCoupon(core, admin, input, keyed('key-1', 'coupons/assign', input));
    expect(coupon).toMatchObject({ status: 'assigned', userId: 'u-1', rev: 1, redemptions: 0, maxRedemptions: 1 });
    const again = await assignCoupon(core, admin, input, keyed('key-1', 'coupons/assign', input));
    expect(again).toEqual({ body: coupon, replayed: true });
    const { code } = coupon;
    expect(await validateCoupon(core, admin, code, { userId: 'u-1' })).toEqual({ redeemable: true, rev: 1 });
    const { body: locked } = await lockCoupon(core, admin, code, { userId: 'u-1', ttlSeconds: 60 });
    expect(locked).toMatchObject({ status: 'locked', lockToken: expect.stringMatching(/^1\d{10}$/), rev: 2 });
    const { lockToken } = locked;
    await expect(redeemCoupon(core, admin, code, { userId: 'u-1' })).rejects.toMatchObject({ kind: 'code-locked' });
    const { body: renewed } = await lockCoupon(core, admin, code, { userId: 'u-1', lockToken });
    expect(renewed).toMatchObject({ status: 'locked', lockToken, rev: 3 });
    const { body: unlocked } = await unlockCoupon(core, admin, code, { userId: 'u-1', lockToken });
    expect(unlocked).toMatchObject({ status: 'assigned', rev: 4, lockedUntil: null });
    const { body: lockedAgain } = await lockCoupon(core, admin, code.toLowerCase(), { userId: 'u-1' });
    expect(lockedAgain.lockToken).toMatch(/^2\d{10}$/);
    const use = { userId: 'u-1', lockToken: lockedAgain.lockToken, reference: 'o-1' };
    const redeem = () => redeemCoupon(core, admin, code, use, keyed('r', `coupons/${code}/redeem`, use));
    const { body: redeemed } = await redeem();
    expect(redeemed).toMatchObject({
      status: 'redeemed',
      rev: 6,
      redemptions: 1,
      redemption: { seq: 1, reference: 'o-1' },
    });
    expect(await redeem()).toEqual({ body: redeemed, replayed: true });
    const { body: reversed } = await reverseRedemption(core, admin, redeemed.redemption.id, { reason: 'cancelled' });
    expect(reversed).toMatchObject({ status: 'assigned', rev: 7, redemptions: 0 });
    const { body: voided } = await voidCoupon(core, admin, code, { reason: 'leaked' });
    expect(voided).toMatchObject({ status: 'voided', rev: 8 });
    expect(await readCoupon(core, admin, code)).toEqual(voided);
    const events = await listCouponEvents(core, admin, code);
    expect(events.data.map(({ kind }) => kind)).toEqual([
      'assigned',
      'locked',
      'lock-renewed',
      'unlocked',
      'locked',
      'redeemed',
      'reversed',
      'voided',
    ]);
    const list = await listUserCoupons(core, admin, 'u-1');
    expect(list).toEqual({ data: [voided], nextCursor: null });
  });

  test('a code is taken by name once, and voided before anyone has it', async () => {
    const { core } = testCore;
    const { body: first } = await assignCoupon(core, admin, { bookId, userId: 'u-2' });
    await expect(assignCode(core, admin, first.code, { userId: 'u-3' })).rejects.toMatchObject({
      kind: 'code-already-assigned',
    });
    const free = (await core.knownPatterns.ofTenant(core.pool, 1)).patterns
      .values()
      .next()
      .value!.codec()
      .codesAt([900, 901]);
    const request = keyed('take', `coupons/${free[0]}/assign`, { userId: 'u-3' });
    const { body: taken } = await assignCode(core, admin, free[0]!, { userId: 'u-3' }, request);
    expect(taken).toMatchObject({ code: free[0], userId: 'u-3', rev: 1 });
    expect(await assignCode(core, admin, free[0]!, { userId: 'u-3' }, request)).toEqual({
      body: taken,
      replayed: true,
    });
    const { body: voided } = await voidCoupon(core, admin, free[1]!, {});
    expect(voided).toMatchObject({ code: free[1], userId: null, status: 'voided', rev: 1, assignedAt: null });
    const { counts } = await readBook(core, admin, bookId);
    expect(counts).toEqual({ codes: 1000, available: 996, assigned: 2, redemptions: 0, voided: 2 });
  });

  test('every invariant holds after it', async () => {
    expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  });
});
