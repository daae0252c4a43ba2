import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { countEvents } from '../../core/events/count-events.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { settleAll } from '../support/settle-all.ts';
import { type Answer, type CallOptions, startTestApi, type TestApi, tokenOf } from './support.ts';

/** What a book tells of itself over time, the decks that it has, and how it goes. */
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('book life');
});
afterAll(() => api.close());

describe('the counts of a book', () => {
  let bookId: string;
  beforeAll(async () => {
    bookId = (await api.call('POST', '/v1/books', { body: { name: 'Counted', status: 'active' } })).body.id;
    const deck = { count: 10, pattern: 'COUN-########' };
    await api.call('POST', `/v1/books/${bookId}/codes/generate`, { body: deck });
  });

  const read = (headers: Record<string, string> = {}) => api.call('GET', `/v1/books/${bookId}/counts`, { headers });

  describe('GET /v1/books/{bookId}/counts', () => {
    test('200: the book’s counts, true when asked for, with the time that they are of', async () => {
      const before = await api.core.pool.query<{ now: Date }>('select clock_timestamp() as now');
      const { code } = (await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId: 'u-1' } })).body;
      const assigned = await read();
      expect([assigned.status, assigned.body]).toEqual([
        200,
        { codes: 10, available: 9, assigned: 1, redemptions: 0, voided: 0, asOf: expect.stringMatching(/Z$/) },
      ]);
      expect(Date.parse(String(assigned.body.asOf))).toBeGreaterThanOrEqual(before.rows[0]!.now.getTime());
      await api.call('POST', `/v1/coupons/${code}/redeem`, { body: { userId: 'u-1' } });
      const { asOf: _, ...counts } = (await read()).body;
      expect(counts).toEqual((await api.call('GET', `/v1/books/${bookId}`)).body.counts);
      expect(counts).toMatchObject({ redemptions: 1 });
    });

    test('304: with the ETag of the counts, until one of them changes', async () => {
      const etag = String((await read()).headers.etag);
      expect(etag).toMatch(/^W\/"[\d-]+"$/);
      for (const known of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
        const same = await read({ 'if-none-match': known });
        expect([known, same.status, same.headers.etag, same.text]).toEqual([known, 304, etag, '']);
      }
      await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId: 'u-2' } });
      const changed = await read({ 'if-none-match': etag });
      expect([changed.status, changed.headers['cache-control']]).toEqual([200, 'private, no-cache']);
      expect(changed.headers.etag).not.toBe(etag);
      expect((await read({ 'if-none-match': 'nonsense' })).status).toBe(200);
    });

    test('200: of a hundred screens that ask at once, the database is asked but a few times', async () => {
      const { rows } = await askedTimes(async () => {
        const answers = await Promise.all(Array.from({ length: 100 }, () => read()));
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      });
      expect(rows).toBeLessThanOrEqual(10);
    });

    test('404: a book that does not exist is book-not-found', async () => {
      for (const id of ['0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11', 'nonsense']) {
        const { status, body } = await api.call('GET', `/v1/books/${id}/counts`);
        expect([status, body.kind]).toEqual([404, 'book-not-found']);
      }
    });
  });

  /** How often the counts were read from the database meanwhile. */
  async function askedTimes(work: () => Promise<void>): Promise<{ rows: number }> {
    const { pool } = api.core;
    const query = pool.query;
    let rows = 0;
    pool.query = ((...args: unknown[]) => {
      if ((args[0] as { name?: string }).name === 'read-book-counts') rows += 1;
      return Reflect.apply(query, pool, args);
    }) as typeof pool.query;
    try {
      await work();
    } finally {
      pool.query = query;
    }
    return { rows };
  }
});

describe('the revisions of a book', () => {
  const makeBook = async (terms: object) => (await api.call('POST', '/v1/books', { body: terms })).body;
  const list = (bookId: string, query = '') => api.call('GET', `/v1/books/${bookId}/revisions${query}`);

  describe('GET /v1/books/{bookId}/revisions', () => {
    test('200: what the book allowed after each change, newest first, with who changed it', async () => {
      const endsAt = '2099-01-01T00:00:00.000Z';
      const book = await makeBook({ name: 'Revised', maxRedemptions: 10, endsAt });
      const change = async (body: object, as?: string) =>
        (await api.call('PATCH', `/v1/books/${book.id}`, as === undefined ? { body } : { body, as })).body;
      const opened = await change({ status: 'active' });
      const paused = await change({ status: 'paused', maxCodesPerUser: 2 }, tokenOf('admin', 'ana'));
      const { status, body } = await list(book.id);
      expect([status, body.nextCursor]).toEqual([200, null]);
      const terms = {
        startsAt: null,
        endsAt,
        maxCodesPerUser: null,
        maxRedemptionsPerCode: 1,
        maxRedemptionsPerUser: null,
        maxRedemptions: 10,
        validForDays: null,
      };
      expect(body.data).toEqual([
        { ...terms, rev: 3, at: paused.updatedAt, actor: 'jwt:ana', status: 'paused', maxCodesPerUser: 2 },
        { ...terms, rev: 2, at: opened.updatedAt, actor: 'root', status: 'active' },
        { ...terms, rev: 1, at: book.createdAt, actor: 'root', status: 'draft' },
      ]);
    });

    test('200: page by page, each revision once', async () => {
      const book = await makeBook({ name: 'Paged' });
      for (let rev = 2; rev <= 5; rev += 1)
        await api.call('PATCH', `/v1/books/${book.id}`, { body: { maxRedemptions: rev } });
      const revisions: number[] = [];
      let cursor = '';
      do {
        const { body } = await list(book.id, `?limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
        revisions.push(...body.data.map(({ rev }) => rev));
        cursor = body.nextCursor ?? '';
      } while (cursor !== '');
      expect(revisions).toEqual([5, 4, 3, 2, 1]);
    });

    test('400: a cursor of another book’s list is invalid-input', async () => {
      const book = await makeBook({ name: 'One' });
      await api.call('PATCH', `/v1/books/${book.id}`, { body: { maxRedemptions: 5 } });
      const { nextCursor } = (await list(book.id, '?limit=1')).body;
      const other = await makeBook({ name: 'Other' });
      const { status, body } = await list(other.id, `?cursor=${encodeURIComponent(nextCursor!)}`);
      expect([status, body.kind, body.errors.map(({ path }) => path)]).toEqual([400, 'invalid-input', ['cursor']]);
    });

    test('404: a book that there is not, or whose id is no UUID, is book-not-found', async () => {
      for (const id of ['0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11', 'none']) {
        const { status, body } = await list(id);
        expect([status, body.kind]).toEqual([404, 'book-not-found']);
      }
    });
  });
});

describe('the report of a book', () => {
  let bookId: string;
  beforeAll(async () => {
    const book = { name: 'Reported', status: 'active', timeZone: 'Asia/Kolkata', maxRedemptionsPerCode: 5 };
    bookId = (await api.call('POST', '/v1/books', { body: book })).body.id;
    await api.call('POST', `/v1/books/${bookId}/codes/generate`, { body: { count: 10, pattern: 'RPRT-########' } });
  });

  const read = (query: string, id = bookId) => api.call('GET', `/v1/books/${id}/report?${query}`);
  async function settle() {
    await settleAll(api.core);
    while ((await countEvents(api.core)) === 'more');
  }
  type Step = Record<'assigned' | 'locked' | 'redeemed' | 'reversed' | 'voided', number> & { at: string };
  function sum(data: unknown) {
    const total = { assigned: 0, locked: 0, redeemed: 0, reversed: 0, voided: 0 };
    for (const step of data as Step[])
      for (const kind of Object.keys(total) as (keyof typeof total)[]) total[kind] += step[kind];
    return total;
  }

  describe('GET /v1/books/{bookId}/report', () => {
    test('200: what happened, by the hours and days of the book’s zone, once it is settled', async () => {
      const assign = async (userId: string) =>
        (await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId } })).body.code;
      const code = await assign('u-1');
      const lock = { body: { userId: 'u-1' } };
      const { lockToken } = (await api.call('POST', `/v1/coupons/${code}/lock`, lock)).body;
      await api.call('POST', `/v1/coupons/${code}/lock`, { body: { userId: 'u-1', lockToken } });
      const redeem = { body: { userId: 'u-1', lockToken } };
      const { redemption } = (await api.call('POST', `/v1/coupons/${code}/redeem`, redeem)).body;
      await api.call('POST', `/v1/redemptions/${redemption.id}/reverse`, { body: {} });
      await api.call('POST', `/v1/coupons/${await assign('u-2')}/void`, { body: {} });
      const before = await read('step=day');
      await settle();
      const { rows } = await api.core.pool.query<{ now: Date }>('select clock_timestamp() as now');
      await settle();
      for (const step of ['hour', 'day']) {
        const { status, body } = await read(`step=${step}`);
        expect([status, body.timeZone, body.step]).toEqual([200, 'Asia/Kolkata', step]);
        expect(sum(body.data)).toEqual({ assigned: 2, locked: 1, redeemed: 1, reversed: 1, voided: 1 });
        for (const { at } of body.data as unknown as Step[])
          expect(at).toMatch(step === 'day' ? /T18:30:00.000Z$/ : /:30:00.000Z$/);
        expect(Date.parse(String(body.settledUntil))).toBeGreaterThan(rows[0]!.now.getTime() - 60_000);
      }
      expect(sum(before.body.data).assigned).toBeLessThanOrEqual(2);
    });

    test('200: every step of the span is there, also where nothing happened; a day is one of the zone', async () => {
      const { body } = await read('step=day&from=2026-03-01&to=2026-03-03');
      const none = { assigned: 0, locked: 0, redeemed: 0, reversed: 0, voided: 0 };
      expect(body.data).toEqual([
        { at: '2026-02-28T18:30:00.000Z', ...none },
        { at: '2026-03-01T18:30:00.000Z', ...none },
        { at: '2026-03-02T18:30:00.000Z', ...none },
      ]);
      const part = await read('step=hour&from=2026-03-01T10:10:00Z&to=2026-03-01T10:20:00Z');
      expect(part.body.data).toEqual([{ at: '2026-03-01T09:30:00.000Z', ...none }]);
    });

    test.each([
      ['from=2016-01-01&to=2026-01-01&step=hour', 'from', 'ask by the day'],
      ['from=2026-03-02&to=2026-03-01&step=day', 'to', 'after from'],
      ['from=2026-03-02T10:00:00Z&to=2026-03-02T10:00:00Z&step=day', 'to', 'after from'],
      ['from=2999-01-01&step=day', 'from', 'before now'],
      ['from=yesterday&step=day', 'from', 'must be a date'],
      ['step=week', 'step', 'hour'],
      ['from=2026-03-01', 'step', ''],
    ])('400: %s is refused by the field’s name', async (query, path, words) => {
      const { status, body } = await read(query);
      expect([status, body.kind, body.errors[0]!.path]).toEqual([400, 'invalid-input', path]);
      expect(body.errors[0]!.message).toContain(words);
    });

    test('400: a local time that the book’s zone does not have is named with what to write instead', async () => {
      const berlin = { name: 'Reported in Berlin', timeZone: 'Europe/Berlin' };
      const { id } = (await api.call('POST', '/v1/books', { body: berlin })).body;
      const { status, body } = await read('step=hour&from=2026-03-29T02:30:00', id);
      expect([status, body.errors]).toEqual([
        400,
        [{ path: 'from', message: expect.stringContaining('2026-03-29T01:30:00+01:00') }],
      ]);
    });

    test('404: a book that does not exist is book-not-found', async () => {
      expect((await read('step=day', '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11')).body.kind).toBe('book-not-found');
    });
  });
});

describe('the decks of a book', () => {
  const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

  let bookId: string;
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
      expect((await voidDeck(body.deckId, { ...options, as })).body).toMatchObject({
        voidedBy: 'jwt:Leo',
        voidedReason,
      });
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
      expect((await voidDeck(former.body.deckId, { body: { reason: 'again' } })).body).toMatchObject({
        voidedAt: null,
      });
      expect(await lookUp(former.codes[0]!)).not.toHaveProperty('voidedAt');
    });
  });
});

describe('the end of a book', () => {
  afterAll(async () => {
    expect(await findBrokenInvariants(api.database.url)).toEqual([]);
  });

  async function makeBook(body: object = {}): Promise<string> {
    return (await api.call('POST', '/v1/books', { body: { name: 'To go', ...body } })).body.id;
  }
  const remove = (bookId: string) => api.call('DELETE', `/v1/books/${bookId}`);
  const upload = (bookId: string, codes: string[]) =>
    api.call('POST', `/v1/books/${bookId}/codes`, { body: { codes } });
  const generate = (bookId: string, pattern: string) =>
    api.call('POST', `/v1/books/${bookId}/codes/generate`, { body: { count: 5, pattern } });

  describe('DELETE /v1/books/{bookId}', () => {
    test('204: a draft is gone with its codes, everywhere, and a repeat is book-not-found', async () => {
      const bookId = await makeBook();
      const codes = Array.from({ length: 200 }, (_, index) => `GONE-${1_000 + index}`);
      const { deckId } = (await upload(bookId, codes)).body;
      await generate(bookId, 'DRFT-########');
      expect((await remove(bookId)).status).toBe(204);
      const calls: [string, string, object?][] = [
        ['DELETE', ''],
        ['GET', ''],
        ['PATCH', '', { status: 'active' }],
        ['GET', '/counts'],
        ['GET', '/report?step=day'],
        ['GET', '/codes'],
        ['GET', '/decks'],
        ['POST', '/codes', { codes: ['GONE-9999'] }],
        ['POST', '/codes/generate', { count: 1, pattern: 'DRFT-########' }],
        ['POST', `/decks/${deckId}/void`],
      ];
      for (const [method, path, body] of calls) {
        const answer = await api.call(method, `/v1/books/${bookId}${path}`, body === undefined ? {} : { body });
        expect([method, path, answer.status, answer.body.kind]).toEqual([method, path, 404, 'book-not-found']);
      }
      for (const [path, body] of [
        ['/v1/coupons/assign', { bookId, userId: 'u-1' }],
        ['/v1/coupons/assign-batch', { bookId, userIds: ['u-1'] }],
      ] as const) {
        expect((await api.call('POST', path, { body })).body.kind).toBe('book-not-found');
      }
      for (const call of [
        api.call('GET', '/v1/codes/GONE-1000'),
        api.call('POST', '/v1/coupons/GONE-1000/assign', { body: { userId: 'u-1' } }),
      ]) {
        expect((await call).body.kind).toBe('coupon-not-found');
      }
    });

    test('204: its uploaded codes can be uploaded to another book, and its pattern be used again', async () => {
      const [first, second] = [await makeBook(), await makeBook()];
      const codes = Array.from({ length: 150 }, (_, index) => `AGAIN-${1_000 + index}`);
      await upload(first, codes);
      await generate(first, 'AGN2-########');
      await remove(first);
      expect((await upload(second, codes)).body).toMatchObject({ accepted: 150, rejected: 0 });
      expect((await generate(second, 'AGN2-########')).status).toBe(201);
      await remove(second);
      // Without a deck it is no pattern any more: its texts may be uploaded, and then it can't be generated.
      const third = await makeBook();
      expect((await upload(third, ['AGN2-00000000'])).body).toMatchObject({ accepted: 1 });
      expect((await generate(third, 'AGN2-########')).body.kind).toBe('conflict');
    });

    test('204: codes that were voided one by one, or with their deck, go with their events and counts', async () => {
      const bookId = await makeBook();
      const { deckId } = (await upload(bookId, ['VOID-1001', 'VOID-1002', 'VOID-1003'])).body;
      expect((await api.call('POST', '/v1/coupons/VOID-1002/void', { body: {} })).status).toBe(200);
      await api.call('POST', `/v1/books/${bookId}/decks/${deckId}/void`);
      expect(await findBrokenInvariants(api.database.url)).toEqual([]);
      expect((await remove(bookId)).status).toBe(204);
      expect((await api.call('GET', '/v1/codes/VOID-1002')).body.kind).toBe('coupon-not-found');
    });

    test.each(['active', 'paused', 'closed'])(
      '409: a book that is %s is a conflict, and stays as it is',
      async (status) => {
        const bookId = await makeBook({ status: 'active' });
        if (status !== 'active') await api.call('PATCH', `/v1/books/${bookId}`, { body: { status } });
        const { status: code, body } = await remove(bookId);
        expect([code, body.kind, body.detail]).toEqual([
          409,
          'conflict',
          expect.stringContaining(`The book is ${status}`),
        ]);
        expect((await api.call('GET', `/v1/books/${bookId}`)).body.status).toBe(status);
      },
    );

    test('409: a draft of which somebody has a code is a conflict, and stays as it is', async () => {
      const bookId = await makeBook({ status: 'active' });
      await api.call('POST', `/v1/books/${bookId}/codes`, { body: { codes: ['INUSE-1'] } });
      await api.call('POST', '/v1/coupons/INUSE-1/assign', { body: { userId: 'u-1' } });
      // No request leads back to a draft; what a slip in the database would cost is somebody's coupon.
      await api.core.pool.query(`update books set status = 'draft' where id = $1`, [bookId]);
      const { status, body } = await remove(bookId);
      expect([status, body.kind, body.reason]).toEqual([409, 'conflict', 'book-in-use']);
      expect((await api.call('GET', '/v1/coupons/INUSE-1')).body.userId).toBe('u-1');
    });

    test('404: a book that never was, and what is no id, are book-not-found', async () => {
      for (const id of ['0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11', 'no-uuid']) {
        expect((await remove(id)).body.kind).toBe('book-not-found');
      }
    });
  });
});
