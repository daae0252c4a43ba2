import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import { exportEvents } from '../../core/archive/export-events.ts';
import { findLostRedemptions } from '../../core/archive/lost-redemptions.ts';
import type { Core } from '../../core/core.ts';
import { openPool } from '../../core/db/pool.ts';
import {
  assignCoupon,
  createBook,
  generateCodes,
  redeemCoupon,
  reverseRedemption,
  transferCoupon,
} from '../../core/index.ts';
import { makeArchive } from '../support/event-archive.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { backUp, restore } from '../support/turn-back-time.ts';

let testCore: TestCore;
let core: Core;
let pool: pg.Pool;
let bookId: string;
const archive = makeArchive();

beforeAll(async () => {
  testCore = await openTestCore('lost redemptions');
  core = testCore.core;
  pool = openPool({ connectionString: testCore.database.url }, { max: 3, applicationName: 'test', onError: () => {} });
  bookId = (await createBook(core, admin, { name: 'Lost', status: 'active', maxRedemptionsPerCode: 2 }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 100, pattern: 'LOST-####-####' }, null);
});
afterAll(async () => {
  archive.remove();
  await pool.end();
  await testCore.close();
});

const assign = (userId: string) => assignCoupon(core, admin, { bookId, userId }).then(({ body }) => body.code);
const redeem = (code: string, userId: string) =>
  redeemCoupon(core, admin, code, { userId }, null).then(({ body }) => body.redemption.id);
const exportNow = () =>
  exportEvents(pool, archive.store, { keepMonths: null, includesOpenMonth: true, rowsOfFile: 4, say: () => {} });

test('after a restore, exactly what was redeemed or given back and is lost is listed, with what to do about it', async () => {
  const again = await assign('again');
  const moved = await assign('moved');
  const backLost = await assign('back-lost');
  const kept = await redeem(again, 'again');
  const givenBack = await redeem(backLost, 'back-lost');
  await backUp(core.pool);
  const { rows } = await core.pool.query<{ now: Date }>('select clock_timestamp() as now');
  const moment = rows[0]!.now;

  const lostAgain = await redeem(again, 'again');
  await transferCoupon(core, admin, moved, { userId: 'mover' }, null);
  const lostMoved = await redeem(moved, 'mover');
  const late = await assign('late');
  const lostLate = await redeem(late, 'late');
  const undone = await redeem(late, 'late');
  await reverseRedemption(core, admin, undone, {}, null);
  await reverseRedemption(core, admin, givenBack, {}, null);
  await exportNow();
  await restore(core.pool);

  const { lost, until } = await findLostRedemptions(core, archive.store, null);
  expect(Date.parse(until!)).toBeGreaterThan(0);
  const byId = new Map(lost.map((line) => [line.redemptionId, line]));
  expect([...byId.keys()].sort()).toEqual([lostAgain, lostMoved, lostLate, givenBack].sort());
  expect(byId.has(kept)).toBe(false);
  expect(byId.get(lostAgain)).toMatchObject({ action: 'redeem-again', code: again, userId: 'again', bookId });
  expect(byId.get(lostMoved)).toMatchObject({ action: 'honour', code: moved, userId: null });
  expect(byId.get(lostLate)).toMatchObject({ action: 'honour', code: late, userId: null });
  expect(byId.get(givenBack)).toMatchObject({ action: 'give-back-again', code: backLost });
  expect(lost.map(({ at }) => at)).toEqual(lost.map(({ at }) => at).sort());
  expect((await findLostRedemptions(core, archive.store, moment)).lost).toHaveLength(4);
  expect((await findLostRedemptions(core, archive.store, new Date(8.64e15))).lost).toEqual([]);
});
