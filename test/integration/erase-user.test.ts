import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createBook } from '../../core/book-life/create-book.ts';
import { enterBookGate } from '../../core/books/book-gate.ts';
import { readBook } from '../../core/books/read-book.ts';
import type { Caller } from '../../core/caller.ts';
import { inTransaction, type Transaction } from '../../core/db/transaction.ts';
import type { CouponError } from '../../core/errors.ts';
import { checkInput } from '../../core/input/check-input.ts';
import { strictObject, UserId } from '../../core/input/shapes.ts';
import type { BookKey } from '../../core/keys.ts';
import { eraseUser } from '../../core/users/erase-user.ts';
import { bePatient } from '../support/be-patient.ts';
import { admin, type ColdCore, openColdCore } from '../support/open-cold-core.ts';
import { createTestDatabase, findDeadlocks, type TestDatabase } from '../support/start-postgres.ts';
import { waitForLockWait } from '../support/wait-for-lock.ts';

bePatient();
const personal = 'order of jane@example.com';
let database: TestDatabase;
let core: ColdCore;
let other: ColdCore;

beforeAll(async () => {
  database = await createTestDatabase('erase-user');
  core = openColdCore(database.url);
  other = openColdCore(database.url);
  await core.pool.query(`insert into tenants (id, slug, name, created_at) values (gen_random_uuid(), 'b', 'B', now())`);
});

beforeEach(async () => {
  await core.pool.query('truncate holders, coupons, redemptions, events, decks, book_counters');
});

afterAll(async () => {
  await core.close();
  await other.close();
  await database.drop();
});

interface Place {
  caller: Caller;
  bookId: string;
  bookKey: BookKey;
  deckKey: number;
}

/** A book whose deck has ten codes, of which all have been dealt. */
async function makeBook(caller = admin): Promise<Place> {
  const { id } = (await createBook(core, caller, { name: 'n', status: 'active' }, null)).body;
  const bookKey = (await core.knownBooks.bookKeyOf(caller.tenantId, id))!;
  const { rows } = await core.pool.query(
    `insert into decks (tenant_id, id, book_id, kind, size, next_pos, created_at)
      values ($1, $2, $3, 'uploaded', 10, 10, now()) returning deck_id`,
    [caller.tenantId, randomUUID(), bookKey],
  );
  return { caller, bookId: id, bookKey, deckKey: rows[0].deck_id };
}

/** A coupon in the user's hands that was redeemed, reversed and voided, each with something personal beside it. */
async function makeCoupon(place: Place, userId: string, pos: number): Promise<void> {
  const { tenantId } = place.caller;
  const values = [tenantId, place.deckKey, pos];
  await core.pool.query(
    `insert into holders (tenant_id, book_id, user_id) values ($1, $2, $3) on conflict do nothing`,
    [tenantId, place.bookKey, userId],
  );
  const { rows } = await core.pool.query(
    'select holder_id from holders where tenant_id = $1 and book_id = $2 and user_id = $3',
    [tenantId, place.bookKey, userId],
  );
  const holderId = rows[0].holder_id;
  const redemptionId = randomUUID();
  await core.pool.query(
    `insert into coupons (tenant_id, deck_id, pos, holder_id, assigned_at, rev, redemptions, max_redemptions, code)
      values ($1, $2, $3, $4, now(), 4, 0, 1, $5)`,
    [...values, holderId, `CODE-${place.deckKey}-${pos}`],
  );
  await core.pool.query(
    `insert into redemptions (id, tenant_id, deck_id, pos, at, reversed_at, seq, reference, metadata)
      values ($4, $1, $2, $3, now(), now(), 1, $5, jsonb_build_object('text', $5::text))`,
    [...values, redemptionId, personal],
  );
  for (const [rev, kind, reason] of [
    [1, 1, null],
    [2, 5, null],
    [3, 6, personal],
    [4, 7, personal],
  ] as const) {
    await core.pool.query(
      `insert into events (tenant_id, deck_id, pos, at, holder_id, redemption_id, rev, redemptions, fence, kind, actor, reason)
        values ($1, $2, $3, now() - interval '40 days' * $7, $4, $5, $6, 0, 0, $7, 'key:1', $8)`,
      [...values, holderId, kind === 5 || kind === 6 ? redemptionId : null, rev, kind, reason],
    );
  }
}

/** Every row of every table that a user's data could be in, as text. */
async function everything(tenantId: number): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const table of [
    'holders',
    'coupons',
    'redemptions',
    'events',
    'decks',
    'book_counters',
    'idempotency',
    'books',
  ]) {
    const { rows } = await core.pool.query(`select t::text as row from ${table} t where tenant_id = $1 order by 1`, [
      tenantId,
    ]);
    found[table] = rows.map((row) => row.row);
  }
  return found;
}

test('nothing that names the user or was written beside its coupons is left, in any of its books', async () => {
  const places = [await makeBook(), await makeBook()];
  for (const place of places) {
    await makeCoupon(place, 'jane', 0);
    await makeCoupon(place, 'jane', 1);
  }
  await eraseUser(core, admin, 'jane');
  expect(JSON.stringify(await everything(1))).not.toContain('jane');
});

test('no row goes, and every count stays true', async () => {
  const place = await makeBook();
  await makeCoupon(place, 'jane', 0);
  const before = await everything(1);
  const book = await readBook(core, admin, place.bookId);
  await eraseUser(core, admin, 'jane');
  const after = await everything(1);
  expect(Object.values(after).map((rows) => rows.length)).toEqual(Object.values(before).map((rows) => rows.length));
  expect(after.coupons).toEqual(before.coupons);
  expect(await readBook(core, admin, place.bookId)).toEqual(book);
});

test('other users, and a user of the same id in another tenant, keep everything', async () => {
  const place = await makeBook();
  const elsewhere = await makeBook({ ...admin, tenantId: 2 });
  await makeCoupon(place, 'janet', 0);
  await makeCoupon(place, 'Jane', 1);
  await makeCoupon(elsewhere, 'jane', 0);
  const before = [await everything(1), await everything(2)];
  await eraseUser(core, admin, 'jane');
  expect([await everything(1), await everything(2)]).toEqual(before);
});

test('erasing a user again, or one that never was, succeeds and changes nothing', async () => {
  const place = await makeBook();
  await makeCoupon(place, 'jane', 0);
  await eraseUser(core, admin, 'jane');
  const before = await everything(1);
  await eraseUser(core, admin, 'jane');
  await eraseUser(core, admin, 'nobody');
  expect(await everything(1)).toEqual(before);
});

test('a user that comes back is a new one, whose data can be erased again', async () => {
  const place = await makeBook();
  await makeCoupon(place, 'jane', 0);
  await eraseUser(core, admin, 'jane');
  await makeCoupon(place, 'jane', 1);
  expect((await everything(1)).holders).toHaveLength(2);
  await eraseUser(core, admin, 'jane');
  expect(JSON.stringify(await everything(1))).not.toContain('jane');
});

test.each(['', 'x'.repeat(129), 'a\0', '\ud800'])('a user id of %j is invalid-input', async (userId) => {
  const erase = async () => {
    const path = checkInput(strictObject({ userId: UserId }), { userId }, 'parameters');
    await eraseUser(core, admin, path.userId);
  };
  const refusal = await erase().catch((error: CouponError) => error.refusal);
  expect(refusal).toMatchObject({ kind: 'invalid-input', errors: [{ path: 'userId' }] });
});

test('a redeem that is inside the gate when the erasure comes leaves nothing personal behind', async () => {
  const place = await makeBook();
  await makeCoupon(place, 'jane', 0);
  const erasure = await inTransaction(other.pool, async (tx: Transaction) => {
    await enterBookGate(tx, 1, [place.bookKey]);
    const erasing = eraseUser(core, admin, 'jane');
    await waitForLockWait(other.pool, 1, erasing);
    const id = randomUUID();
    await tx.query(
      `insert into redemptions (id, tenant_id, deck_id, pos, at, seq, reference) values ($1, 1, $2, 0, now(), 2, $3)`,
      [id, place.deckKey, personal],
    );
    await tx.query(
      `insert into events (tenant_id, deck_id, pos, at, redemption_id, rev, redemptions, fence, kind, actor)
        values (1, $2, 0, now(), $1, 5, 1, 0, 5, 'key:1')`,
      [id, place.deckKey],
    );
    return { erasing };
  });
  await erasure.erasing;
  const after = await everything(1);
  expect(after.redemptions).toHaveLength(2);
  expect(JSON.stringify(after)).not.toContain('jane');
});

test('twenty erasures of one user in many books at once, from two processes, all succeed without a deadlock', async () => {
  const places = [];
  for (let index = 0; index < 5; index += 1) places.push(await makeBook());
  for (const place of places) await makeCoupon(place, 'jane', 0);
  const twentyTimes = (call: (process: ColdCore) => Promise<unknown>) =>
    Promise.all(Array.from({ length: 20 }, (_, index) => call(index % 2 ? core : other)));
  // So that every connection is open, and none of the erasures is over before the others have begun.
  await twentyTimes((process) => process.pool.query('select pg_sleep(0.1)'));
  await twentyTimes((process) => eraseUser(process, admin, 'jane'));
  expect(JSON.stringify(await everything(1))).not.toContain('jane');
  expect(await findDeadlocks(database.name)).toEqual([]);
});
