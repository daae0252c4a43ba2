import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Core } from '../../core/core.ts';
import type { CodeStatus, CodeView } from '../../core/decks/code-view.ts';
import { exportCodes } from '../../core/decks/export-codes.ts';
import { CodeListRequest, listCodes } from '../../core/decks/list-codes.ts';
import { voidDeck } from '../../core/decks/void-deck.ts';
import {
  assignCode,
  assignCoupon,
  createBook,
  generateCodes,
  lockCoupon,
  readCoupon,
  redeemCoupon,
  reverseRedemption,
  voidCoupon,
} from '../../core/index.ts';
import { checkInput } from '../../core/input/check-input.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { uploadText } from '../support/upload-text.ts';

let testCore: TestCore;
let core: Core;
let bookId: string;
/** What the book holds: by code, as the operations that made it so said. */
const expected = new Map<string, { status: string; deckId: string; userId: string | null }>();

beforeAll(async () => {
  testCore = await openTestCore('list codes');
  core = testCore.core;
  bookId = (await createBook(core, admin, { name: 'Listed', status: 'active', maxRedemptionsPerCode: 1 }, null)).body
    .id;
  const uploaded = (
    await uploadText(core, bookId, 'csv', Array.from({ length: 30 }, (_, at) => `LISTED-${at}`).join('\n'))
  ).deckId;
  const generated = (await generateCodes(core, admin, bookId, { count: 40, pattern: 'LIST-####-####' }, null)).body
    .deckId;
  for (const deckId of [uploaded, generated]) {
    const codes = await codesOfDeck(core, 1, deckId);
    for (const code of codes) expected.set(code, { status: 'available', deckId, userId: null });
    const hold = async (code: string, userId: string) => {
      await assignCode(core, admin, code, { userId });
      expected.set(code, { status: 'assigned', deckId, userId });
    };
    for (const at of [3, 4, 9, 17, 29]) await hold(codes[at]!, `u-${at}`);
    await lockCoupon(core, admin, codes[4]!, { userId: 'u-4', ttlSeconds: 3_600 });
    expected.get(codes[4]!)!.status = 'locked';
    await redeemCoupon(core, admin, codes[9]!, { userId: 'u-9' });
    expected.get(codes[9]!)!.status = 'redeemed';
    await voidCoupon(core, admin, codes[17]!, {});
    expected.get(codes[17]!)!.status = 'voided';
    await voidCoupon(core, admin, codes[20]!, {});
    expected.set(codes[20]!, { status: 'voided', deckId, userId: null });
  }
  for (let at = 0; at < 12; at += 1) {
    const { body } = await assignCoupon(core, admin, { bookId, userId: `d-${at}` });
    expected.set(body.code, { ...expected.get(body.code)!, status: 'assigned', userId: `d-${at}` });
  }
});
afterAll(() => testCore.close());

async function listAll(id: string, status: CodeStatus | undefined, limit: number): Promise<CodeView[]> {
  const all: CodeView[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listCodes>> = await listCodes(core, admin, id, { status, limit, cursor });
    expect(page.data.length).toBeLessThanOrEqual(limit);
    all.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}

async function exportAll(id: string, status?: CodeStatus): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of await exportCodes(core, admin, id, { status })) pieces.push(Buffer.from(piece as string));
  return Buffer.concat(pieces).toString();
}

const asExpected = (codes: CodeView[]) =>
  new Map(codes.map(({ code, status, deckId, userId }) => [code, { status, deckId, userId }]));

describe('a book’s codes', () => {
  test.each([1, 2, 3, 7, 1_000])('come each once with its state, in pages of %d', async (limit) => {
    const all = await listAll(bookId, undefined, limit);
    expect(all).toHaveLength(expected.size);
    expect(asExpected(all)).toEqual(expected);
  });

  test.each(['available', 'assigned', 'locked', 'redeemed', 'voided'] as const)(
    '%s ones come complete and alone',
    async (status) => {
      const wanted = new Map([...expected].filter(([, code]) => code.status === status));
      expect(wanted.size).toBeGreaterThan(0);
      for (const limit of [1, 4, 1_000]) {
        const all = await listAll(bookId, status, limit);
        expect(all).toHaveLength(wanted.size);
        expect(asExpected(all)).toEqual(wanted);
      }
    },
  );

  test('a lock that has run out is no lock', async () => {
    const [locked] = await listAll(bookId, 'locked', 1);
    await core.pool.query(`update coupons set lock_expires_at = now() - interval '1 s' where code = $1`, [
      locked!.code,
    ]);
    expect((await listAll(bookId, 'assigned', 1_000)).map(({ code }) => code)).toContain(locked!.code);
    await core.pool.query(`update coupons set lock_expires_at = now() + interval '1 h' where code = $1`, [
      locked!.code,
    ]);
  });

  test('a code’s status is its coupon’s own, whatever the two together are', async () => {
    const { body: book } = await createBook(core, admin, { name: 'States', status: 'active' }, null);
    const hours = [null, -1, 1, 3];
    // A void coupon has no lock: the table says so.
    const locks = [...hours.map((lock) => ({ voided: false, lock })), { voided: true, lock: null }];
    const states = locks.flatMap((state) =>
      [null, 1, 2].flatMap((max) => [0, 1].map((used) => ({ ...state, max, used }))),
    );
    const input = { count: states.length, pattern: 'STATE-########' };
    const { deckId } = (await generateCodes(core, admin, book.id, input, null)).body;
    for (const _state of states) await assignCoupon(core, admin, { bookId: book.id, userId: 'u-states' });
    const codes = await codesOfDeck(core, 1, deckId);
    for (const [at, { voided, lock, max, used }] of states.entries()) {
      await core.pool.query(
        `update coupons set voided = $2, lock_expires_at = now() + make_interval(hours => $3::int),
           max_redemptions = $4, redemptions = $5 where code = $1`,
        [codes[at], voided, lock, max, used],
      );
    }
    for (const ends of hours) {
      await core.pool.query(`update books set ends_at = now() + make_interval(hours => $2::int) where id = $1`, [
        book.id,
        ends === 3 ? 2 : ends,
      ]);
      const listed = (await listAll(book.id, undefined, 1_000)).map(({ code, status }) => [code, status]);
      const own = [];
      for (const code of codes) own.push([code, (await readCoupon(core, admin, code)).status]);
      expect(listed.sort()).toEqual(own.sort());
      expect(new Set(own.map(([, status]) => status)).size).toBe(ends === -1 ? 3 : 4);
    }
    // What was written here by hand is no state that the product made.
    await core.pool.query('update books set ends_at = null where id = $1', [book.id]);
  });

  test('a billion of them cost no more than a page', async () => {
    const { body: book } = await createBook(core, admin, { name: 'Big', status: 'active' }, null);
    const input = { count: 1_000_000_000, pattern: 'VAST-####-####-####' };
    const { deckId } = (await generateCodes(core, admin, book.id, input, null)).body;
    await assignCoupon(core, admin, { bookId: book.id, userId: 'u-1' });
    expect((await listCodes(core, admin, book.id, { limit: 1_000 })).data).toHaveLength(1_000);
    const held = await listCodes(core, admin, book.id, { status: 'assigned' });
    expect(held).toMatchObject({ data: [{ userId: 'u-1' }], nextCursor: null });
    await voidDeck(core, admin, book.id, deckId, {}, null);
    expect(await listCodes(core, admin, book.id, { status: 'available' })).toEqual({ data: [], nextCursor: null });
    const voided = await listCodes(core, admin, book.id, { status: 'voided', limit: 10 });
    expect(voided.data).toHaveLength(10);
  });

  test('a page that looked at too many others is short and has a cursor', async () => {
    const { body: book } = await createBook(core, admin, { name: 'Sparse', status: 'active' }, null);
    const input = { count: 200_000, pattern: 'SPARSE-####-####' };
    const { deckId } = (await generateCodes(core, admin, book.id, input, null)).body;
    await core.pool.query(
      `with deck as (update decks set next_pos = 120000 where id = $1 returning tenant_id, deck_id),
         holder as (insert into holders (tenant_id, book_id, user_id)
           select tenant_id, book_id, 'u-many' from books where id = $2 returning holder_id)
       insert into coupons (tenant_id, deck_id, pos, code, rev, holder_id, voided)
       select tenant_id, deck_id, pos, 'X', 1, holder_id, pos = 119999 from deck, holder, generate_series(0, 119999) pos`,
      [deckId, book.id],
    );
    const first = await listCodes(core, admin, book.id, { status: 'voided', limit: 5 });
    expect(first.data).toEqual([]);
    expect(first.nextCursor).not.toBeNull();
    expect(await listAll(book.id, 'voided', 5)).toHaveLength(1);
  });

  test('an unknown status, a foreign cursor and an unknown book are refused', async () => {
    const lost = () => checkInput(CodeListRequest, { status: 'lost' }, 'parameters');
    expect(lost).toThrow(expect.objectContaining({ kind: 'invalid-input' }));
    const { nextCursor } = await listCodes(core, admin, bookId, { limit: 1 });
    const reuse = listCodes(core, admin, bookId, { limit: 1, status: 'voided', cursor: nextCursor });
    await expect(reuse).rejects.toMatchObject({ kind: 'invalid-input' });
    await expect(listCodes(core, admin, 'x', {})).rejects.toMatchObject({ kind: 'book-not-found' });
    await expect(exportCodes(core, admin, 'x', {})).rejects.toMatchObject({ kind: 'book-not-found' });
  });
});

describe('an export', () => {
  test('is the whole list as CSV', async () => {
    const [header, ...lines] = (await exportAll(bookId)).trimEnd().split('\r\n');
    expect(header).toBe('code,status,deckId,userId,assignedAt,redemptions,lastRedeemedAt');
    const listed = await listAll(bookId, undefined, 1_000);
    const shown = listed.map((c) => `${c.code},${c.status},${c.deckId},${c.userId ?? ''}`);
    expect(lines.map((line) => line.split(',').slice(0, 4).join())).toEqual(shown);
    expect((await exportAll(bookId, 'redeemed')).trimEnd().split('\r\n')).toHaveLength(3);
  });

  test('tells when each code was assigned, how often it was redeemed and when last, given back or not', async () => {
    const terms = { name: 'Told', status: 'active', maxRedemptionsPerCode: null } as const;
    const { body: book } = await createBook(core, admin, terms, null);
    await uploadText(core, book.id, 'csv', 'TOLD-1\nTOLD-2\nTOLD-3\n');
    const { assignedAt } = (await assignCode(core, admin, 'TOLD-1', { userId: 'u' })).body;
    const redeem = async () => (await redeemCoupon(core, admin, 'TOLD-1', { userId: 'u' })).body.redemption;
    const [, second, third] = [await redeem(), await redeem(), await redeem()];
    await reverseRedemption(core, admin, third.id, {});
    const never = (await assignCode(core, admin, 'TOLD-2', { userId: 'u' })).body;
    await reverseRedemption(
      core,
      admin,
      (await redeemCoupon(core, admin, 'TOLD-2', { userId: 'u' })).body.redemption.id,
      {},
    );
    const lines = (await exportAll(book.id)).trimEnd().split('\r\n').slice(1);
    expect(Object.fromEntries(lines.map((line) => [line.split(',')[0], line.split(',').slice(4).join()]))).toEqual({
      'TOLD-1': `${assignedAt},2,${second.at}`,
      'TOLD-2': `${never.assignedAt},0,`,
      'TOLD-3': ',0,',
    });
  });

  test('gives a spreadsheet no formula to run', async () => {
    const { body: book } = await createBook(core, admin, { name: 'Formulas', status: 'active' }, null);
    const users = ['=HYPERLINK("x")', '+1', '-1', '@a', 'plain, with "quotes"', 'plain'];
    await uploadText(core, book.id, 'csv', users.map((_, at) => `FORMULA-${at}`).join('\n'));
    for (const userId of users) await assignCoupon(core, admin, { bookId: book.id, userId });
    const cells = (await exportAll(book.id))
      .split('\r\n')
      .slice(1, -1)
      .map((line) => line.split(',').slice(3, -3).join(','));
    expect(cells.sort()).toEqual(
      [`"'=HYPERLINK(""x"")"`, `'+1`, `'-1`, `'@a`, '"plain, with ""quotes"""', 'plain'].sort(),
    );
  });

  test('of many codes comes complete, piece by piece', async () => {
    const { body: book } = await createBook(core, admin, { name: 'Many' }, null);
    await generateCodes(core, admin, book.id, { count: 30_000, pattern: 'EXPORT-####-####' }, null);
    const lines = (await exportAll(book.id)).trimEnd().split('\r\n').slice(1);
    expect(new Set(lines).size).toBe(30_000);
  });
});
