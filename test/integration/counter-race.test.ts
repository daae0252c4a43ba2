import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { databaseLimits } from '../../core/db/database-limits.ts';
import { assignCoupon, createBook, generateCodes, redeemCoupon } from '../../core/index.ts';
import { systemRandom } from '../../core/random.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { setForFile } from '../support/set-for-file.ts';
import { waitForLockWait } from '../support/wait-for-lock.ts';

bePatient();
// A session that gives up waiting draws another stripe, or looks again later: a stalled machine would change the test.
setForFile(databaseLimits, { hotLockTimeoutMillis: 600_000 });
let testCore: TestCore;
let other: Client;

beforeAll(async () => {
  // Every transaction draws the first stripe, so that all of them meet.
  testCore = await openTestCore('counter race', { random: { ...systemRandom, below: () => 0 } });
  other = new Client({ connectionString: testCore.database.url });
  await other.connect();
});
afterAll(async () => {
  await other.end();
  await testCore.close();
});

test.each([
  ['without a limit', {}],
  ['with maxRedemptions', { maxRedemptions: 10 }],
])('of two transactions that count in one row of a book %s, both are counted', async (_name, limit) => {
  const { core } = testCore;
  const bookId = (await createBook(core, admin, { name: 'Counted', status: 'active', ...limit }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 10, pattern: 'COUNT-########' }, null);
  const { body } = await assignCoupon(core, admin, { bookId, userId: 'ana' });
  const own = `update book_counters set redemptions = redemptions + $2
    where stripe = 0 and book_id = (select book_id from books where id = $1)`;
  await other.query('begin');
  await other.query(own, [bookId, 5]);
  const redeem = redeemCoupon(core, admin, body.code, { userId: 'ana' });
  await waitForLockWait(other, 1, redeem);
  await other.query('commit');
  await redeem;
  // What this test added by hand is taken away again, and the redeem is left.
  await other.query(own, [bookId, -5]);
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
});
