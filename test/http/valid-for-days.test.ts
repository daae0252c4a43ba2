import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { type Answer, startTestApi, type TestApi } from './support.ts';

const dayMillis = 86_400_000;
let api: TestApi;
let books = 0;
beforeAll(async () => {
  api = await startTestApi('valid_for_days');
});
afterAll(() => api.close());

async function makeBook(fields: object): Promise<string> {
  books += 1;
  const { body } = await api.call('POST', '/v1/books', { body: { name: `B${books}`, status: 'active', ...fields } });
  await api.call('POST', `/v1/books/${body.id}/codes/generate`, {
    body: { count: 100, pattern: `D${String(books).padStart(4, '0')}-########` },
  });
  return body.id;
}
const assign = async (bookId: string, userId: string) =>
  (await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId } })).body;
const act = (code: string, verb: string, body: object) => api.call('POST', `/v1/coupons/${code}/${verb}`, { body });
const change = (bookId: string, body: object) => api.call('PATCH', `/v1/books/${bookId}`, { body });
const refusalOf = ({ status, body }: Answer) => [status, body.kind];
/** The end of the n-th day after a moment, in UTC. */
const endOfDay = (at: string, days: number) =>
  new Date((Math.floor(Date.parse(at) / dayMillis) + days + 1) * dayMillis).toISOString();

/** Lets a coupon's own time end now. */
async function expire(code: string): Promise<void> {
  const client = new Client({ connectionString: api.database.url });
  await client.connect();
  await client.query(`update coupons set valid_until = date_trunc('milliseconds', clock_timestamp()) where code = $1`, [
    code,
  ]);
  await client.end();
}

describe('validForDays', () => {
  test('200: a coupon expires at the end of the n-th day after its assignment, everywhere it is shown', async () => {
    const bookId = await makeBook({ validForDays: 30 });
    const coupon = await assign(bookId, 'days-1');
    expect(coupon.expiresAt).toBe(endOfDay(coupon.assignedAt as string, 30));
    expect((await api.call('GET', `/v1/coupons/${coupon.code}`)).body).toEqual(coupon);
    expect((await api.call('GET', '/v1/users/days-1/coupons')).body.data).toEqual([coupon]);
    expect((await act(coupon.code, 'lock', { userId: 'days-1' })).body.expiresAt).toBe(coupon.expiresAt);
  });

  test('200: with the book at the latest, whose end may be moved', async () => {
    const endsAt = new Date(Date.now() + dayMillis / 2).toISOString();
    const bookId = await makeBook({ validForDays: 3, endsAt });
    const { code, assignedAt, expiresAt } = await assign(bookId, 'days-2');
    expect(expiresAt).toBe(endsAt);
    await change(bookId, { endsAt: null });
    expect((await api.call('GET', `/v1/coupons/${code}`)).body.expiresAt).toBe(endOfDay(assignedAt as string, 3));
  });

  test('200: a change counts for coupons assigned after it, and the days are those of the book’s zone', async () => {
    const bookId = await makeBook({});
    const before = await assign(bookId, 'days-3');
    await change(bookId, { validForDays: 1, timeZone: 'Pacific/Kiritimati' });
    const after = await assign(bookId, 'days-3');
    expect((await api.call('GET', `/v1/coupons/${before.code}`)).body.expiresAt).toBeNull();
    const local = (at: string, hours: number) => new Date(Date.parse(at) + hours * 3_600_000).toISOString();
    expect(after.expiresAt).toBe(local(endOfDay(local(after.assignedAt as string, 14), 1), -14));
  });

  test('409: past it, validate, lock, redeem and transfer say coupon-expired; a void and a reversal go on', async () => {
    const bookId = await makeBook({ validForDays: 1, maxRedemptionsPerCode: 2 });
    const { code } = await assign(bookId, 'days-4');
    const { redemption } = (await act(code, 'redeem', { userId: 'days-4' })).body;
    await expire(code);
    const { body } = await act(code, 'validate', { userId: 'days-4' });
    expect(body).toMatchObject({ redeemable: false, reason: 'coupon-expired', rev: 2 });
    for (const verb of ['lock', 'redeem']) {
      expect(refusalOf(await act(code, verb, { userId: 'days-4' }))).toEqual([409, 'coupon-expired']);
    }
    expect(refusalOf(await act(code, 'transfer', { userId: 'days-5' }))).toEqual([409, 'coupon-expired']);
    expect((await api.call('GET', `/v1/coupons/${code}`)).body.status).toBe('assigned');
    await change(bookId, { status: 'paused' });
    expect(refusalOf(await act(code, 'redeem', { userId: 'days-4' }))).toEqual([409, 'book-not-active']);
    expect((await api.call('POST', `/v1/redemptions/${redemption.id}/reverse`)).status).toBe(200);
    expect((await act(code, 'void', {})).status).toBe(200);
    expect(await findBrokenInvariants(api.database.url)).toEqual([]);
  });

  test('200: a coupon that is given on keeps its time', async () => {
    const { code, expiresAt } = await assign(await makeBook({ validForDays: 7 }), 'days-6');
    expect((await act(code, 'transfer', { userId: 'days-7' })).body.expiresAt).toBe(expiresAt);
  });

  test('400: it is a whole number from 1 to 3,650, or null', async () => {
    for (const validForDays of [0, 3_651, 1.5, '7', -1]) {
      const { status, body } = await api.call('POST', '/v1/books', { body: { name: 'n', validForDays } });
      expect([status, body.errors.map(({ path }) => path)]).toEqual([400, ['/validForDays']]);
    }
  });
});
