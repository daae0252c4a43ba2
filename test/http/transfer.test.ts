import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Answer, type CallOptions, startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
let books = 0;
beforeAll(async () => {
  api = await startTestApi('transfer');
});
afterAll(() => api.close());

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
