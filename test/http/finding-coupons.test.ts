import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Answer, startTestApi, type TestApi, tokenOf } from './support.ts';

/** Coupons are found by their codes, or by those who have them. */
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('finding coupons');
});
afterAll(() => api.close());

describe('by code', () => {
  let bookId: string;
  beforeAll(async () => {
    bookId = (await api.call('POST', '/v1/books', { body: { name: 'Look up', status: 'active' } })).body.id;
  });

  const lookUp = (code: string, as?: string) =>
    api.call('GET', `/v1/codes/${encodeURIComponent(code)}`, as === undefined ? {} : { as });
  const act = (code: string, verb: string, body?: object) =>
    api.call('POST', `/v1/coupons/${code}/${verb}`, body === undefined ? {} : { body });

  /** A deck of its own with `count` codes; both kinds are found. */
  async function makeDeck(kind: 'generated' | 'uploaded', name: string): Promise<{ deckId: string; codes: string[] }> {
    const path = `/v1/books/${bookId}/codes`;
    const made =
      kind === 'uploaded'
        ? await api.call('POST', path, { body: { codes: [`${name}-1`, `${name}-2`, `${name}-3`] } })
        : await api.call('POST', `${path}/generate`, { body: { count: 3, pattern: `${name}-########` } });
    expect(made.status).toBe(201);
    const { data } = (await api.call('GET', path)).body;
    return {
      deckId: made.body.deckId,
      codes: data.filter(({ deckId }) => deckId === made.body.deckId).map(({ code }) => code),
    };
  }

  describe('GET /v1/codes/{code}', () => {
    test.each([
      ['generated', 'LKGA'],
      ['uploaded', 'LKUA'],
    ] as const)(
      '200: a code of a deck that was %s, before anybody has it and in each state after',
      async (kind, name) => {
        const { deckId, codes } = await makeDeck(kind, name);
        const [code = ''] = codes;
        const free = await lookUp(code);
        expect([free.status, free.body]).toEqual([200, { code, bookId, deckId, status: 'available', coupon: null }]);

        await act(code, 'assign', { userId: 'u-1' });
        const assigned = (await lookUp(code)).body;
        const coupon = (await api.call('GET', `/v1/coupons/${code}`)).body;
        expect(assigned).toEqual({ code, bookId, deckId, status: 'assigned', coupon });

        const { lockToken } = (await act(code, 'lock', { userId: 'u-1' })).body;
        expect((await lookUp(code)).body).toMatchObject({
          status: 'locked',
          coupon: { status: 'locked', userId: 'u-1' },
        });
        expect((await lookUp(code)).text).not.toContain('lockToken');
        await act(code, 'redeem', { userId: 'u-1', lockToken });
        expect((await lookUp(code)).body).toMatchObject({ status: 'redeemed', coupon: { redemptions: 1 } });
        await act(code, 'void');
        expect((await lookUp(code)).body).toMatchObject({ status: 'voided', coupon: { status: 'voided' } });
      },
    );

    test('200: a code that went void before anybody had it, by itself or with its deck', async () => {
      const { deckId, codes } = await makeDeck('generated', 'LKVOID');
      await act(codes[0]!, 'void');
      expect((await lookUp(codes[0]!)).body).toMatchObject({ status: 'voided', coupon: { userId: null } });
      await api.call('POST', `/v1/books/${bookId}/decks/${deckId}/void`, { body: {} });
      expect((await lookUp(codes[1]!)).body).toEqual({
        code: codes[1],
        bookId,
        deckId,
        status: 'voided',
        coupon: null,
        voidedAt: expect.any(String),
        voidedReason: null,
      });
    });

    test('200: whatever case, spaces, dashes and look-alikes it is typed with', async () => {
      const { codes } = await makeDeck('uploaded', 'LKTYPED');
      expect((await lookUp(` ${codes[0]!.toLowerCase().replace('-', '\u2013')}\u200b`)).body).toMatchObject({
        code: codes[0],
        status: 'available',
      });
    });

    test('404: a code that the tenant does not have is coupon-not-found, and 429 once a key has guessed for long', async () => {
      const as = tokenOf('redeemer', 'guesser');
      const first = await lookUp('NONE-0', as);
      expect([first.status, first.body.kind]).toEqual([404, 'coupon-not-found']);
      // Three hundred and a few are looked up, and one a second more.
      const seen = new Set<number>();
      for (let round = 0; round < 100 && !seen.has(429); round += 1) {
        const answers = await Promise.all(Array.from({ length: 25 }, (_, n) => lookUp(`NONE-${n}`, as)));
        for (const { status } of answers) seen.add(status);
      }
      expect(seen).toContain(429);
      const { codes } = await makeDeck('uploaded', 'LKOTHER');
      expect((await lookUp(codes[0]!, tokenOf('redeemer', 'support'))).status).toBe(200);
    });

    test('400: a parameter that there is not is invalid-input', async () => {
      const { status, body } = await api.call('GET', '/v1/codes/LKUA-1?bookId=x');
      expect([status, body.errors.map(({ path }) => path)]).toEqual([400, ['bookId']]);
    });
  });

  describe('GET /v1/codes/{code}/alike', () => {
    const search = (like: string, as?: string) =>
      api.call('GET', `/v1/codes/${encodeURIComponent(like)}/alike`, as === undefined ? {} : { as });
    const found = async (like: string) => {
      const { status, body } = await search(like);
      if (status === 404 && body.kind === 'coupon-not-found') return [];
      expect([status, body.nextCursor]).toEqual([200, null]);
      return body.data.map(({ code }) => code);
    };
    const upload = async (codes: string[]) => {
      const made = await api.call('POST', `/v1/books/${bookId}/codes`, { body: { codes } });
      expect(made.body).toMatchObject({ accepted: codes.length });
      return made.body.deckId;
    };

    test('200: a generated code without its dashes, or with blanks in their place, as a look-up gives it', async () => {
      const { codes } = await makeDeck('generated', 'LIKE-GEN');
      const letters = codes[0]!.replaceAll('-', '');
      await act(codes[0]!, 'assign', { userId: 'u-like' });
      const looked = (await lookUp(codes[0]!)).body;
      expect(looked).toMatchObject({ status: 'assigned', coupon: { userId: 'u-like' } });
      for (const typed of [
        letters,
        letters.toLowerCase(),
        codes[0]!.replaceAll('-', ' '),
        codes[0]!,
        `“${codes[0]!}”.`,
      ])
        expect((await search(typed)).body).toEqual({ data: [looked], nextCursor: null });
      expect(await found(`${letters}0`)).toEqual([]);
      expect(await found(letters.slice(1))).toEqual([]);
    });

    test('200: where several patterns could make it, the code that was made', async () => {
      const { codes } = await makeDeck('generated', 'LIKE-TWO');
      await makeDeck('generated', 'LIKETWO');
      for (const code of codes) expect(await found(code.replaceAll('-', ''))).toEqual([code]);
    });

    test('404: a code that the pattern could make and did not', async () => {
      const { codes } = await makeDeck('generated', 'LIKE-NOT');
      const others = Array.from({ length: 20 }, (_, n) => `LIKENOT${String(n).padStart(8, '0')}`).filter(
        (letters) => !codes.some((code) => code.replaceAll('-', '') === letters),
      );
      for (const letters of others) expect(await found(letters)).toEqual([]);
    });

    test('200: uploaded codes that differ in dashes, underscores and look-alikes alone, each of them', async () => {
      const alike = [
        'LIKEUP10',
        'LIKE-UP10',
        'LIKE-UP-10',
        'LIKE_UP10',
        'LIKE--UP10',
        '-LIKEUP10-',
        'LIKEUPIO',
        'LIKEUPL0',
      ];
      await upload([...alike, 'LIKEUP1', 'LIKEUP100', 'LIKE-UQ10', 'LIKEU-P1']);
      expect(await found('like up 10')).toEqual([...alike].sort());
      expect(await found('LIKE-UP-IO')).toEqual([...alike].sort());
      expect(await found('LIKE UP 2')).toEqual([]);
    });

    test('200: at most twenty, however many there are', async () => {
      const codes = Array.from({ length: 40 }, (_, n) => {
        const letters = 'LIKEMANY';
        return `${letters.slice(0, 1 + (n % 7))}${'-'.repeat(1 + Math.floor(n / 7))}${letters.slice(1 + (n % 7))}`;
      });
      await upload(codes);
      const some = await found('LIKEMANY');
      expect(some).toHaveLength(20);
      expect(codes).toEqual(expect.arrayContaining(some));
    });

    test('200: the public code of a book', async () => {
      const publicBook = await api.call('POST', '/v1/books', { body: { name: 'Like', publicCode: 'LIKE-SUMMER' } });
      expect((await search('likesummer')).body.data).toEqual([
        { code: 'LIKE-SUMMER', bookId: publicBook.body.id, deckId: null, status: 'available', coupon: null },
      ]);
    });

    test('404: a text without a letter or digit, or with one that codes do not have', async () => {
      for (const typed of ['---', ' ', '🎁', 'AÑO 2026', "' or 1=1 --", '%', '~'])
        expect(await found(typed)).toEqual([]);
    });

    test('400: a parameter that there is not is invalid-input', async () => {
      const { status, body } = await api.call('GET', '/v1/codes/LIKE/alike?limit=1');
      expect([status, body.kind, body.errors.map(({ path }) => path)]).toEqual([400, 'invalid-input', ['limit']]);
    });

    test('429: once a key has guessed for long', async () => {
      const as = tokenOf('redeemer', 'alike-guesser');
      const seen = new Set<number>();
      for (let round = 0; round < 100 && !seen.has(429); round += 1) {
        const answers = await Promise.all(Array.from({ length: 25 }, (_, n) => search(`NONE ${round}X${n}`, as)));
        for (const { status } of answers) seen.add(status);
      }
      expect([...seen].sort()).toEqual([404, 429]);
    });
  });
});

describe('by user', () => {
  let bookId: string;
  let otherBookId: string;
  beforeAll(async () => {
    [bookId, otherBookId] = [await makeBook('USRA'), await makeBook('USRB')];
  });

  async function makeBook(prefix: string): Promise<string> {
    const { body } = await api.call('POST', '/v1/books', { body: { name: prefix, status: 'active' } });
    const deck = { count: 10_000, pattern: `${prefix}-####-####` };
    await api.call('POST', `/v1/books/${body.id}/codes/generate`, { body: deck });
    return body.id;
  }

  const assign = async (userId: string, book = bookId) =>
    (await api.call('POST', '/v1/coupons/assign', { body: { bookId: book, userId } })).body;
  const list = (userId: string, query = '', as?: string) =>
    api.call('GET', `/v1/users/${encodeURIComponent(userId)}/coupons${query}`, as === undefined ? {} : { as });
  const erase = (userId: string) => api.call('DELETE', `/v1/users/${encodeURIComponent(userId)}`);
  const pathsOf = (answer: Answer) => answer.body.errors.map(({ path }) => path);

  describe('GET /v1/users/{userId}/coupons', () => {
    test('200: every coupon of the user once, over pages of any size', async () => {
      const mine = [];
      for (let index = 0; index < 5; index += 1) mine.push(await assign('pages', index < 3 ? bookId : otherBookId));
      const seen = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page: Answer = await list('pages', `?limit=2${cursor && `&cursor=${cursor}`}`);
        seen.push(...page.body.data);
        cursor = page.body.nextCursor;
      }
      const byCode = (a: { code: string }, b: { code: string }) => (a.code < b.code ? -1 : 1);
      expect(seen.toSorted(byCode)).toEqual(mine.toSorted(byCode));
    });

    test('200: bookId and status filter', async () => {
      const first = await assign('filters');
      const second = await assign('filters', otherBookId);
      await api.call('POST', `/v1/coupons/${first.code}/redeem`, { body: { userId: 'filters' } });
      await api.call('POST', `/v1/coupons/${second.code}/lock`, { body: { userId: 'filters' } });
      const codesOf = async (query: string) => (await list('filters', query)).body.data.map(({ code }) => code);
      expect(await codesOf(`?bookId=${bookId}`)).toEqual([first.code]);
      expect(await codesOf('?status=redeemed')).toEqual([first.code]);
      expect(await codesOf('?status=locked')).toEqual([second.code]);
      expect(await codesOf(`?status=locked&bookId=${bookId}`)).toEqual([]);
      expect(await codesOf('?bookId=0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11')).toEqual([]);
    });

    test('200: a user whom nobody knows has no coupons', async () => {
      expect((await list('nobody')).body).toEqual({ data: [], nextCursor: null });
    });

    test('200: a customer lists its own coupons', async () => {
      const coupon = await assign('customer-9');
      expect((await list('customer-9', '', tokenOf('customer', 'customer-9'))).body.data).toEqual([coupon]);
    });

    test('400: wrong parameters are invalid-input that names them', async () => {
      expect(pathsOf(await list('u', '?bookId=nonsense'))).toEqual(['bookId']);
      expect(pathsOf(await list('u', '?status=available'))).toEqual(['status']);
      expect(pathsOf(await list('u', '?userId=v'))).toEqual(['userId']);
      expect(pathsOf(await list('x'.repeat(129)))).toEqual(['userId']);
    });
  });

  describe('DELETE /v1/users/{userId}', () => {
    test('202: the user is gone from coupons, events and lists, and the counts stay true', async () => {
      const coupon = await assign('erased');
      const redeem = { userId: 'erased', reference: 'a name and an address' };
      await api.call('POST', `/v1/coupons/${coupon.code}/redeem`, { body: redeem });
      const before = (await api.call('GET', `/v1/books/${bookId}`)).body.counts;
      const { status, body } = await erase('erased');
      expect([status, body]).toEqual([202, { status: 'accepted' }]);
      expect((await list('erased')).body.data).toEqual([]);
      const read = await api.call('GET', `/v1/coupons/${coupon.code}`);
      const events = await api.call('GET', `/v1/coupons/${coupon.code}/events`);
      expect(read.text + events.text).not.toMatch(/erased|a name and an address/);
      expect((await api.call('GET', `/v1/books/${bookId}`)).body.counts).toEqual(before);
    });

    test('202: a user whom nobody knows, and one that is erased already', async () => {
      await assign('twice');
      for (const userId of ['nobody-at-all', 'twice', 'twice']) expect((await erase(userId)).status).toBe(202);
    });

    test('400: a userId that is too long is invalid-input', async () => {
      expect(pathsOf(await erase('x'.repeat(129)))).toEqual(['userId']);
    });
  });
});
