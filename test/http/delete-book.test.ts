import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { startTestApi, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('delete-book');
});
afterAll(async () => {
  expect(await findBrokenInvariants(api.database.url)).toEqual([]);
  await api.close();
});

async function makeBook(body: object = {}): Promise<string> {
  return (await api.call('POST', '/v1/books', { body: { name: 'To go', ...body } })).body.id;
}
const remove = (bookId: string) => api.call('DELETE', `/v1/books/${bookId}`);
const upload = (bookId: string, codes: string[]) => api.call('POST', `/v1/books/${bookId}/codes`, { body: { codes } });
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
