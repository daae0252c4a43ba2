import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
let bookId: string;
beforeAll(async () => {
  api = await startTestApi('look-up');
  bookId = (await api.call('POST', '/v1/books', { body: { name: 'Look up', status: 'active' } })).body.id;
});
afterAll(() => api.close());

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
