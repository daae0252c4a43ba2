import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Answer, type CallOptions, startTestApi, type TestApi, tokenOf } from './support.ts';

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let api: TestApi;
let bookId: string;
beforeAll(async () => {
  api = await startTestApi('decks');
});
afterAll(() => api.close());
beforeEach(async () => {
  bookId = (await api.call('POST', '/v1/books', { body: { name: 'Decks', status: 'active' } })).body.id;
});

let uploads = 0;
/** Uploads codes that no other test has. */
async function upload(query = '', options: CallOptions = {}): Promise<Answer & { codes: string[] }> {
  uploads += 1;
  const codes = [1, 2, 3].map((at) => `DECK${uploads}-${at}`);
  const path = `/v1/books/${bookId}/codes${query}`;
  return { ...(await api.call('POST', path, { body: { codes }, ...options })), codes };
}
const named = (name: string) => `?name=${encodeURIComponent(name)}`;
const decks = async () => (await api.call('GET', `/v1/books/${bookId}/decks`)).body.data;
const voidDeck = (deckId: string, options: CallOptions = {}) =>
  api.call('POST', `/v1/books/${bookId}/decks/${deckId}/void`, options);
const lookUp = async (code: string, as?: string) =>
  (await api.call('GET', `/v1/codes/${code}`, as === undefined ? {} : { as })).body;
const pathsOf = (answer: Answer) => answer.body.errors.map(({ path }) => path);

describe('where a deck is from', () => {
  test('200: a generated deck tells its pattern, an uploaded one the name that its upload gave it', async () => {
    const body = { count: 5, pattern: 'from-########' };
    const generated = await api.call('POST', `/v1/books/${bookId}/codes/generate`, { body });
    const uploaded = await upload(named('summer codes.csv'));
    const nameless = await upload();
    expect(await decks()).toMatchObject([
      { id: generated.body.deckId, kind: 'generated', pattern: 'FROM-########', name: null },
      { id: uploaded.body.deckId, kind: 'uploaded', pattern: null, name: 'summer codes.csv' },
      { id: nameless.body.deckId, kind: 'uploaded', pattern: null, name: null },
    ]);
    for (const deckId of [generated.body.deckId, uploaded.body.deckId]) {
      const [before] = (await decks()).filter(({ id }) => id === deckId);
      const { pattern, name } = (await voidDeck(deckId)).body;
      expect({ pattern, name }).toEqual({ pattern: before!['pattern'], name: before!['name'] });
    }
  });

  test.each([
    ['200 characters that take two units each', '\u{1f381}'.repeat(200)],
    ['markup', '<b>"codes" & more</b>.csv'],
    ['white space around it, which stays', '  códigos + más.csv '],
    ['one character', '7'],
  ])('201: a name is kept as it is: %s', async (_what, name) => {
    expect((await upload(named(name))).status).toBe(201);
    expect(await decks()).toMatchObject([{ name }]);
  });

  test('201: a name stands beside what the first line is, and beside every format', async () => {
    for (const [type, body] of [
      ['text/csv', 'BESIDE\nBESIDE-1'],
      ['application/x-ndjson', '"BESIDE-2"'],
      ['application/json', '{"codes":["BESIDE-3"]}'],
    ] as const) {
      const query = type === 'text/csv' ? `${named(type)}&header=present` : named(type);
      const options = { body, headers: { 'content-type': type } };
      expect((await upload(query, options)).body).toMatchObject({ accepted: 1 });
    }
    const names = (await decks()).map(({ name }) => name);
    expect(names).toEqual(['text/csv', 'application/x-ndjson', 'application/json']);
  });

  test.each([
    ['is empty', '?name=', 'must not be empty'],
    ['is blank', named(' \t\u00a0'), 'must be a text that is not blank'],
    ['has 201 characters', named('\u{1f381}'.repeat(201)), 'must have at most 200 characters'],
    ['holds NUL', '?name=a%00b', 'NUL'],
    ['comes twice', '?name=a&name=b', 'must be a string'],
  ])('400: a name that %s is invalid-input that names it, and nothing is taken', async (_what, query, message) => {
    const refused = await upload(query, { key: `bad ${query}`.replaceAll(/[^!-~]/g, '.') });
    expect([refused.status, refused.body.kind, pathsOf(refused)]).toEqual([400, 'invalid-input', ['name']]);
    expect(refused.body.errors[0]!.message).toContain(message);
    expect(await decks()).toEqual([]);
  });

  test('400: a name in the body of an upload is an unknown field', async () => {
    const refused = await upload('', { body: { codes: ['BODY-1'], name: 'codes.csv' } });
    expect([refused.status, refused.body.kind]).toEqual([400, 'invalid-input']);
    expect(await decks()).toEqual([]);
  });

  test('201, then 422: the same key with the same name is one upload, with another name it is reused', async () => {
    const body = { codes: ['ONE-UPLOAD-1'] };
    const first = await upload(named('a.csv'), { body, key: 'named' });
    const again = await upload(named('a.csv'), { body, key: 'named' });
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([201, first.body, 'true']);
    for (const query of [named('b.csv'), '']) {
      const other = await upload(query, { body, key: 'named' });
      expect([other.status, other.body.kind]).toEqual([422, 'idempotency-key-reused']);
    }
    expect(await decks()).toMatchObject([{ name: 'a.csv', size: 1 }]);
  });
});

describe('what a voided deck tells', () => {
  test('200: when, by whom and why, in the answer and in the list, and nothing before', async () => {
    const key = (await api.call('POST', '/v1/api-keys', { body: { name: 'Ana', role: 'operator' } })).body;
    const { body } = await upload();
    const nothing = { voidedAt: null, voidedBy: null, voidedReason: null };
    expect(await decks()).toMatchObject([{ id: body.deckId, ...nothing }]);
    const answer = await voidDeck(body.deckId, { body: { reason: 'The file went round' }, as: key.secret });
    const told = { voidedAt: expect.stringMatching(moment), voidedBy: `key:${key.id}` };
    expect(answer).toMatchObject({ status: 200, body: { ...told, voidedReason: 'The file went round', voided: 3 } });
    expect(await decks()).toEqual([answer.body]);
  });

  test.each([
    ['no body', {}, null],
    ['an empty body', { body: {} }, null],
    ['an empty reason', { body: { reason: '' } }, ''],
    ['a reason of 500 characters', { body: { reason: '\u{1f381}'.repeat(500) } }, '\u{1f381}'.repeat(500)],
  ])('200: with %s the reason is what was given', async (_what, options, voidedReason) => {
    const { body } = await upload();
    const as = tokenOf('operator', 'Leo');
    expect((await voidDeck(body.deckId, { ...options, as })).body).toMatchObject({ voidedBy: 'jwt:Leo', voidedReason });
  });

  test('200: repeated with another reason, by somebody else or under another key, the first stays', async () => {
    const { body } = await upload();
    const first = await voidDeck(body.deckId, { body: { reason: 'leaked' }, key: 'first' });
    for (const options of [{ body: { reason: 'for fun' } }, { as: tokenOf('admin', 'Eva') }, { key: 'second' }])
      expect((await voidDeck(body.deckId, options)).body).toEqual(first.body);
    const replayed = await voidDeck(body.deckId, { body: { reason: 'leaked' }, key: 'first' });
    expect([replayed.body, replayed.headers['idempotency-replayed']]).toEqual([first.body, 'true']);
    const other = await voidDeck(body.deckId, { body: { reason: 'for fun' }, key: 'first' });
    expect([other.status, other.body.kind]).toEqual([422, 'idempotency-key-reused']);
    expect(await decks()).toEqual([first.body]);
  });

  test('200: nothing of a deck of which nothing was left, since nothing went void', async () => {
    const { body, codes } = await upload();
    for (const code of codes) await api.call('POST', `/v1/coupons/${code}/assign`, { body: { userId: `u-${code}` } });
    const answer = await voidDeck(body.deckId, { body: { reason: 'too late' } });
    expect(answer.body).toMatchObject({ dealt: 3, voided: 0, voidedAt: null, voidedBy: null, voidedReason: null });
  });

  test('200: the reply of a version that told none of it is replayed with null', async () => {
    const { body } = await upload();
    const first = await voidDeck(body.deckId, { key: 'before' });
    await api.core.pool.query(`update idempotency set reply = reply - '{name,pattern,voidedAt,voidedBy,voidedReason}'::text[]
      where reply ->> 'id' = '${first.body.id}'`);
    const again = await voidDeck(body.deckId, { key: 'before' });
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([200, 'true']);
    expect(again.body).toEqual({ ...first.body, voidedAt: null, voidedBy: null, voidedReason: null });
  });

  test.each([
    ['of 501 characters', { reason: 'x'.repeat(501) }, '/reason'],
    ['that is no text', { reason: 7 }, '/reason'],
    ['that is null', { reason: null }, '/reason'],
    ['that holds NUL', { reason: 'a\0b' }, '/reason'],
    ['by another name', { why: 'leaked' }, '/why'],
  ])('400: a reason %s is invalid-input that names it, and nothing is void', async (_what, wrong, path) => {
    const { body } = await upload();
    const refused = await voidDeck(body.deckId, { body: wrong });
    expect([refused.status, refused.body.kind, pathsOf(refused)]).toEqual([400, 'invalid-input', [path]]);
    expect(await decks()).toMatchObject([{ voided: 0, voidedAt: null }]);
  });
});

describe('what a code of a voided deck tells', () => {
  test('200: when and why, and a redeemer only when', async () => {
    const { body, codes } = await upload();
    expect(Object.keys(await lookUp(codes[0]!))).toEqual(['code', 'bookId', 'deckId', 'status', 'coupon']);
    const { voidedAt } = (await voidDeck(body.deckId, { body: { reason: 'leaked' } })).body;
    const code = { code: codes[0], bookId, deckId: body.deckId, status: 'voided', coupon: null };
    for (const as of [undefined, tokenOf('operator', 'o-1'), tokenOf('admin', 'a-1')])
      expect(await lookUp(codes[0]!, as)).toEqual({ ...code, voidedAt, voidedReason: 'leaked' });
    expect(await lookUp(codes[0]!, tokenOf('redeemer', 'r-1'))).toEqual({ ...code, voidedAt });
    const alike = await api.call('GET', `/v1/codes/${codes[0]!.replace('-', '')}/alike`);
    expect(alike.body.data).toEqual([{ ...code, voidedAt, voidedReason: 'leaked' }]);
  });

  test('200: without a reason it is null', async () => {
    const { body, codes } = await upload();
    await voidDeck(body.deckId);
    expect(await lookUp(codes[0]!)).toMatchObject({ voidedAt: expect.stringMatching(moment), voidedReason: null });
  });

  test('200: nothing of a code that somebody has, or that was voided by itself', async () => {
    const { body, codes } = await upload();
    await api.call('POST', `/v1/coupons/${codes[0]}/assign`, { body: { userId: 'u-1' } });
    await api.call('POST', `/v1/coupons/${codes[1]}/void`, { body: { reason: 'single' } });
    await voidDeck(body.deckId, { body: { reason: 'leaked' } });
    expect(await lookUp(codes[2]!)).toMatchObject({ status: 'voided', voidedReason: 'leaked' });
    for (const code of codes.slice(0, 2)) expect(await lookUp(code)).not.toHaveProperty('voidedAt');
  });

  test('200: nothing of a code that a restore had voided before its deck, nor of one of an earlier version', async () => {
    const { body, codes } = await upload();
    await api.core.pool.query('update decks set next_pos = 2, voided = 2 where id = $1', [body.deckId]);
    await voidDeck(body.deckId, { body: { reason: 'leaked' } });
    const found = await Promise.all(codes.map((code) => lookUp(code)));
    expect(found.map(({ status }) => status)).toEqual(['voided', 'voided', 'voided']);
    expect(found.filter(({ voidedAt }) => voidedAt !== undefined)).toMatchObject([{ voidedReason: 'leaked' }]);

    const former = await upload();
    await api.core.pool.query('update decks set next_pos = size, voided = size where id = $1', [former.body.deckId]);
    expect((await voidDeck(former.body.deckId, { body: { reason: 'again' } })).body).toMatchObject({ voidedAt: null });
    expect(await lookUp(former.codes[0]!)).not.toHaveProperty('voidedAt');
  });
});
