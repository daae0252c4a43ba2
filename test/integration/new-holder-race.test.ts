import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, type Pool } from 'pg';
import { changeCoupons } from '../../core/coupons/engine/change-coupons.ts';
import { openPool } from '../../core/db/pool.ts';
import { assignCode, assignCoupon, createBook, generateCodes, keyedRequest, listCodes } from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { waitForLockWait } from '../support/wait-for-lock.ts';

let testCore: TestCore;
let first: Client;
let second: Client;
let patient: Pool;

beforeAll(async () => {
  testCore = await openTestCore('new holder race');
  first = new Client({ connectionString: testCore.database.url });
  second = new Client({ connectionString: testCore.database.url });
  await Promise.all([first.connect(), second.connect()]);
  patient = openPool(
    { connectionString: testCore.database.url },
    {
      ...{ max: 4, applicationName: 'test', onError: () => {}, plans: 'by-key' },
      ...{ lockTimeoutMillis: 60_000, statementTimeoutMillis: 60_000, idleInTransactionMillis: 60_000 },
    },
  );
});
afterAll(async () => {
  await Promise.all([first.end(), second.end(), patient.end()]);
  await testCore.close();
});

/**
 * The core with a stripe of its own for the book's counter: on one stripe, a batch waits for the other's end. It waits
 * for locks as long as the test needs.
 */
function onStripe(stripe: number): TestCore['core'] {
  const { core } = testCore;
  return { ...core, pool: patient, random: { ...core.random, below: () => stripe } };
}

test('a coupon that is assigned while its redeem waits for locks does not pass maxRedemptionsPerUser', async () => {
  const { core } = testCore;
  const terms = { name: 'New holder', status: 'active' as const, maxRedemptionsPerUser: 1 };
  const bookId = (await createBook(core, admin, terms, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 100, pattern: 'NEWH-########' }, null);
  const { body: ofBea } = await assignCoupon(core, admin, { bookId, userId: 'bea' });
  const { body: ofAna } = await assignCoupon(core, admin, { bookId, userId: 'ana' });
  const { data } = await listCodes(core, admin, bookId, { status: 'available', limit: 1 });
  const code = data[0]!.code;
  const redeem = (of: string, userId: string, keyed: ReturnType<typeof keyedRequest> | null = null) =>
    ({
      op: 'redeem',
      caller: admin,
      keyed,
      code: of,
      userId,
      lockToken: null,
      reference: null,
      metadata: null,
    }) as const;

  // The batch that asks for the code reads who holds what, and then waits for bea.
  await first.query('begin');
  await first.query(`select from holders where user_id = 'bea' for update`);
  const early = changeCoupons(onStripe(0), admin.tenantId, [redeem(ofBea.code, 'bea'), redeem(code, 'ana')]);
  await waitForLockWait(first, 1, early);
  await assignCode(core, admin, code, { userId: 'ana' });

  // Another batch holds ana, counts her redemptions, and is kept from its commit by its key.
  const keyed = keyedRequest(admin, 'key', 'a redeem', {});
  await second.query('begin');
  await second.query('insert into idempotency (tenant_id, key_hash, fingerprint) values (1, $1, 0)', [keyed.keyHash]);
  const late = changeCoupons(onStripe(1), admin.tenantId, [redeem(ofAna.code, 'ana', keyed)]);
  await waitForLockWait(first, 2, late);

  await first.query('commit');
  const [, answer] = await early;
  await second.query('rollback');
  const [other] = await late;

  expect(answer).toMatchObject({ kind: 'coupon-not-found' });
  expect(other).toMatchObject({ body: { status: 'redeemed' } });
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
});
