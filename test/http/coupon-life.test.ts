import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { type Answer, type CallOptions, startTestApi, type TestApi, tokenOf } from './support.ts';

/** What becomes of a coupon over time. */
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('coupon life');
});
afterAll(() => api.close());

describe('giving a coupon on', () => {
  let books = 0;

  async function makeBook(fields: object = {}): Promise<string> {
    books += 1;
    const { body } = await api.call('POST', '/v1/books', { body: { name: `B${books}`, status: 'active', ...fields } });
    await api.call('POST', `/v1/books/${body.id}/codes/generate`, {
      body: { count: 100, pattern: `T${String(books).padStart(4, '0')}-########` },
    });
    return body.id;
  }
  const assign = async (bookId: string, userId: string) =>
    (await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId } })).body;
  const act = (code: string, verb: string, body: object, options: CallOptions = {}) =>
    api.call('POST', `/v1/coupons/${code}/${verb}`, { body, ...options });
  const transfer = (code: string, userId: string, options: CallOptions = {}) =>
    act(code, 'transfer', { userId }, options);
  const refusalOf = ({ status, body }: Answer) => [status, body.kind];
  const codesOf = async (userId: string) =>
    (await api.call('GET', `/v1/users/${userId}/coupons`)).body.data.map(({ code }) => code);

  describe('POST /v1/coupons/{code}/transfer', () => {
    test('200: the coupon in the receiver’s hands, with all else as it was', async () => {
      const before = await assign(await makeBook({ endsAt: '2099-01-01T00:00:00Z' }), 'giver-1');
      const { status, body } = await transfer(before.code, 'receiver-1');
      expect([status, body]).toEqual([200, { ...before, userId: 'receiver-1', rev: 2 }]);
      expect((await api.call('GET', `/v1/coupons/${before.code}`)).body).toEqual(body);
      expect([await codesOf('giver-1'), await codesOf('receiver-1')]).toEqual([[], [before.code]]);
      expect(refusalOf(await act(before.code, 'redeem', { userId: 'giver-1' }))).toEqual([409, 'held-by-another-user']);
      expect((await act(before.code, 'redeem', { userId: 'receiver-1' })).status).toBe(200);
    });

    test('200: what the giver has redeemed of it stays the giver’s in the list of redemptions', async () => {
      const { code } = await assign(await makeBook({ maxRedemptionsPerCode: 5 }), 'giver-r');
      await act(code, 'redeem', { userId: 'giver-r', reference: 'first' });
      await transfer(code, 'receiver-r');
      // Redemptions of one millisecond have no order.
      await sleep(5);
      await act(code, 'redeem', { userId: 'receiver-r', reference: 'second' });
      const listed = async (query: string) =>
        (await api.call('GET', `/v1/redemptions?${query}`)).body.data.map(
          ({ userId, reference }) => `${userId} ${reference}`,
        );
      expect(await listed(`code=${code}`)).toEqual(['receiver-r second', 'giver-r first']);
      expect(await listed('userId=giver-r')).toEqual(['giver-r first']);
      expect(await listed('userId=receiver-r')).toEqual(['receiver-r second']);
    });

    test('200: its event is transferred, with giver, receiver, reason and who did it', async () => {
      const { code } = await assign(await makeBook(), 'giver-2');
      const as = tokenOf('operator', 'clerk');
      await act(code, 'transfer', { userId: 'receiver-2', reason: 'a present' }, { as });
      const { body } = await api.call('GET', `/v1/coupons/${code}/events`);
      expect(body.data[1]).toEqual({
        rev: 2,
        at: expect.any(String),
        kind: 'transferred',
        userId: 'receiver-2',
        actor: 'jwt:clerk',
        data: { fromUserId: 'giver-2', toUserId: 'receiver-2', reason: 'a present' },
      });
    });

    test('200: the giver’s slot is free, and 409: a receiver with as many codes as allowed is user-limit-reached', async () => {
      const bookId = await makeBook({ maxCodesPerUser: 1 });
      const [one, two] = [await assign(bookId, 'giver-3'), await assign(bookId, 'receiver-3')];
      expect(refusalOf(await transfer(one.code, 'receiver-3'))).toEqual([409, 'user-limit-reached']);
      await act(two.code, 'void', {});
      expect((await transfer(one.code, 'receiver-3')).status).toBe(200);
      expect((await assign(bookId, 'giver-3')).status).toBe('assigned');
    });

    test('200: counts of the book stay as they are', async () => {
      const bookId = await makeBook();
      const { code } = await assign(bookId, 'giver-4');
      const counts = async () => (await api.call('GET', `/v1/books/${bookId}`)).body.counts;
      const before = await counts();
      await transfer(code, 'receiver-4');
      expect(await counts()).toEqual(before);
    });

    test('200: a customer sees what it was given, and no more what it gave', async () => {
      const { code } = await assign(await makeBook(), 'giver-5');
      await transfer(code, 'receiver-5');
      const read = (sub: string) => api.call('GET', `/v1/coupons/${code}`, { as: tokenOf('customer', sub) });
      expect(refusalOf(await read('giver-5'))).toEqual([404, 'coupon-not-found']);
      expect((await read('receiver-5')).body.userId).toBe('receiver-5');
    });

    test('409: a coupon that is locked is code-locked, with Retry-After', async () => {
      const { code } = await assign(await makeBook(), 'giver-6');
      await act(code, 'lock', { userId: 'giver-6' });
      const answer = await transfer(code, 'receiver-6');
      expect([...refusalOf(answer), answer.body.rev]).toEqual([409, 'code-locked', 2]);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      await act(code, 'unlock', { force: true });
      expect((await transfer(code, 'receiver-6')).status).toBe(200);
    });

    test('409: to the user who has it is code-already-assigned, before anything else about the book', async () => {
      const bookId = await makeBook();
      const { code } = await assign(bookId, 'giver-7');
      await api.call('PATCH', `/v1/books/${bookId}`, { body: { status: 'paused' } });
      expect(refusalOf(await transfer(code, 'giver-7'))).toEqual([409, 'code-already-assigned']);
      expect(refusalOf(await transfer(code, 'receiver-7'))).toEqual([409, 'book-not-active']);
    });

    test('409: void is coupon-void, and used up is code-already-redeemed', async () => {
      const bookId = await makeBook();
      const [one, two] = [await assign(bookId, 'giver-8'), await assign(bookId, 'giver-8')];
      await act(one.code, 'void', {});
      await act(two.code, 'redeem', { userId: 'giver-8' });
      expect(refusalOf(await transfer(one.code, 'receiver-8'))).toEqual([409, 'coupon-void']);
      expect(refusalOf(await transfer(two.code, 'receiver-8'))).toEqual([409, 'code-already-redeemed']);
    });

    test('404 and 400: a code that nobody has is coupon-not-found, and no user is invalid-input', async () => {
      expect(refusalOf(await transfer('NO-SUCH-CODE', 'receiver-9'))).toEqual([404, 'coupon-not-found']);
      const answer = await act('ANY-CODE', 'transfer', {});
      expect(answer.body.errors.map(({ path }) => path)).toEqual(['/userId']);
    });
  });
});

describe('days in which a coupon is good', () => {
  const dayMillis = 86_400_000;
  let books = 0;

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
    await client.query(
      `update coupons set valid_until = date_trunc('milliseconds', clock_timestamp()) where code = $1`,
      [code],
    );
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
});
