import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Core } from '../../core/core.ts';
import {
  assignBatch,
  assignCode,
  assignCoupon,
  authenticateKey,
  changeBook,
  createApiKey,
  createBook,
  listCouponEvents,
  listUserCoupons,
  lockCoupon,
  readCoupon,
  redeemCoupon,
  reverseRedemption,
  unlockCoupon,
  validateCoupon,
} from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { uploadText } from '../support/upload-text.ts';

const minute = 60_000;
const userId = 'ana';

let testCore: TestCore;
/** A process whose clock is right. */
let exact: Core;
let books = 0;

beforeAll(async () => {
  testCore = await openTestCore('skewed clocks');
  exact = testCore.core;
});
afterAll(async () => {
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  await testCore.close();
});

function shifted(millis: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + millis };
}

/** The database's clock, in whole milliseconds since the epoch. */
async function databaseNow(): Promise<number> {
  const { rows } = await exact.pool.query<{ now: Date }>(`select date_trunc('milliseconds', clock_timestamp()) as now`);
  return rows[0]!.now.getTime();
}

/** `minutes` from now by the database's clock, as a request says it. */
async function inMinutes(minutes: number): Promise<string> {
  return new Date((await databaseNow()) + minutes * minute).toISOString();
}

async function waitUntilPast(time: string): Promise<void> {
  // A whole millisecond more: within it, all have the same time.
  while ((await databaseNow()) <= Date.parse(time)) await sleep(50);
}

/** An active book with a coupon that ana holds, and codes that nobody has. */
async function makeBook(): Promise<{ bookId: string; held: string; free: string }> {
  books += 1;
  const bookId = (await createBook(exact, admin, { name: 'Clocks', status: 'active' }, null)).body.id;
  const name = (code: number) => `CLOCK-${books}-${code}`;
  await uploadText(exact, bookId, 'csv', Array.from({ length: 20 }, (_, code) => name(code)).join('\n'));
  await assignCode(exact, admin, name(0), { userId });
  return { bookId, held: name(0), free: name(1) };
}

/** What a request was refused with, or null for a success. */
function refusalOf(request: Promise<unknown>): Promise<string | null> {
  return request.then(
    () => null,
    (error: { kind: string }) => error.kind,
  );
}

test('the database and the tests have one clock, whatever day it is set to', async () => {
  expect(Math.abs((await databaseNow()) - systemClock.now())).toBeLessThan(minute);
});

// Far more than anything here takes, so that a decision by the process's clock differs from one by the database's.
describe.each([
  ['ahead', 10 * minute],
  ['behind', -10 * minute],
])('a process whose clock is ten minutes %s', (_which, skew) => {
  let skewed: Core;
  beforeAll(async () => {
    skewed = await testCore.openAnother({ clock: shifted(skew) });
  });

  test('grants and renews locks that last by the database’s clock, and holds others to them', async () => {
    const { held } = await makeBook();
    let lock: { lockToken?: string } = {};
    for (let grant = 0; grant < 2; grant += 1) {
      const before = await databaseNow();
      const { body } = await lockCoupon(skewed, admin, held, { userId, ttlSeconds: 120, ...lock });
      const until = Date.parse(body.lockedUntil!) - 2 * minute;
      expect(until).toBeGreaterThanOrEqual(before);
      expect(until).toBeLessThanOrEqual(await databaseNow());
      lock = { lockToken: (body as { lockToken: string }).lockToken };
    }
    for (const core of [exact, skewed]) {
      expect(await refusalOf(redeemCoupon(core, admin, held, { userId }))).toBe('code-locked');
      expect(await refusalOf(lockCoupon(core, admin, held, { userId }))).toBe('code-locked');
      expect(await validateCoupon(core, admin, held, { userId })).toMatchObject({ reason: 'code-locked' });
      expect((await readCoupon(core, admin, held)).status).toBe('locked');
      expect((await listUserCoupons(core, admin, userId, { status: 'locked' })).data).toContainEqual(
        expect.objectContaining({ code: held }),
      );
    }
    expect((await redeemCoupon(skewed, admin, held, { userId, ...lock })).body.status).toBe('redeemed');
  });

  test('lets go of a lock when it has expired by the database’s clock', async () => {
    const { held } = await makeBook();
    const { body } = await lockCoupon(exact, admin, held, { userId, ttlSeconds: 1 });
    const { lockedUntil, lockToken } = body as { lockedUntil: string; lockToken: string };
    await waitUntilPast(lockedUntil);
    expect(await refusalOf(redeemCoupon(skewed, admin, held, { userId, lockToken }))).toBe('lock-expired');
    expect(await refusalOf(unlockCoupon(skewed, admin, held, { userId, lockToken }))).toBe('lock-expired');
    expect(await refusalOf(lockCoupon(skewed, admin, held, { userId, lockToken }))).toBe('lock-expired');
    expect((await readCoupon(skewed, admin, held)).status).toBe('assigned');
    expect(await validateCoupon(skewed, admin, held, { userId })).toMatchObject({ redeemable: true });
    expect(await refusalOf(redeemCoupon(skewed, admin, held, { userId }))).toBeNull();
  });

  test('opens a book when it starts by the database’s clock', async () => {
    const { bookId, held } = await makeBook();
    const useHeld = async () => [
      await refusalOf(lockCoupon(skewed, admin, held, { userId })),
      (await validateCoupon(skewed, admin, held, { userId })).redeemable,
    ];
    await changeBook(exact, admin, bookId, { startsAt: await inMinutes(5) }, null);
    expect(await refusalOf(redeemCoupon(skewed, admin, held, { userId }))).toBe('book-outside-window');
    expect(await useHeld()).toEqual(['book-outside-window', false]);
    await changeBook(exact, admin, bookId, { startsAt: await inMinutes(-5) }, null);
    expect(await refusalOf(redeemCoupon(skewed, admin, held, { userId }))).toBeNull();
  });

  test('ends a book when it ends by the database’s clock', async () => {
    const { bookId, held, free } = await makeBook();
    const requests = async () => [
      await refusalOf(assignCode(skewed, admin, free, { userId })),
      await refusalOf(assignCoupon(skewed, admin, { bookId, userId })),
      (await assignBatch(skewed, admin, { bookId, userIds: [userId] })).body.results.map((result) =>
        'refusal' in result ? result.refusal.kind : null,
      )[0],
      (await validateCoupon(skewed, admin, held, { userId })).redeemable ? null : 'book-outside-window',
      await refusalOf(redeemCoupon(skewed, admin, held, { userId })),
    ];
    await changeBook(exact, admin, bookId, { endsAt: await inMinutes(-5) }, null);
    expect(await requests()).toEqual(Array(5).fill('book-outside-window'));
    expect(await refusalOf(lockCoupon(skewed, admin, held, { userId }))).toBe('book-outside-window');
    await changeBook(exact, admin, bookId, { endsAt: await inMinutes(5) }, null);
    expect(await requests()).toEqual(Array(5).fill(null));
  });

  test('writes the database’s time down: assigns, redemptions and events', async () => {
    const { bookId } = await makeBook();
    const before = await databaseNow();
    const { code, assignedAt } = (await assignCoupon(skewed, admin, { bookId, userId })).body;
    const { redemption } = (await redeemCoupon(skewed, admin, code, { userId })).body;
    await reverseRedemption(skewed, admin, redemption.id, {});
    const after = await databaseNow();
    const { data } = await listCouponEvents(exact, admin, code, {});
    // The first 48 bits of a redemption's id are its time.
    const ofId = Number.parseInt(redemption.id.replace('-', '').slice(0, 12), 16);
    const times = [assignedAt!, redemption.at, ...data.map(({ at }) => at)].map((time) => Date.parse(time));
    expect(times).toHaveLength(5);
    for (const time of [...times, ofId]) {
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(after);
    }
  });

  test('lets an API key go when it has expired by the database’s clock', async () => {
    const expiresAt = await inMinutes(5);
    const { body } = await createApiKey(exact, admin, { name: 'Clocks', role: 'operator', expiresAt }, null);
    expect(await authenticateKey(skewed, body.secret!)).not.toBeNull();
    // A process that has not yet seen the key, since a look at a good key is remembered for a while.
    const other = await testCore.openAnother({ clock: shifted(skew) });
    await exact.pool.query(`update api_keys set expires_at = clock_timestamp() - interval '5 minutes' where id = $1`, [
      body.id,
    ]);
    expect(await authenticateKey(other, body.secret!)).toBeNull();
  });
});
