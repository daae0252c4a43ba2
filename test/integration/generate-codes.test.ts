import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { searchBounds } from '../../core/decks/find-uploaded-code.ts';
import { locateCodes } from '../../core/decks/locate-codes.ts';
import { keyedRequest } from '../../core/idempotency/key-hash.ts';
import {
  changeBook,
  checkInput,
  createBook,
  GenerateInput,
  generateCodes,
  readBook,
  systemRandom,
} from '../../core/index.ts';
import { limits } from '../../core/limits.ts';
import { checkCodeSecret } from '../../core/patterns/code-secret.ts';
import { rewrapPatternKeys } from '../../core/patterns/rewrap-pattern-keys.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { admin, openTestCore, type TestCore, testConfig } from '../support/open-test-core.ts';
import { findDeadlocks } from '../support/start-postgres.ts';
import { uploadText } from '../support/upload-text.ts';

bePatient();
let testCore: TestCore;

beforeAll(async () => {
  testCore = await openTestCore('generate codes');
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(async () => {
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  expect(await findDeadlocks(testCore.database.name)).toEqual([]);
  await testCore.close();
});

async function newBook(status: 'draft' | 'active' = 'draft'): Promise<string> {
  return (await createBook(testCore.core, admin, { name: 'Book', status }, null)).body.id;
}

async function generate(bookId: string, input: Partial<Parameters<typeof generateCodes>[3]>) {
  const checked = checkInput(GenerateInput, { count: 10, ...input });
  return (await generateCodes(testCore.core, admin, bookId, checked, null)).body;
}

describe('a deck of generated codes', () => {
  test('ten billion codes are there at once, as one row', async () => {
    const bookId = await newBook();
    const deck = await generate(bookId, { count: 10_000_000_000, pattern: 'big-####-####-####' });
    expect(deck).toMatchObject({ count: 10_000_000_000, pattern: 'BIG-####-####-####', guessOdds: 120_000_000 });
    const { counts } = await readBook(testCore.core, admin, bookId);
    expect(counts).toMatchObject({ codes: 10_000_000_000, available: 10_000_000_000 });
    const { rows } = await testCore.core.pool.query('select count(*) as count from deck_codes');
    expect(rows).toEqual([{ count: 0 }]);
  });

  test('the same pattern continues its sequence in any book, so no code comes twice', async () => {
    const pattern = 'SAME-####-####';
    const first = await generate(await newBook(), { count: 2_000, pattern });
    const second = await generate(await newBook(), { count: 2_000, pattern: pattern.toLowerCase() });
    const codes = [first, second].map(({ deckId }) => codesOfDeck(testCore.core, 1, deckId));
    const all = (await Promise.all(codes)).flat();
    expect(new Set(all).size).toBe(4_000);
    expect(second.guessOdds).toBe(270_000_000);
  });

  test('the example looks like the codes and is none of them', async () => {
    const deck = await generate(await newBook(), { count: 100_000, pattern: 'EX-######', allowGuessable: true });
    expect(deck.example).toMatch(/^EX-[0-9A-HJKMNP-TV-Z]{6}$/);
    expect(await locateCodes(testCore.core, 1, [deck.example], { always: true })).toEqual([null]);
  });

  test('of 8 at once over one pattern, from two processes, no two overlap', async () => {
    const other = await testCore.openAnother();
    const bookId = await newBook('active');
    const input = { count: 100, pattern: 'RACE-####-####' };
    const decks = await Promise.all(
      Array.from({ length: 8 }, (_, at) => generateCodes(at % 2 ? other : testCore.core, admin, bookId, input, null)),
    );
    const codes = await Promise.all(decks.map(({ body }) => codesOfDeck(testCore.core, 1, body.deckId)));
    expect(new Set(codes.flat()).size).toBe(800);
  });

  test('with a key it is made once, and the answer is the same', async () => {
    const bookId = await newBook();
    const input = { count: 5, pattern: 'KEY-####-####' };
    const request = keyedRequest(admin, 'once', `/books/${bookId}/codes/generate`, input);
    const [a, b] = await Promise.all([1, 2].map(() => generateCodes(testCore.core, admin, bookId, input, request)));
    expect(a!.body).toEqual(b!.body);
    expect([a!.replayed, b!.replayed].sort()).toEqual([false, true]);
    expect((await readBook(testCore.core, admin, bookId)).counts.codes).toBe(5);
  });
});

describe('refused is', () => {
  test.each([
    ['a count of 0', { count: 0, pattern: 'A-########' }, 'invalid-input'],
    ['a count of 10^12', { count: 1e12, pattern: 'A-########' }, 'invalid-input'],
    ['half a code', { count: 1.5, pattern: 'A-########' }, 'invalid-input'],
    ['a pattern without #', { pattern: 'ABCDEFGH' }, 'invalid-input'],
    ['an alphabet that repeats itself', { pattern: 'A-########', alphabet: 'AAB' }, 'invalid-input'],
    ['fewer than a million combinations', { pattern: 'A-###', allowGuessable: true }, 'pattern-too-small'],
    ['odds better than one in a million', { count: 1_100, pattern: 'O-######' }, 'pattern-too-small'],
    [
      'more codes than combinations',
      { count: 1_000_001, pattern: 'P-######', alphabet: 'digits', allowGuessable: true },
      'pattern-too-small',
    ],
  ])('%s', async (_what, input, kind) => {
    await expect(generate(await newBook(), input)).rejects.toMatchObject({ kind });
  });

  test('what runs out of combinations over several decks, and guessable odds unless they are wanted', async () => {
    const bookId = await newBook();
    const input = { count: 600_000, pattern: 'OUT-######', alphabet: 'digits' };
    await expect(generate(bookId, input)).rejects.toMatchObject({ kind: 'pattern-too-small' });
    expect(await generate(bookId, { ...input, allowGuessable: true })).toMatchObject({ guessOdds: 1 });
    await expect(generate(bookId, { ...input, allowGuessable: true })).rejects.toMatchObject({
      kind: 'pattern-too-small',
    });
  });

  test('a pattern that could produce a code of another one, folding included', async () => {
    const bookId = await newBook();
    await generate(bookId, { pattern: 'FOLD-0-#######' });
    await expect(generate(bookId, { pattern: 'FOLD-#-0######' })).rejects.toMatchObject({ kind: 'conflict' });
    await expect(generate(bookId, { pattern: 'FOLD-0-#######', alphabet: 'digits' })).rejects.toMatchObject({
      kind: 'conflict',
    });
    await generate(bookId, { pattern: 'FOLD-1-#######' });
  });

  test('a pattern that could produce an uploaded code, however that reads, and only then', async () => {
    const bookId = await newBook();
    await uploadText(testCore.core, bookId, 'csv', 'UP-OOOO-IIII\nUP-UUUU-UUUU\n');
    await expect(generate(bookId, { pattern: 'UP-####-####' })).rejects.toMatchObject({ kind: 'conflict' });
    await expect(
      generate(bookId, { pattern: '##-####-####', alphabet: 'UP', allowGuessable: true }),
    ).rejects.toMatchObject({
      kind: expect.stringMatching(/conflict|pattern-too-small/),
    });
    await generate(bookId, { pattern: 'UP-####-###X' });
    await generate(bookId, { pattern: 'UQ-####-####' });
  });

  test('one uploaded code among many that begin like the pattern, on whatever page of the search it stands', async () => {
    jest.replaceProperty(searchBounds, 'pageCodes', 10);
    const bookId = await newBook();
    const codes = Array.from({ length: 35 }, (_, index) => `PG-${String(index).padStart(8, '0')}A`);
    for (const matching of ['PG-000000009', 'PG-00000010', 'PG-00000035', 'PG-ZZZZZZZZ']) {
      const prefix = `P${matching.at(-1)}${matching.at(-2)}`;
      const all = [...codes, `${matching.slice(0, 11)}`].map((code) => code.replace('PG', prefix));
      await uploadText(testCore.core, bookId, 'csv', `${all.join('\n')}\n`);
      await expect(generate(bookId, { pattern: `${prefix}-########` })).rejects.toMatchObject({ kind: 'conflict' });
      await generate(bookId, { pattern: `${prefix}-########X` });
    }
  });

  test('more uploaded codes than can be compared in seconds, and says which', async () => {
    jest.replaceProperty(searchBounds, 'pageCodes', 10);
    jest.replaceProperty(limits as { conflictSearchMaxCodes: number }, 'conflictSearchMaxCodes', 20);
    const bookId = await newBook();
    const codes = Array.from({ length: 35 }, (_, index) => `MANY-${String(index).padStart(8, '0')}`);
    await uploadText(testCore.core, bookId, 'csv', `${codes.join('\n')}\n`);
    await expect(generate(bookId, { pattern: 'MANY-########X' })).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('More than 20 uploaded codes begin with MANY-'),
    });
    await generate(bookId, { pattern: 'MANX-########X' });
  });

  test('a book that is unknown, malformed or closed', async () => {
    const input = { pattern: 'BOOK-####-####' };
    await expect(generate('01890000-0000-7000-8000-000000000000', input)).rejects.toMatchObject({
      kind: 'book-not-found',
    });
    await expect(generate('nonsense', input)).rejects.toMatchObject({ kind: 'book-not-found' });
    const bookId = await newBook('active');
    await changeBook(testCore.core, admin, bookId, { status: 'closed' }, null);
    await expect(generate(bookId, input)).rejects.toMatchObject({ kind: 'book-not-active' });
  });
});

describe('CODE_SECRET', () => {
  test('another secret than the one of the database is refused at the start, also when two start at once', async () => {
    const { core } = testCore;
    const wrong = { codeSecret: 'another secret of thirty-two characters', codeSecretVersion: 1 };
    await expect(checkCodeSecret(core.pool, wrong)).rejects.toThrow(/CODE_SECRET/);
    await Promise.all([1, 2, 3].map(() => checkCodeSecret(core.pool, core.config)));
  });

  test('a rotation keeps every code, lets the new secret start and stops the old one', async () => {
    const own = await openTestCore('rotate secret');
    const { core } = own;
    const book = await createBook(core, admin, { name: 'Rotated' }, null);
    const input = { count: 100, pattern: 'ROT-####-####' };
    const { body } = await generateCodes(core, admin, book.body.id, input, null);
    const codes = await codesOfDeck(core, 1, body.deckId);
    const next = testConfig(own.database.url, {
      CODE_SECRET: 'the secret after the first one, longer',
      CODE_SECRET_VERSION: '2',
    });
    await expect(checkCodeSecret(core.pool, next)).rejects.toThrow(/rewrap/);
    expect(await rewrapPatternKeys(core.pool, systemRandom, core.config, next)).toBe(1);
    expect(await rewrapPatternKeys(core.pool, systemRandom, core.config, next)).toBe(0);
    await checkCodeSecret(core.pool, next);
    await expect(checkCodeSecret(core.pool, core.config)).rejects.toThrow(/version 2/);
    // A task from before the rotation goes on with what it knows, and makes nothing that only it could read.
    expect(await codesOfDeck(core, 1, body.deckId)).toEqual(codes);
    const more = { count: 1, pattern: 'NEW-####-####' };
    await expect(generateCodes(core, admin, book.body.id, more, null)).rejects.toMatchObject({ kind: 'unavailable' });
    const { closeCore, openCore, silentLog } = await import('../../core/index.ts');
    const rotated = await openCore(next, { log: silentLog });
    expect(await codesOfDeck(rotated, 1, body.deckId)).toEqual(codes);
    const { body: further } = await generateCodes(rotated, admin, book.body.id, input, null);
    expect(codes).not.toContain((await codesOfDeck(rotated, 1, further.deckId))[0]);
    await closeCore(rotated);
    await own.close();
  });
});
