import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('book-revisions');
});
afterAll(() => api.close());

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
