import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Answer, type CallOptions, startTestApi, type TestApi } from './support.ts';

const nowhere = '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11';

let api: TestApi;
let bookId: string;
beforeAll(async () => {
  api = await startTestApi('codes');
});
afterAll(() => api.close());
beforeEach(async () => {
  bookId = await makeBook();
});

async function makeBook(): Promise<string> {
  return (await api.call('POST', '/v1/books', { body: { name: 'Codes', status: 'active' } })).body.id;
}

const generate = (body: unknown, options: CallOptions = {}, id = bookId) =>
  api.call('POST', `/v1/books/${id}/codes/generate`, { body, ...options });
const upload = (body: string | Buffer, type: string, options: CallOptions = {}, id = bookId) =>
  api.call('POST', `/v1/books/${id}/codes`, {
    body,
    ...options,
    headers: { 'content-type': type, ...options.headers },
  });
const pathsOf = (answer: Answer) => answer.body.errors.map(({ path }) => path);
const countsOf = async () => (await api.call('GET', `/v1/books/${bookId}`)).body.counts;

let patterns = 0;
/** A pattern that no other test has. */
function freshPattern(): string {
  patterns += 1;
  return `T${String(patterns).padStart(3, '0')}-####-####`;
}

describe('POST /v1/books/{bookId}/codes/generate', () => {
  test('201: a million codes are there at once', async () => {
    const pattern = freshPattern();
    const { status, body } = await generate({ count: 1_000_000, pattern });
    expect(status).toBe(201);
    expect(body).toEqual({
      deckId: expect.any(String),
      count: 1_000_000,
      pattern,
      example: expect.stringMatching(/^T\d{3}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/),
      guessOdds: 1_100_000,
    });
    expect(await countsOf()).toMatchObject({ codes: 1_000_000, available: 1_000_000 });
  });

  test('201: ten billion codes, an alphabet of digits and one of one’s own', async () => {
    const digits = await generate({ count: 10 ** 10, pattern: `D${'#'.repeat(18)}`, alphabet: 'digits' });
    expect([digits.status, digits.body.count]).toEqual([201, 10 ** 10]);
    const own = await generate({ count: 1, pattern: `OWN-${'#'.repeat(30)}`, alphabet: 'AB' });
    expect(own.status).toBe(201);
    expect(own.body.example).toMatch(/^OWN-[AB]{30}$/);
  });

  test('201: the same pattern again continues its sequence', async () => {
    const pattern = freshPattern();
    expect((await generate({ count: 10, pattern })).status).toBe(201);
    expect((await generate({ count: 10, pattern })).status).toBe(201);
    expect(await countsOf()).toMatchObject({ codes: 20 });
  });

  test('201: the same key makes one deck', async () => {
    const body = { count: 10, pattern: freshPattern() };
    const first = await generate(body, { key: 'generate-1' });
    const again = await generate(body, { key: 'generate-1' });
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([201, first.body, 'true']);
    expect(await countsOf()).toMatchObject({ codes: 10 });
    const other = await generate({ ...body, count: 11 }, { key: 'generate-1' });
    expect([other.status, other.body.kind]).toEqual([422, 'idempotency-key-reused']);
  });

  test.each([
    ['/v1/books/nonsense/codes/generate', { count: 1, pattern: 'X-########' }, 'book-not-found'],
    ['/v1/books/nonsense/decks/nonsense/void', {}, 'book-not-found'],
    ['/v1/redemptions/nonsense/reverse', {}, 'redemption-not-found'],
  ])('a used key is named before an id that is none, and a fresh one after it: %s', async (path, body, kind) => {
    expect((await generate({ count: 10, pattern: freshPattern() }, { key: `used:${path}` })).status).toBe(201);
    const used = await api.call('POST', path, { body, key: `used:${path}` });
    expect([used.status, used.body.kind]).toEqual([422, 'idempotency-key-reused']);
    const fresh = await api.call('POST', path, { body, key: `fresh:${path}` });
    expect([fresh.status, fresh.body.kind]).toEqual([404, kind]);
  });

  const wrong: [string, object, string][] = [
    ['a count of 0', { count: 0, pattern: 'X-########' }, '/count'],
    ['a count of 10^12', { count: 10 ** 12, pattern: 'X-########' }, '/count'],
    ['a count as text', { count: '10', pattern: 'X-########' }, '/count'],
    ['a count that is no whole number', { count: 1.5, pattern: 'X-########' }, '/count'],
    ['no pattern', { count: 1 }, '/pattern'],
    ['a pattern without #', { count: 1, pattern: 'NOTHING' }, '/pattern'],
    ['a pattern with other characters', { count: 1, pattern: 'X ########' }, '/pattern'],
    ['a pattern that is too long', { count: 1, pattern: '#'.repeat(65) }, '/pattern'],
    ['an alphabet with a symbol twice', { count: 1, pattern: 'X-########', alphabet: 'AAB' }, '/alphabet'],
    ['an alphabet in lower case', { count: 1, pattern: 'X-########', alphabet: 'numbers' }, '/alphabet'],
    [
      'an alphabet of a name that there is not',
      { count: 1, pattern: 'X-########', alphabet: 'Crockford32' },
      '/alphabet',
    ],
    ['an alphabet of one symbol', { count: 1, pattern: 'X-########', alphabet: 'A' }, '/alphabet'],
    ['an unknown field', { count: 1, pattern: 'X-########', length: 8 }, '/length'],
  ];
  test.each(wrong)('400: %s is invalid-input that names the field', async (_what, body, path) => {
    const answer = await generate(body);
    expect([answer.status, answer.body.kind, pathsOf(answer)]).toEqual([400, 'invalid-input', [path]]);
  });

  test('422: a pattern with too few combinations, or codes that could be guessed, is pattern-too-small', async () => {
    for (const body of [
      { count: 1, pattern: 'AA-###' },
      { count: 1, pattern: 'AB-###', allowGuessable: true },
      { count: 2_000_000, pattern: freshPattern() },
    ]) {
      const answer = await generate(body);
      expect([answer.status, answer.body.kind]).toEqual([422, 'pattern-too-small']);
    }
    expect((await generate({ count: 2_000_000, pattern: freshPattern(), allowGuessable: true })).status).toBe(201);
  });

  test('409: a pattern that could produce another pattern’s or an uploaded code is a conflict', async () => {
    await generate({ count: 1, pattern: 'CONF-####-####' });
    const overlap = await generate({ count: 1, pattern: 'CONF-A###-####' });
    expect([overlap.status, overlap.body.kind, overlap.body.reason]).toEqual([409, 'conflict', 'pattern-overlaps']);
    // A code that both could produce, and the book that has the other pattern.
    expect(overlap.body.detail).toMatch(/CONF-A[0-9A-Z]{3}-[0-9A-Z]{4}.*CONF-####-#### of the book “Codes”/);
    expect(overlap.body.detail).toContain(bookId);
    await upload('CLASH-AAAAAAAA', 'text/csv');
    const clash = await generate({ count: 1, pattern: 'CLASH-########' });
    expect([clash.status, clash.body.kind]).toEqual([409, 'conflict']);
    expect(clash.body.detail).toMatch(/the code CLASH-AAAAAAAA, which was uploaded to the book “Codes”/);
    expect(clash.body.detail).toContain(bookId);
  });

  test('404: a book that does not exist is book-not-found', async () => {
    for (const id of [nowhere, 'nonsense']) {
      const { status, body } = await generate({ count: 1, pattern: freshPattern() }, {}, id);
      expect([status, body.kind]).toEqual([404, 'book-not-found']);
    }
  });
});

describe('POST /v1/books/{bookId}/codes', () => {
  test.each([
    ['application/json', JSON.stringify({ codes: ['json-1', ' JSON-2 ', 'JSON-3'] }), 'JSON'],
    ['application/json; charset=utf-8', '{"codes":["JSOU-1","JSOU-2","JSOU-3"]}', 'JSOU'],
    ['text/csv', 'CSVA-1\nCSVA-2\r\n\ncsva-3', 'CSVA'],
    ['text/csv; charset=utf-8', 'id,code\n1,CSVB-1\n2,"CSVB-2"\n3,CSVB-3\n', 'CSVB'],
    ['application/x-ndjson', '"NDJS-1"\n{"code":"NDJS-2"}\n\n"ndjs-3"\n', 'NDJS'],
  ])('201: codes as %s are taken, upper-cased, all together', async (type, body, prefix) => {
    const answer = await upload(body, type);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      deckId: expect.any(String),
      accepted: 3,
      rejected: 0,
      duplicates: 0,
      rejections: [],
    });
    const { data } = (await api.call('GET', `/v1/books/${bookId}/codes`)).body;
    expect(data.map(({ code }) => code).toSorted()).toEqual([1, 2, 3].map((index) => `${prefix}-${index}`));
  });

  test('201: rows that can’t be taken are named, and the rest is taken', async () => {
    await upload('HAVE-1', 'text/csv');
    await generate({ count: 1, pattern: 'PATT-########' });
    const body = ['GOOD-1', 'bad code', 'GOOD-1', 'HAVE-1', 'x', 'PATT-AAAAAAAA', 'GOOD-2', ''].join('\n');
    const answer = await upload(body, 'text/csv');
    expect(answer.body).toMatchObject({ accepted: 2, rejected: 5, duplicates: 2 });
    expect(answer.body.rejections).toEqual([
      { line: 2, code: 'bad code', reason: 'code-has-invalid-character' },
      { line: 3, code: 'GOOD-1', reason: 'duplicate-in-file' },
      { line: 4, code: 'HAVE-1', reason: 'duplicate-in-book' },
      { line: 5, code: 'x', reason: 'code-too-short' },
      { line: 6, code: 'PATT-AAAAAAAA', reason: 'belongs-to-pattern' },
    ]);
  });

  test('200: an upload that takes nothing makes no deck, and its key repeats that answer', async () => {
    await upload('ONCE-1', 'text/csv');
    const before = (await api.call('GET', `/v1/books/${bookId}/decks`)).body.data;
    const answer = await upload('ONCE-1', 'text/csv', { key: 'nothing' });
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        deckId: null,
        accepted: 0,
        rejected: 1,
        duplicates: 1,
        rejections: [{ line: 1, code: 'ONCE-1', reason: 'duplicate-in-book' }],
      },
    ]);
    const elsewhere = await upload('ONCE-1', 'text/csv', {}, await makeBook());
    expect([elsewhere.status, elsewhere.body.rejections]).toEqual([
      200,
      [{ line: 1, code: 'ONCE-1', reason: 'duplicate-in-another-book' }],
    ]);
    const again = await upload('ONCE-1', 'text/csv', { key: 'nothing' });
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([200, answer.body, 'true']);
    expect((await api.call('GET', `/v1/books/${bookId}/decks`)).body.data).toEqual(before);
  });

  test('200: a file whose line breaks were lost on the way is told how to send it', async () => {
    for (const body of [`code${'LOST-0001'.repeat(10)}`, 'codeLOST-0001LOST-0002', 'LOST-0001LOST-0002']) {
      const answer = await upload(body, 'text/csv');
      expect([answer.status, answer.body.deckId]).toEqual([200, null]);
      expect(answer.body.rejections).toEqual([
        expect.objectContaining({ line: 1, hint: expect.stringContaining('--data-binary') }),
      ]);
    }
  });

  test('400, then 201: a first line that may be a heading waits for ?header=', async () => {
    const words = 'SERIALNR\nWORD-1';
    const refused = await upload(words, 'text/csv');
    expect([refused.status, pathsOf(refused)]).toEqual([400, ['header']]);
    expect(refused.body.detail).toMatch(/header=none.*header=present/);
    const send = (header: string) =>
      api.call('POST', `/v1/books/${bookId}/codes?header=${header}`, {
        body: words,
        headers: { 'content-type': 'text/csv' },
      });
    expect(await send('present')).toMatchObject({ status: 201, body: { accepted: 1, rejected: 0 } });
    expect(await send('none')).toMatchObject({ status: 201, body: { accepted: 1, rejected: 1, duplicates: 1 } });
    expect(pathsOf(await send('maybe'))).toEqual(['header']);
  });

  test('201: the first 1,000 rejections are named and all are counted', async () => {
    const rows = [...Array.from({ length: 1_200 }, (_, index) => `bad ${index}`), 'MANY-GOOD'];
    const { body } = await upload(rows.join('\n'), 'text/csv');
    expect(body).toMatchObject({ accepted: 1, rejected: 1_200 });
    expect(body.rejections).toHaveLength(1_000);
  });

  test('201: the same key and bytes are one upload', async () => {
    const first = await upload('KEYED-1\nKEYED-2', 'text/csv', { key: 'upload-1' });
    const again = await upload('KEYED-1\nKEYED-2', 'text/csv', { key: 'upload-1' });
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([201, first.body, 'true']);
    const other = await upload('KEYED-3', 'text/csv', { key: 'upload-1' });
    expect([other.status, other.body.kind]).toEqual([422, 'idempotency-key-reused']);
  });

  test.each([
    ['JSON that breaks off', 'application/json', '{"codes":["BROKEN-1","BROKEN-2"'],
    ['JSON that is something else', 'application/json', '["BROKEN-1"]'],
    ['JSON without codes', 'application/json', '{}'],
    ['JSON with another field', 'application/json', '{"codes":["BROKEN-1"],"more":1}'],
    ['nothing', 'text/csv', ''],
    ['blank lines', 'text/csv', '\n\n'],
    ['10,000-deep JSON', 'application/json', '['.repeat(10_000)],
  ])('400: %s is invalid-input, and nothing is taken', async (_what, type, body) => {
    const answer = await upload(body, type);
    expect([answer.status, answer.body.kind]).toEqual([400, 'invalid-input']);
    expect(await countsOf()).toMatchObject({ codes: 0 });
  });

  test('404: a book that does not exist is book-not-found', async () => {
    for (const id of [nowhere, 'nonsense']) {
      const { status, body } = await upload('LOST-1', 'text/csv', {}, id);
      expect([status, body.kind]).toEqual([404, 'book-not-found']);
    }
  });

  test('409: a closed book takes no more codes', async () => {
    await api.call('PATCH', `/v1/books/${bookId}`, { body: { status: 'closed' } });
    const { status, body } = await upload('LATE-1', 'text/csv');
    expect([status, body.kind]).toEqual([409, 'book-not-active']);
  });
});

describe('GET /v1/books/{bookId}/codes', () => {
  const list = (query = '', headers: Record<string, string> = {}) =>
    api.call('GET', `/v1/books/${bookId}/codes${query}`, { headers });

  test('200: every code once over pages of any size, with its status and its holder', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `LIST-${bookId.slice(-8)}-${index}`.toUpperCase());
    await upload(names.join('\n'), 'text/csv');
    await api.call('POST', `/v1/coupons/${names[0]}/assign`, { body: { userId: 'u-1' } });
    await api.call('POST', `/v1/coupons/${names[1]}/void`);
    const seen = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Answer = await list(`?limit=3${cursor && `&cursor=${cursor}`}`);
      seen.push(...page.body.data);
      cursor = page.body.nextCursor;
    }
    expect(seen.map(({ code }) => code).toSorted()).toEqual(names);
    expect(seen.find(({ code }) => code === names[0])).toMatchObject({ status: 'assigned', userId: 'u-1' });
    expect(seen.find(({ code }) => code === names[1])).toMatchObject({ status: 'voided', userId: null });
    for (const [status, count] of Object.entries({ available: 5, assigned: 1, locked: 0, redeemed: 0, voided: 1 })) {
      expect([status, (await list(`?status=${status}`)).body.data.length]).toEqual([status, count]);
    }
  });

  test('200: Accept: text/csv streams the whole list', async () => {
    await upload('CSVX-1\nCSVX-2', 'text/csv');
    const csv = await list('', { accept: 'text/csv' });
    expect([csv.status, csv.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
    const [header, ...rows] = csv.text.trimEnd().split(/\r?\n/);
    expect(header).toBe('code,status,deckId,userId,assignedAt,redemptions,lastRedeemedAt');
    expect(rows.map((row) => row.split(',').slice(0, 2).join()).toSorted()).toEqual([
      'CSVX-1,available',
      'CSVX-2,available',
    ]);
    const marked = await list('?status=redeemed&bom=true', { accept: 'text/csv' });
    expect(marked.text).toBe(`\u{feff}${header}\r\n`);
    const none = await list('?status=redeemed', { accept: 'text/csv' });
    expect(none.text.trimEnd()).toBe('code,status,deckId,userId,assignedAt,redemptions,lastRedeemedAt');
  });

  test('200: HEAD of the whole list has its headers, and reads none of its codes', async () => {
    await generate({ count: 1_000_000, pattern: freshPattern() });
    const walks = jest.spyOn(api.core.coldTurns, 'take');
    const headers = { accept: 'text/csv' };
    const { status, headers: answered, text } = await api.call('HEAD', `/v1/books/${bookId}/codes`, { headers });
    expect([status, answered['content-type'], text]).toEqual([200, 'text/csv; charset=utf-8', '']);
    expect(answered['content-length']).toBeUndefined();
    await sleep(200);
    expect(walks).not.toHaveBeenCalled();
    walks.mockRestore();
  });

  test.each([
    'application/json',
    '*/*',
    'application/json, text/csv',
    'text/csv;q=0',
    'text/html',
    'text/html, application/xhtml+xml, */*;q=0.8',
    'text/csv;q=0.5, application/json',
    'text/csv;q=0, */*',
    '*/*, text/csv;q=0.9',
  ])('200: Accept: %s gets JSON', async (accept) => {
    expect((await list('', { accept })).headers['content-type']).toBe('application/json; charset=utf-8');
  });

  test.each(['text/csv', 'Text/CSV; charset=utf-8', 'text/*', 'text/csv, */*', 'application/json;q=0.5, text/csv'])(
    '200: Accept: %s gets CSV',
    async (accept) => {
      expect((await list('', { accept })).headers['content-type']).toBe('text/csv; charset=utf-8');
    },
  );

  test('400: a status that no code has, and a cursor for the whole list, are invalid-input', async () => {
    expect(pathsOf(await list('?status=dealt'))).toEqual(['status']);
    expect(pathsOf(await list('?cursor=x'))).toEqual(['cursor']);
    expect(pathsOf(await list('?cursor=x', { accept: 'text/csv' }))).toEqual(['cursor']);
  });

  test('404: a book that does not exist is book-not-found, as JSON and as CSV', async () => {
    for (const accept of ['application/json', 'text/csv']) {
      const { status, body } = await api.call('GET', `/v1/books/${nowhere}/codes`, { headers: { accept } });
      expect([status, body.kind]).toEqual([404, 'book-not-found']);
    }
  });
});

describe('decks', () => {
  const decks = () => api.call('GET', `/v1/books/${bookId}/decks`);
  const voidDeck = (deckId: string, options: CallOptions = {}, id = bookId) =>
    api.call('POST', `/v1/books/${id}/decks/${deckId}/void`, options);

  test('200: GET …/decks lists what was generated and uploaded, with what was dealt', async () => {
    const generated = await generate({ count: 10, pattern: freshPattern() });
    const uploaded = await upload(`DECK-${patterns}-1`, 'text/csv');
    await api.call('POST', '/v1/coupons/assign-batch', { body: { bookId, userIds: ['a', 'b', 'c'] } });
    const { status, body } = await decks();
    expect(status).toBe(200);
    const others = {
      name: null,
      dealt: expect.any(Number),
      voided: 0,
      createdAt: expect.any(String),
      voidedAt: null,
      voidedBy: null,
      voidedReason: null,
    };
    const { deckId: id, pattern } = generated.body;
    expect(body.data).toEqual([
      { id, kind: 'generated', pattern, size: 10, ...others },
      { id: uploaded.body.deckId, kind: 'uploaded', pattern: null, size: 1, ...others },
    ]);
    expect(Number(body.data[0]!.dealt) + Number(body.data[1]!.dealt)).toBe(3);
  });

  test('200: voiding a deck leaves nothing to deal, whatever its size, and coupons stay', async () => {
    const { body: deck } = await generate({ count: 1_000_000, pattern: freshPattern() });
    const coupon = await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId: 'u-1' } });
    const { status, body } = await voidDeck(deck.deckId);
    expect([status, body.size, body.dealt, body.voided]).toEqual([200, 1_000_000, 1, 999_999]);
    const refused = await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId: 'u-2' } });
    expect([refused.status, refused.body.kind]).toEqual([409, 'no-codes-left']);
    const redeemed = await api.call('POST', `/v1/coupons/${coupon.body.code}/redeem`, { body: { userId: 'u-1' } });
    expect(redeemed.status).toBe(200);
    expect(await countsOf()).toMatchObject({ codes: 1_000_000, available: 0, voided: 999_999, assigned: 1 });
  });

  test('200: voiding twice, and with one key, changes nothing more', async () => {
    const { body: deck } = await generate({ count: 5, pattern: freshPattern() });
    const first = await voidDeck(deck.deckId, { key: 'void-deck-1' });
    const again = await voidDeck(deck.deckId, { key: 'void-deck-1', body: {} });
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([first.body, 'true']);
    expect((await voidDeck(deck.deckId)).body).toEqual(first.body);
  });

  test('404: a deck of no book, of another book, or that is no id is deck-not-found', async () => {
    const { body: deck } = await generate({ count: 5, pattern: freshPattern() });
    for (const id of [nowhere, 'nonsense']) {
      expect((await voidDeck(id)).body.kind).toBe('deck-not-found');
      expect((await voidDeck(deck.deckId, {}, id)).body.kind).toBe('book-not-found');
    }
    expect((await voidDeck(deck.deckId, {}, await makeBook())).body.kind).toBe('deck-not-found');
    expect((await api.call('GET', `/v1/books/${nowhere}/decks`)).body.kind).toBe('book-not-found');
  });

  test('400: a body with anything but a reason in it is invalid-input', async () => {
    const { body: deck } = await generate({ count: 5, pattern: freshPattern() });
    expect(pathsOf(await voidDeck(deck.deckId, { body: { reason: 'leak', size: 5 } }))).toEqual(['/size']);
  });
});
