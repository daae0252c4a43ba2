import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestApi, type TestApi } from './support.ts';

let api: TestApi;
let bookId: string;
beforeAll(async () => {
  api = await startTestApi('book-counts');
  bookId = (await api.call('POST', '/v1/books', { body: { name: 'Counted', status: 'active' } })).body.id;
  const deck = { count: 10, pattern: 'COUN-########' };
  await api.call('POST', `/v1/books/${bookId}/codes/generate`, { body: deck });
});
afterAll(() => api.close());

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
