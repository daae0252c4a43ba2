import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { assignCoupon, createBook, generateCodes, readBook, redeemCoupon } from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';

const billion = 1_000_000_000;

describe('a book of a billion generated codes', () => {
  let testCore: TestCore;
  let bookId: string;
  let client: Client;

  beforeAll(async () => {
    testCore = await openTestCore('billion');
    client = new Client({ connectionString: testCore.database.url });
    await client.connect();
    const book = await createBook(testCore.core, admin, { name: 'Billion', status: 'active' }, null);
    bookId = book.body.id;
  });
  afterAll(async () => {
    await client.end();
    await testCore.close();
  });

  async function countRows(table: string): Promise<number> {
    const { rows } = await client.query<{ count: string }>(`select count(*) from ${table}`);
    return Number(rows[0]!.count);
  }

  test('it is there at once, and takes one row', async () => {
    const startedAt = performance.now();
    await generateCodes(testCore.core, admin, bookId, { count: billion, pattern: 'B-############' }, null);
    console.info(`a book of 10^9 codes took ${Math.round(performance.now() - startedAt)} ms`);
    expect(await countRows('decks')).toBe(1);
    expect(await countRows('deck_codes')).toBe(0);
    expect((await readBook(testCore.core, admin, bookId)).counts).toMatchObject({ codes: billion, available: billion });
  });

  test('the database grows by what is assigned alone, at the millionth code as at the first', async () => {
    const { core } = testCore;
    const first = await assignCoupon(core, admin, { bookId, userId: 'first' });
    // The deal is moved on as if a million codes had been voided, which is what the rows in between would look like.
    await client.query('update decks set next_pos = 1000000, voided = 999999');
    const plans = await Promise.all(
      Array.from({ length: 200 }, (_, index) => assignCoupon(core, admin, { bookId, userId: `u-${index}` })),
    );
    expect(new Set(plans.map(({ body }) => body.code)).size).toBe(200);
    expect(await countRows('coupons')).toBe(201);
    expect(await countRows('events')).toBe(201);
    const { body } = await redeemCoupon(core, admin, first.body.code, { userId: 'first' });
    expect(body.status).toBe('redeemed');
    expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  });
});
