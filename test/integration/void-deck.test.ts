import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Core } from '../../core/core.ts';
import { listDecks } from '../../core/decks/list-decks.ts';
import { voidDeck } from '../../core/decks/void-deck.ts';
import { keyedRequest } from '../../core/idempotency/key-hash.ts';
import { assignCode, assignCoupon, createBook, generateCodes, readBook, voidCoupon } from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { patiently } from '../support/patiently.ts';
import { uploadText } from '../support/upload-text.ts';
import { waitForLockWait } from '../support/wait-for-lock.ts';

let testCore: TestCore;
let core: Core;

beforeAll(async () => {
  testCore = await openTestCore('void deck');
  core = testCore.core;
});
afterAll(async () => {
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  await testCore.close();
});

async function newBook(): Promise<string> {
  return (await createBook(core, admin, { name: 'Book', status: 'active' }, null)).body.id;
}

const unknown = '01890000-0000-7000-8000-000000000000';

describe('voiding a deck', () => {
  test('voids what is undealt of a billion codes at once, and leaves what users have', async () => {
    const bookId = await newBook();
    const input = { count: 1_000_000_000, pattern: 'LEAK-####-####-####' };
    const { deckId } = (await generateCodes(core, admin, bookId, input, null)).body;
    const { body: dealt } = await assignCoupon(core, admin, { bookId, userId: 'u-1' });
    const { body: deck } = await voidDeck(core, admin, bookId, deckId, {}, null);
    expect(deck).toMatchObject({ id: deckId, kind: 'generated', size: 1_000_000_000, dealt: 1, voided: 999_999_999 });
    await expect(assignCoupon(core, admin, { bookId, userId: 'u-2' })).rejects.toMatchObject({ kind: 'no-codes-left' });
    await expect(voidCoupon(core, admin, dealt.code, {})).resolves.toMatchObject({ body: { status: 'voided' } });
  });

  test('counts codes taken or voided by name once, and a repeat changes nothing', async () => {
    const bookId = await newBook();
    const { deckId } = await uploadText(
      core,
      bookId,
      'csv',
      Array.from({ length: 10 }, (_, at) => `NAMED-${at}`).join('\n'),
    );
    const codes = await codesOfDeck(core, 1, deckId);
    await assignCode(core, admin, codes[5]!, { userId: 'u-1' });
    await voidCoupon(core, admin, codes[7]!, {});
    await assignCoupon(core, admin, { bookId, userId: 'u-2' });
    const { body: deck } = await voidDeck(core, admin, bookId, deckId, {}, null);
    expect(deck).toMatchObject({ size: 10, dealt: 2, voided: 8 });
    expect((await voidDeck(core, admin, bookId, deckId, {}, null)).body).toEqual(deck);
    const { counts } = await readBook(core, admin, bookId);
    expect(counts).toMatchObject({ codes: 10, available: 0, assigned: 2, voided: 8 });
    await expect(assignCode(core, admin, codes[9]!, { userId: 'u-3' })).rejects.toMatchObject({ kind: 'coupon-void' });
  });

  test('racing the dealer, nothing is dealt after the answer and every code is accounted for', async () => {
    const bookId = await newBook();
    const codes = Array.from({ length: 300 }, (_, at) => `RACING-${at}`);
    const { deckId } = await uploadText(core, bookId, 'csv', codes.join('\n'));
    const draws = Array.from({ length: 200 }, (_, at) =>
      assignCoupon(core, admin, { bookId, userId: `u-${at}` }).then(
        () => 1,
        () => 0,
      ),
    );
    const { body: deck } = await patiently(() => voidDeck(core, admin, bookId, deckId, {}, null));
    const drawn = (await Promise.all(draws)).reduce<number>((sum, one) => sum + one, 0);
    expect(deck.dealt).toBe(drawn);
    expect(deck.voided).toBe(300 - drawn);
  });

  test('waits for whoever deals from the book, and nothing is dealt after its answer', async () => {
    const bookId = await newBook();
    const { deckId } = await uploadText(core, bookId, 'csv', 'WAITING-1\nWAITING-2');
    const dealer = new Client({ connectionString: testCore.database.url });
    await dealer.connect();
    try {
      await dealer.query('begin');
      await dealer.query(
        'select from dealers where book_id = (select book_id from books where id = $1) for no key update',
        [bookId],
      );
      const voiding = patiently(() => voidDeck(core, admin, bookId, deckId, {}, null));
      await waitForLockWait(dealer, 1, voiding);
      expect((await listDecks(core, admin, bookId, {})).data).toMatchObject([{ dealt: 0, voided: 0 }]);
      await dealer.query('commit');
      expect((await voiding).body).toMatchObject({ dealt: 0, voided: 2 });
    } finally {
      await dealer.end();
    }
    await expect(assignCoupon(core, admin, { bookId, userId: 'u-1' })).rejects.toMatchObject({ kind: 'no-codes-left' });
  });

  test('of two at once with different reasons, one is told, and both answers tell it', async () => {
    const bookId = await newBook();
    const { deckId } = await uploadText(core, bookId, 'csv', 'TWICE-1\nTWICE-2');
    const answers = await Promise.all(
      ['leaked', 'sold'].map((reason) => patiently(() => voidDeck(core, admin, bookId, deckId, { reason }, null))),
    );
    const [told] = (await listDecks(core, admin, bookId, {})).data;
    expect(['leaked', 'sold']).toContain(told!.voidedReason);
    expect(answers.map(({ body }) => body)).toEqual([told, told]);
  });

  test('with a key it has one answer, and another deck under that key is refused', async () => {
    const bookId = await newBook();
    const { deckId } = await uploadText(core, bookId, 'csv', 'KEYED-1\nKEYED-2');
    const request = keyedRequest(admin, 'void-1', `/books/${bookId}/decks/${deckId}/void`, {});
    const first = await voidDeck(core, admin, bookId, deckId, {}, request);
    expect(await voidDeck(core, admin, bookId, deckId, {}, request)).toEqual({ body: first.body, replayed: true });
    const other = keyedRequest(admin, 'void-1', `/books/${bookId}/decks/${unknown}/void`, {});
    await expect(voidDeck(core, admin, bookId, deckId, {}, other)).rejects.toMatchObject({
      kind: 'idempotency-key-reused',
    });
  });

  test('unknown, malformed and another book’s ids are not found', async () => {
    const [bookId, other] = [await newBook(), await newBook()];
    const { deckId } = await uploadText(core, bookId, 'csv', 'IDS-1');
    for (const id of [unknown, 'nonsense']) {
      await expect(voidDeck(core, admin, id, deckId, {}, null)).rejects.toMatchObject({ kind: 'book-not-found' });
      await expect(voidDeck(core, admin, bookId, id, {}, null)).rejects.toMatchObject({ kind: 'deck-not-found' });
    }
    await expect(voidDeck(core, admin, other, deckId, {}, null)).rejects.toMatchObject({ kind: 'deck-not-found' });
  });
});

describe('a book’s decks', () => {
  test('are listed in the order of their making, page by page, none twice', async () => {
    const bookId = await newBook();
    const ids: string[] = [];
    for (let at = 0; at < 5; at += 1) ids.push((await uploadText(core, bookId, 'csv', `LIST-${at}`)).deckId);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listDecks>> = await listDecks(core, admin, bookId, { limit: 2, cursor });
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(ids);
    const { data } = await listDecks(core, admin, bookId, {});
    expect(data[0]).toEqual({
      id: ids[0],
      kind: 'uploaded',
      name: null,
      pattern: null,
      size: 1,
      dealt: 0,
      voided: 0,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      voidedAt: null,
      voidedBy: null,
      voidedReason: null,
    });
    await expect(listDecks(core, admin, bookId, { cursor: 'x' })).rejects.toMatchObject({ kind: 'invalid-input' });
    await expect(listDecks(core, admin, unknown, {})).rejects.toMatchObject({ kind: 'book-not-found' });
  });
});
