import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Answer, startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
let bookId: string;
let otherBookId: string;
beforeAll(async () => {
  api = await startTestApi('users');
  [bookId, otherBookId] = [await makeBook('USRA'), await makeBook('USRB')];
});
afterAll(() => api.close());

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
