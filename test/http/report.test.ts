import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { countEvents } from '../../core/events/count-events.ts';
import { settleAll } from '../support/settle-all.ts';
import { startTestApi, type TestApi } from './support.ts';

let api: TestApi;
let bookId: string;
beforeAll(async () => {
  api = await startTestApi('report');
  const book = { name: 'Reported', status: 'active', timeZone: 'Asia/Kolkata', maxRedemptionsPerCode: 5 };
  bookId = (await api.call('POST', '/v1/books', { body: book })).body.id;
  await api.call('POST', `/v1/books/${bookId}/codes/generate`, { body: { count: 10, pattern: 'RPRT-########' } });
});
afterAll(() => api.close());

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
