import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Core } from '../../core/core.ts';
import {
  assignCode,
  assignCoupon,
  CouponError,
  changeBook,
  createBook,
  createWebhook,
  deleteBook,
  generateCodes,
  lookUpCode,
  readBook,
  uploadCodes,
  voidCoupon,
} from '../../core/index.ts';
import { watchBooks } from '../../core/webhooks/delivery/watch-books.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { isLong } from '../support/long-run.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';

bePatient();
let testCore: TestCore;
let cores: [Core, Core, Core];
beforeAll(async () => {
  testCore = await openTestCore('delete-book');
  cores = [testCore.core, await testCore.openAnother(), await testCore.openAnother()];
});
afterAll(() => testCore.close());
afterEach(async () => expect(await findBrokenInvariants(testCore.database.url)).toEqual([]));

const newBook = async (core: Core) => (await createBook(core, admin, { name: 'To go' }, null)).body.id;
const upload = (core: Core, bookId: string, codes: string[]) =>
  uploadCodes(core, admin, bookId, { format: 'csv', body: Readable.from([codes.join('\n')]) }, null);
const kindOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => {
      if (error instanceof CouponError) return error.kind;
      throw error;
    },
  );

/** How many rows of the book are left anywhere. */
async function rowsLeft(bookId: string, prefix: string): Promise<number> {
  const { rows } = await testCore.core.pool.query<{ left: number }>(
    `select (select count(*) from books where id = $1)::int
      + (select count(*) from deck_codes where code like $2 || '%')::int
      + (select count(*) from deck_blocks where codes like $2 || '%')::int as left`,
    [bookId, prefix],
  );
  return rows[0]!.left;
}

describe('deleting a book', () => {
  test('what is kept of it for webhooks goes with it', async () => {
    const { core } = testCore;
    const bookId = await newBook(core);
    await createWebhook(core, admin, { url: 'https://example.com/', events: ['book.exhausted'] }, null);
    await watchBooks(core);
    const kept = async () =>
      (await core.pool.query(`select book_id from webhook_books union all select book_id from stock_changes`)).rows;
    expect(await kept()).toHaveLength(1);
    await deleteBook(core, admin, bookId);
    expect(await kept()).toEqual([]);
    await core.pool.query('truncate webhooks, webhook_secrets, webhook_replays, webhook_deliveries');
  });

  test('other processes that know the book and its codes find neither any more', async () => {
    const [a, b, c] = cores;
    const bookId = await newBook(a);
    await upload(a, bookId, ['KNOWN-1001', 'KNOWN-1002']);
    const { example } = (await generateCodes(a, admin, bookId, { count: 1_000, pattern: 'KNWN-######' }, null)).body;
    for (const core of [b, c]) {
      await lookUpCode(core, admin, 'KNOWN-1001');
      expect(await kindOf(assignCoupon(core, admin, { bookId, userId: 'u-1' }))).toBe('book-not-active');
      await kindOf(lookUpCode(core, admin, example));
    }
    await deleteBook(a, admin, bookId);
    for (const core of cores) {
      expect(await kindOf(assignCoupon(core, admin, { bookId, userId: 'u-1' }))).toBe('book-not-found');
      expect(await kindOf(readBook(core, admin, bookId))).toBe('book-not-found');
      expect(await kindOf(changeBook(core, admin, bookId, { status: 'active' }, null))).toBe('book-not-found');
      for (const code of ['KNOWN-1001', example]) {
        expect(await kindOf(lookUpCode(core, admin, code))).toBe('coupon-not-found');
        expect(await kindOf(assignCode(core, admin, code, { userId: 'u-1' }))).toBe('coupon-not-found');
        expect(await kindOf(voidCoupon(core, admin, code, {}))).toBe('coupon-not-found');
      }
    }
  });

  test('a pattern that is used again is found by processes that knew it before, and by new ones', async () => {
    const [a, b] = cores;
    const first = await newBook(a);
    await generateCodes(a, admin, first, { count: 10, pattern: 'AGAIN-######' }, null);
    await kindOf(lookUpCode(b, admin, 'AGAIN-000000'));
    await deleteBook(a, admin, first);
    const second = (await createBook(a, admin, { name: 'Again', status: 'active' }, null)).body.id;
    await generateCodes(a, admin, second, { count: 10, pattern: 'AGAIN-######' }, null);
    const { code } = (await assignCoupon(a, admin, { bookId: second, userId: 'u-1' })).body;
    for (const core of [...cores, await testCore.openAnother()]) {
      expect((await lookUpCode(core, admin, code)).bookId).toBe(second);
    }
  });

  test('racing with uploads, generating, activation and assigning in several processes, a deletion leaves all of the book or nothing', async () => {
    const [a, b, c] = cores;
    const ends = new Set<string>();
    // Each round races seven calls, the activation in one process and in the other by turns.
    const rounds = isLong ? 20 : 6;
    for (let round = 0; round < rounds; round += 1) {
      const bookId = await newBook(a);
      const prefix = `RACE${round}-`;
      const codes = Array.from({ length: 100 }, (_, index) => `${prefix}${1_000 + index}`);
      await upload(a, bookId, codes.slice(0, 50));
      const [deleted, again, ...others] = await Promise.all([
        kindOf(deleteBook(a, admin, bookId)),
        kindOf(deleteBook(b, admin, bookId)),
        kindOf(changeBook(round % 2 === 0 ? b : c, admin, bookId, { status: 'active' }, null)),
        kindOf(upload(c, bookId, codes)),
        kindOf(generateCodes(b, admin, bookId, { count: 5, pattern: 'RACES-######' }, null)),
        kindOf(assignCode(c, admin, codes[7]!, { userId: 'u-1' })),
        kindOf(assignCoupon(b, admin, { bookId, userId: 'u-2' })),
      ]);
      const isGone = [deleted, again].includes('done');
      ends.add(isGone ? 'gone' : 'there');
      expect([deleted, again].filter((kind) => kind === 'done')).toHaveLength(isGone ? 1 : 0);
      if (isGone) {
        expect(await rowsLeft(bookId, prefix)).toBe(0);
        expect(others[0]).toBe('book-not-found');
      } else expect((await readBook(c, admin, bookId)).status).toBe('active');
    }
    expect(ends.size).toBeGreaterThan(0);
  });
});
