import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { dropMonth } from '../../core/archive/drop-month.ts';
import type { EventMonth } from '../../core/archive/event-months.ts';
import { importMonth } from '../../core/archive/import-month.ts';
import type { Core } from '../../core/core.ts';
import { openPool } from '../../core/db/pool.ts';
import { countEvents } from '../../core/events/count-events.ts';
import { settleEvents } from '../../core/events/settled-events.ts';
import {
  assignCoupon,
  createBook,
  eraseUser,
  exportCodes,
  generateCodes,
  keyedRequest,
  listCouponEvents,
  listRedemptions,
  redeemCoupon,
  reverseRedemption,
  systemClock,
  transferCoupon,
} from '../../core/index.ts';
import { askInvariants, nothingAsked } from '../../core/restore/ask-invariants.ts';
import { readInvariants } from '../../core/restore/read-invariants.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { exportAll, makeArchive } from '../support/event-archive.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';

/** Every event has been exported and removed: what is still answered, and how. */
let testCore: TestCore;
let core: Core;
let pool: pg.Pool;
let bookId: string;
let months: EventMonth[];
const archive = makeArchive();
const keys = { assign: key('assign'), redeem: key('redeem') };
const made = { code: '', redemption: '', transferred: '', ofGiver: '' };

function key(word: string) {
  return keyedRequest(admin, `key of ${word}`, `/v1/${word}`, { word });
}

async function redeem(code: string, userId: string, reference: string, keyed = key(reference)): Promise<string> {
  return (await redeemCoupon(core, admin, code, { userId, reference }, keyed)).body.redemption.id;
}

beforeAll(async () => {
  testCore = await openTestCore('events gone');
  core = testCore.core;
  pool = openPool({ connectionString: testCore.database.url }, { max: 3, applicationName: 'test', onError: () => {} });
  bookId = (await createBook(core, admin, { name: 'Gone', status: 'active', maxRedemptionsPerCode: 5 }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 100, pattern: 'GONE-####-####' }, null);
  made.code = (await assignCoupon(core, admin, { bookId, userId: 'keeper' }, keys.assign)).body.code;
  made.redemption = await redeem(made.code, 'keeper', 'order-1', keys.redeem);
  await redeem(made.code, 'keeper', 'order-2');
  made.transferred = (await assignCoupon(core, admin, { bookId, userId: 'giver' })).body.code;
  made.ofGiver = await redeem(made.transferred, 'giver', 'order-3');
  await transferCoupon(core, admin, made.transferred, { userId: 'taker' }, null);
  await redeem(made.transferred, 'taker', 'order-4');
  months = await exportAll(pool, archive.store);
  await expect(dropMonth(pool, archive.store, months.at(-1)!)).rejects.toThrow('reports have not counted all events');
  await countAll();
  for (const month of months) await dropMonth(pool, archive.store, month);
  // As at the next start.
  await pool.query('select create_event_partitions(clock_timestamp(), 4)');
});
afterAll(async () => {
  archive.remove();
  await pool.end();
  await testCore.close();
});

/** As the API's background does; a transaction of another test delays it. */
async function countAll(): Promise<void> {
  for (let isLeft = true; isLeft; ) {
    await settleEvents(core);
    await countEvents(core);
    const { rows } = await pool.query<{ isLeft: boolean }>(
      'select exists (select from events where at >= (select counted_until from counted_events)) as "isLeft"',
    );
    isLeft = rows[0]!.isLeft;
  }
}

const references = async (userId: string) =>
  (await listRedemptions(core, admin, { userId })).data.map(({ reference }) => reference).sort();

describe('of a coupon whose events were removed', () => {
  test('every event is gone, and brought back they keep every promise', async () => {
    expect((await pool.query('select count(*) from events')).rows).toEqual([{ count: 0 }]);
    for (const month of months) await importMonth(pool, archive.store, month);
    expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
    expect(await references('keeper')).toEqual(['order-1', 'order-2']);
    for (const month of months) await dropMonth(pool, archive.store, month);
    await pool.query('select create_event_partitions(clock_timestamp(), 4)');
  });

  test('a repeat under an old key is refused and does nothing again', async () => {
    await expect(assignCoupon(core, admin, { bookId, userId: 'keeper' }, keys.assign)).rejects.toMatchObject({
      kind: 'idempotency-key-reused',
      message: expect.stringContaining('was carried out'),
    });
    await expect(redeem(made.code, 'keeper', 'order-1', keys.redeem)).rejects.toMatchObject({
      kind: 'idempotency-key-reused',
    });
    const { rows } = await pool.query('select count(*) from redemptions');
    expect(rows).toEqual([{ count: 4 }]);
  });

  test('redemptions are still listed under whoever made them, also after a transfer', async () => {
    expect(await references('keeper')).toEqual(['order-1', 'order-2']);
    expect(await references('giver')).toEqual(['order-3']);
    expect(await references('taker')).toEqual(['order-4']);
    const { data } = await listRedemptions(core, admin, { code: made.transferred });
    expect(data.map(({ userId }) => userId).sort()).toEqual(['giver', 'taker']);
  });

  test('the last redemption is told of its code, and its history is empty rather than unknown', async () => {
    const lines: string[] = [];
    for await (const piece of await exportCodes(core, admin, bookId, { status: 'assigned' })) lines.push(String(piece));
    const line = lines
      .join('')
      .split('\r\n')
      .find((text) => text.startsWith(made.code));
    expect(line).toMatch(/,2,\d{4}-\d{2}-\d{2}T[\d:.]+Z$/);
    expect(await listCouponEvents(core, admin, made.code)).toEqual({ data: [], nextCursor: null });
    await expect(listCouponEvents(core, admin, 'GONE-0000-0000')).rejects.toMatchObject({ kind: 'coupon-not-found' });
  });

  test('a redemption is given back, for whoever made it', async () => {
    const { body } = await reverseRedemption(core, admin, made.redemption, {}, null);
    expect(body.redemptions).toBe(1);
    await reverseRedemption(core, admin, made.ofGiver, {}, null);
    const { rows } = await pool.query("select carried_redemptions as carried from holders where user_id = 'giver'");
    expect(rows).toEqual([{ carried: 0 }]);
  });

  test('a drill leaves out the promises that fold events, and every other one is still kept', async () => {
    const invariants = await readInvariants();
    const answers = await askInvariants(pool, invariants, nothingAsked, {
      clock: systemClock,
      deadline: systemClock.monotonic() + 60_000,
    });
    const folding = invariants.filter(({ foldsEvents }) => foldsEvents).map(({ name }) => name);
    expect(folding.length).toBeGreaterThan(0);
    expect(answers).toEqual({
      asked: invariants.length - folding.length,
      broken: [],
      unanswered: [],
      leftOut: folding,
      next: null,
    });
  });

  test('erasing a user empties what was written beside the user’s redemptions', async () => {
    await eraseUser(core, admin, 'keeper');
    await eraseUser(core, admin, 'taker');
    const { rows } = await pool.query('select reference from redemptions where reference is not null');
    expect(rows).toEqual([{ reference: 'order-3' }]);
  });
});
