import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Answer, type Body, type CallOptions, startTestApi, type TestApi, tokenOf } from './support.ts';

const nowhere = '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11';
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('coupons');
});
afterAll(() => api.close());

let books = 0;
/** A book with codes, active unless said otherwise. */
async function makeBook(fields: object = {}, count = 1_000): Promise<string> {
  books += 1;
  const { body } = await api.call('POST', '/v1/books', {
    body: { name: `Book ${books}`, status: 'active', ...fields },
  });
  const pattern = `B${String(books).padStart(4, '0')}-####-####`;
  if (count > 0) await api.call('POST', `/v1/books/${body.id}/codes/generate`, { body: { count, pattern } });
  return body.id;
}

let users = 0;
/** A user whom no other test knows. */
function freshUser(): string {
  users += 1;
  return `user-${users}`;
}

const assign = (bookId: string, userId: string, options: CallOptions = {}) =>
  api.call('POST', '/v1/coupons/assign', { body: { bookId, userId }, ...options });
const act = (code: string, verb: string, body: object, options: CallOptions = {}) =>
  api.call('POST', `/v1/coupons/${code}/${verb}`, { body, ...options });
const pathsOf = (answer: Answer) => answer.body.errors.map(({ path }) => path);
const refusalOf = ({ status, body }: Answer) => [status, body.kind];

/** A coupon in a fresh user's hands, in a book of its own. */
async function makeCoupon(fields: object = {}): Promise<{ bookId: string; userId: string; code: string }> {
  const bookId = await makeBook(fields);
  const userId = freshUser();
  const { body } = await assign(bookId, userId);
  return { bookId, userId, code: body.code };
}

const pause = (bookId: string, status = 'paused') => api.call('PATCH', `/v1/books/${bookId}`, { body: { status } });

describe('POST /v1/coupons/assign', () => {
  test('201: the coupon, with every field of the contract', async () => {
    const bookId = await makeBook({ endsAt: '2099-01-01T00:00:00Z' });
    const { status, body } = await assign(bookId, 'u-1');
    expect(status).toBe(201);
    expect(body).toEqual({
      code: expect.stringMatching(/^B\d{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/),
      bookId,
      userId: 'u-1',
      status: 'assigned',
      rev: 1,
      redemptions: 0,
      maxRedemptions: 1,
      lockedUntil: null,
      assignedAt: time,
      expiresAt: '2099-01-01T00:00:00.000Z',
    });
  });

  test('201: a draft’s window may lie ahead, and user ids may be any text', async () => {
    const bookId = await makeBook({ startsAt: '2099-01-01T00:00:00Z' });
    for (const userId of ['ñandú ☃', 'a/b?c#d', '../..', 'x'.repeat(128), '😀'.repeat(128)]) {
      const { status, body } = await assign(bookId, userId);
      expect([status, body.userId]).toEqual([201, userId]);
      const list = await api.call('GET', `/v1/users/${encodeURIComponent(userId)}/coupons`);
      expect(list.body.data.map(({ code }) => code)).toEqual([body.code]);
    }
  });

  test('201: a customer claims for itself where the book has selfService', async () => {
    const bookId = await makeBook({ selfService: true });
    const { status, body } = await assign(bookId, 'c-1', { as: tokenOf('customer', 'c-1') });
    expect([status, body.userId]).toEqual([201, 'c-1']);
  });

  test('403: a customer may not claim where the book has no selfService', async () => {
    const answer = await assign(await makeBook(), 'c-1', { as: tokenOf('customer', 'c-1') });
    expect(refusalOf(answer)).toEqual([403, 'forbidden']);
  });

  test('201: the same key assigns once, also after the coupon has changed', async () => {
    const bookId = await makeBook();
    const userId = freshUser();
    const first = await assign(bookId, userId, { key: 'assign-1' });
    await act(first.body.code, 'redeem', { userId });
    const again = await assign(bookId, userId, { key: 'assign-1' });
    expect([again.status, again.headers['idempotency-replayed'], again.body]).toEqual([201, 'true', first.body]);
    expect(refusalOf(await assign(bookId, freshUser(), { key: 'assign-1' }))).toEqual([422, 'idempotency-key-reused']);
  });

  test('201: two customers may use the same key', async () => {
    const bookId = await makeBook({ selfService: true });
    const one = await assign(bookId, 'k-1', { as: tokenOf('customer', 'k-1'), key: 'same' });
    const two = await assign(bookId, 'k-2', { as: tokenOf('customer', 'k-2'), key: 'same' });
    expect([one.status, two.status, two.headers['idempotency-replayed']]).toEqual([201, 201, undefined]);
  });

  test.each([
    ['no userId', { bookId: nowhere }, ['/userId']],
    ['an empty userId', { bookId: nowhere, userId: '' }, ['/userId']],
    ['a userId that is too long', { bookId: nowhere, userId: 'x'.repeat(129) }, ['/userId']],
    ['a userId that is a number', { bookId: nowhere, userId: 7 }, ['/userId']],
    ['a bookId that is no UUID', { bookId: 'nonsense', userId: 'u' }, ['/bookId']],
    ['an unknown field', { bookId: nowhere, userId: 'u', count: 2 }, ['/count']],
  ])('400: %s is invalid-input that names the field', async (_what, body, paths) => {
    const answer = await api.call('POST', '/v1/coupons/assign', { body });
    expect([...refusalOf(answer), pathsOf(answer)]).toEqual([400, 'invalid-input', paths]);
  });

  test('404: a book that does not exist is book-not-found', async () => {
    expect(refusalOf(await assign(nowhere, 'u-1'))).toEqual([404, 'book-not-found']);
  });

  test('409: a book that is a draft, paused or closed is book-not-active', async () => {
    const bookId = await makeBook({ status: 'draft' });
    expect(refusalOf(await assign(bookId, 'u-1'))).toEqual([409, 'book-not-active']);
    for (const status of ['active', 'paused', 'closed']) await pause(bookId, status);
    expect(refusalOf(await assign(bookId, 'u-1'))).toEqual([409, 'book-not-active']);
  });

  test('409: a book that has ended is book-outside-window', async () => {
    const bookId = await makeBook({ endsAt: '2020-01-01T00:00:00Z' });
    expect(refusalOf(await assign(bookId, 'u-1'))).toEqual([409, 'book-outside-window']);
  });

  test('409: a user with as many codes as allowed is user-limit-reached, and voiding one frees its slot', async () => {
    const bookId = await makeBook({ maxCodesPerUser: 2 });
    const { body } = await assign(bookId, 'u-1');
    await assign(bookId, 'u-1');
    expect(refusalOf(await assign(bookId, 'u-1'))).toEqual([409, 'user-limit-reached']);
    expect((await assign(bookId, 'u-2')).status).toBe(201);
    await act(body.code, 'void', {});
    expect((await assign(bookId, 'u-1')).status).toBe(201);
  });

  test('409: a book without codes is no-codes-left, and limits are said before that', async () => {
    const bookId = await makeBook({ maxCodesPerUser: 1 }, 1);
    expect((await assign(bookId, 'u-1')).status).toBe(201);
    expect(refusalOf(await assign(bookId, 'u-1'))).toEqual([409, 'user-limit-reached']);
    expect(refusalOf(await assign(bookId, 'u-2'))).toEqual([409, 'no-codes-left']);
    await pause(bookId);
    expect(refusalOf(await assign(bookId, 'u-2'))).toEqual([409, 'book-not-active']);
    expect(refusalOf(await assign(await makeBook({}, 0), 'u-1'))).toEqual([409, 'no-codes-left']);
  });
});

describe('POST /v1/coupons/assign-batch', () => {
  const batch = (body: object, options: CallOptions = {}) =>
    api.call('POST', '/v1/coupons/assign-batch', { body, ...options });

  test('200: a coupon or a problem for each user, in order', async () => {
    const bookId = await makeBook({ maxCodesPerUser: 1 }, 3);
    const { status, body } = await batch({ bookId, userIds: ['a', 'b', 'a', 'c', 'd'] });
    expect(status).toBe(200);
    expect(body.results.map((result) => result.userId ?? result.kind)).toEqual([
      'a',
      'b',
      'user-limit-reached',
      'c',
      'no-codes-left',
    ]);
    expect(body.results[2]).toEqual({
      type: '/problems/user-limit-reached',
      kind: 'user-limit-reached',
      title: expect.any(String),
      status: 409,
      detail: expect.any(String),
      instance: '/v1/coupons/assign-batch',
    });
  });

  test('200: one key covers all, and a repeat gives the same answer', async () => {
    const bookId = await makeBook({}, 2);
    const body = { bookId, userIds: ['a', 'b', 'c'] };
    const first = await batch(body, { key: 'batch-1' });
    const again = await batch(body, { key: 'batch-1' });
    expect([again.headers['idempotency-replayed'], again.body]).toEqual(['true', first.body]);
    expect(refusalOf(await batch({ ...body, userIds: ['a'] }, { key: 'batch-1' }))).toEqual([
      422,
      'idempotency-key-reused',
    ]);
  });

  test('400: no users, too many, or one that is none is invalid-input that names it', async () => {
    const bookId = await makeBook();
    expect(pathsOf(await batch({ bookId, userIds: [] }))).toEqual(['/userIds']);
    expect(pathsOf(await batch({ bookId, userIds: Array.from({ length: 10_001 }, () => 'u') }))).toEqual(['/userIds']);
    expect(pathsOf(await batch({ bookId, userIds: ['a', '', 7] }))).toEqual(['/userIds/1', '/userIds/2']);
  });

  test('404: a book that does not exist is book-not-found', async () => {
    expect(refusalOf(await batch({ bookId: nowhere, userIds: ['a'] }))).toEqual([404, 'book-not-found']);
  });
});

describe('POST /v1/coupons/{code}/assign', () => {
  /** A book with uploaded codes that nobody has. */
  async function makeNamed(fields: object = {}): Promise<{ bookId: string; codes: string[] }> {
    const bookId = await makeBook(fields, 0);
    const codes = Array.from({ length: 4 }, (_, index) => `NAMED-${books}-${index}`);
    await api.call('POST', `/v1/books/${bookId}/codes`, { body: { codes } });
    return { bookId, codes };
  }

  test('201: the code that was named, in any case and with white space around it', async () => {
    const { bookId, codes } = await makeNamed();
    const { status, body } = await act(encodeURIComponent(` ${codes[0]!.toLowerCase()} `), 'assign', { userId: 'u-1' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ code: codes[0], bookId, userId: 'u-1', status: 'assigned', rev: 1 });
  });

  test('200: a code is found with whatever dashes and unseen characters it was copied with, on every route', async () => {
    const { bookId, codes } = await makeNamed();
    const [, second, third] = codes[0]!.split('-');
    const typed = (dash: string) => encodeURIComponent(`\u200Bnamed${dash}${second}\u2060${dash}${third}\uFEFF`);
    expect((await act(typed('\u2011'), 'assign', { userId: 'u-1' }, { key: 'dash-1' })).status).toBe(201);
    const again = await act(typed('\u2014'), 'assign', { userId: 'u-1' }, { key: 'dash-1' });
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([201, 'true']);
    expect((await api.call('GET', `/v1/coupons/${typed('\u2013')}`)).body).toMatchObject({ code: codes[0], bookId });
    expect((await api.call('GET', `/v1/coupons/${typed('\u2212')}/events`)).status).toBe(200);
    expect((await act(typed('\uFF0D'), 'lock', { userId: 'u-1' })).status).toBe(200);
    expect((await act(typed('\u2012'), 'void', {})).status).toBe(200);
  });

  test('201: O reads as 0, I and L as 1 at a generated code’s places', async () => {
    const { body: book } = await api.call('POST', '/v1/books', { body: { name: 'Fold', status: 'active' } });
    const wide = { count: 10, pattern: `FOLD-${'#'.repeat(24)}`, alphabet: '01' };
    expect((await api.call('POST', `/v1/books/${book.id}/codes/generate`, { body: wide })).status).toBe(201);
    const coupon = await assign(book.id, 'u-1');
    const typed = coupon.body.code.slice(5).replaceAll('0', 'o').replaceAll('1', 'l');
    expect((await api.call('GET', `/v1/coupons/fold-${typed}`)).body).toEqual(coupon.body);
  });

  test('201: the same key assigns once', async () => {
    const { codes } = await makeNamed();
    const first = await act(codes[0]!, 'assign', { userId: 'u-1' }, { key: 'name-1' });
    const again = await act(codes[0]!.toLowerCase(), 'assign', { userId: 'u-1' }, { key: 'name-1' });
    expect([again.status, again.headers['idempotency-replayed'], again.body]).toEqual([201, 'true', first.body]);
    const other = await act(codes[1]!, 'assign', { userId: 'u-1' }, { key: 'name-1' });
    expect(refusalOf(other)).toEqual([422, 'idempotency-key-reused']);
  });

  test('404: a code that no book has is coupon-not-found', async () => {
    for (const code of ['NO-SUCH-CODE', '%20', 'a', 'x'.repeat(65), 'caf%C3%A9']) {
      expect(refusalOf(await act(code, 'assign', { userId: freshUser() }))).toEqual([404, 'coupon-not-found']);
    }
  });

  test('409: coupon-void, then code-already-assigned, then the book, then the user’s limit', async () => {
    const { bookId, codes } = await makeNamed({ maxCodesPerUser: 1 });
    await act(codes[0]!, 'assign', { userId: 'u-1' });
    await act(codes[1]!, 'void', {});
    expect(refusalOf(await act(codes[2]!, 'assign', { userId: 'u-1' }))).toEqual([409, 'user-limit-reached']);
    await pause(bookId);
    expect(refusalOf(await act(codes[1]!, 'assign', { userId: 'u-1' }))).toEqual([409, 'coupon-void']);
    expect(refusalOf(await act(codes[0]!, 'assign', { userId: 'u-1' }))).toEqual([409, 'code-already-assigned']);
    expect(refusalOf(await act(codes[2]!, 'assign', { userId: 'u-1' }))).toEqual([409, 'book-not-active']);
  });

  test('409: a book that has ended is book-outside-window', async () => {
    const { codes } = await makeNamed({ endsAt: '2020-01-01T00:00:00Z' });
    expect(refusalOf(await act(codes[0]!, 'assign', { userId: 'u-1' }))).toEqual([409, 'book-outside-window']);
  });
});

describe('POST /v1/coupons/{code}/validate', () => {
  const validate = (code: string, userId: string, options: CallOptions = {}) =>
    act(code, 'validate', { userId }, options);

  test('200: redeemable, and nothing has changed', async () => {
    const { code, userId } = await makeCoupon();
    const { status, body } = await validate(code, userId);
    expect([status, body]).toEqual([200, { redeemable: true, rev: 1 }]);
    expect((await api.call('GET', `/v1/coupons/${code}`)).body.rev).toBe(1);
  });

  test('200: not redeemable, with the reason that a redeem would give', async () => {
    const { bookId, code, userId } = await makeCoupon();
    const reasonFor = async (user = userId) => (await validate(code, user)).body.reason;
    expect(await reasonFor('other')).toBe('held-by-another-user');
    const { lockToken } = (await act(code, 'lock', { userId })).body;
    expect(await reasonFor()).toBe('code-locked');
    const withToken = (token: unknown) => act(code, 'validate', { userId, lockToken: token });
    expect((await withToken(lockToken)).body).toEqual({ redeemable: true, rev: 2 });
    expect((await withToken('1')).body).toEqual({ redeemable: false, reason: 'code-locked', rev: 2 });
    await act(code, 'redeem', { userId, lockToken });
    expect((await withToken(lockToken)).body.reason).toBe('lock-expired');
    expect(await reasonFor()).toBe('code-already-redeemed');
    await pause(bookId);
    expect(await reasonFor()).toBe('book-not-active');
    await act(code, 'void', {});
    expect(await reasonFor()).toBe('coupon-void');
  });

  test('200: where the book wants a lock, it says so until its token is given', async () => {
    const { code, userId } = await makeCoupon({ requireLock: true });
    expect((await validate(code, userId)).body).toEqual({ redeemable: false, reason: 'lock-required', rev: 1 });
    const { lockToken } = (await act(code, 'lock', { userId })).body;
    expect((await act(code, 'validate', { userId, lockToken })).body).toEqual({ redeemable: true, rev: 2 });
  });

  test('200: an Idempotency-Key is of no account', async () => {
    const { code, userId } = await makeCoupon();
    await validate(code, userId, { key: 'v-1' });
    const again = await validate(code, userId, { key: 'v-1' });
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([200, undefined]);
  });

  test('404: a code that nobody holds is coupon-not-found', async () => {
    expect(refusalOf(await validate('NO-SUCH-CODE', freshUser()))).toEqual([404, 'coupon-not-found']);
  });
});

describe('POST /v1/coupons/{code}/lock', () => {
  test('200: the coupon with a token that grows with each grant and stays on renewal', async () => {
    const { code, userId } = await makeCoupon({ lockTtlSeconds: 60 });
    const first = await act(code, 'lock', { userId });
    expect(first.status).toBe(200);
    const { lockToken } = first.body;
    expect(lockToken).toMatch(/^1\d{10}$/);
    expect(first.body).toMatchObject({ code, status: 'locked', rev: 2, lockedUntil: time });
    const renewed = await act(code, 'lock', { userId, lockToken, ttlSeconds: 86_400 });
    expect(renewed.body).toMatchObject({ status: 'locked', rev: 3, lockToken });
    expect(Date.parse(String(renewed.body.lockedUntil))).toBeGreaterThan(Date.parse(String(first.body.lockedUntil)));
    await act(code, 'unlock', { userId, lockToken });
    const next = (await act(code, 'lock', { userId })).body;
    expect(next).toMatchObject({ rev: 5, lockToken: expect.stringMatching(/^2\d{10}$/) });
    expect(BigInt(next.lockToken)).toBeGreaterThan(BigInt(String(lockToken)));
  });

  test('200: the same key locks once', async () => {
    const { code, userId } = await makeCoupon();
    const first = await act(code, 'lock', { userId }, { key: `lock-${code}` });
    const again = await act(code, 'lock', { userId }, { key: `lock-${code}` });
    expect([again.status, again.headers['idempotency-replayed'], again.body]).toEqual([200, 'true', first.body]);
  });

  test('409: a live lock refuses everyone without its token, the same user too, and says when to come back', async () => {
    const { code, userId } = await makeCoupon();
    await act(code, 'lock', { userId, ttlSeconds: 3_600 });
    for (const body of [{ userId }, { userId, lockToken: '1' }, { userId, lockToken: '10000000000' }]) {
      const answer = await act(code, 'lock', body);
      expect(refusalOf(answer)).toEqual([409, 'code-locked']);
      expect(answer.body.rev).toBe(2);
      const seconds = Number(answer.headers['retry-after']);
      expect([seconds > 3_000, seconds <= 3_600]).toEqual([true, true]);
    }
  });

  test('409: a token when no lock is live is lock-expired', async () => {
    const { code, userId } = await makeCoupon();
    expect(refusalOf(await act(code, 'lock', { userId, lockToken: '1' }))).toEqual([409, 'lock-expired']);
    await act(code, 'lock', { userId, ttlSeconds: 1 });
    await sleep(1_100);
    expect((await api.call('GET', `/v1/coupons/${code}`)).body).toMatchObject({
      status: 'assigned',
      lockedUntil: null,
    });
    expect(refusalOf(await act(code, 'lock', { userId, lockToken: '1' }))).toEqual([409, 'lock-expired']);
    expect((await act(code, 'lock', { userId })).body.lockToken).toMatch(/^2\d{10}$/);
  });

  test.each([
    ['ttlSeconds of 0', { ttlSeconds: 0 }, '/ttlSeconds'],
    ['ttlSeconds beyond a day', { ttlSeconds: 86_401 }, '/ttlSeconds'],
    ['ttlSeconds as text', { ttlSeconds: '60' }, '/ttlSeconds'],
    ['a lockToken that is a number', { lockToken: 1 }, '/lockToken'],
    ['a lockToken that is no number as text', { lockToken: 'x' }, '/lockToken'],
  ])('400: %s is invalid-input that names it', async (_what, body, path) => {
    const answer = await act('ANY-CODE', 'lock', { userId: 'u-1', ...body });
    expect([...refusalOf(answer), pathsOf(answer)]).toEqual([400, 'invalid-input', [path]]);
  });

  test('409 before 409: void, another user, the book, the lock, the redemption, in this order', async () => {
    const { bookId, code, userId } = await makeCoupon();
    await act(code, 'redeem', { userId });
    expect(refusalOf(await act(code, 'lock', { userId }))).toEqual([409, 'code-already-redeemed']);
    expect(refusalOf(await act(code, 'lock', { userId, lockToken: '1' }))).toEqual([409, 'lock-expired']);
    await pause(bookId);
    expect(refusalOf(await act(code, 'lock', { userId, lockToken: '1' }))).toEqual([409, 'book-not-active']);
    expect(refusalOf(await act(code, 'lock', { userId: 'other' }))).toEqual([409, 'held-by-another-user']);
    await act(code, 'void', {});
    expect(refusalOf(await act(code, 'lock', { userId: 'other' }))).toEqual([409, 'coupon-void']);
  });

  test('409: before its window a book is book-outside-window', async () => {
    const { code, userId } = await makeCoupon({ startsAt: '2099-01-01T00:00:00Z' });
    expect(refusalOf(await act(code, 'lock', { userId }))).toEqual([409, 'book-outside-window']);
    expect(refusalOf(await act(code, 'redeem', { userId }))).toEqual([409, 'book-outside-window']);
  });
});

describe('a lock reserves the coupon only', () => {
  test('409: it is refused where a redeem would be, for the same reason', async () => {
    const bookId = await makeBook({ maxRedemptionsPerUser: 1, maxRedemptions: 2 });
    const codesOf = async (userId: string) => [
      (await assign(bookId, userId)).body,
      (await assign(bookId, userId)).body,
    ];
    const [used, left] = await codesOf('u-1');
    const [other] = await codesOf('u-2');
    const [third] = await codesOf('u-3');
    const refusals = async (code: string, userId: string) => [
      refusalOf(await act(code, 'lock', { userId })),
      refusalOf(await act(code, 'redeem', { userId })),
    ];
    const both = (kind: string) => [
      [409, kind],
      [409, kind],
    ];
    await act(used!.code, 'redeem', { userId: 'u-1' });
    expect(await refusals(used!.code, 'u-1')).toEqual(both('code-already-redeemed'));
    expect(await refusals(left!.code, 'u-1')).toEqual(both('user-limit-reached'));
    await act(other!.code, 'redeem', { userId: 'u-2' });
    expect(await refusals(left!.code, 'u-1')).toEqual(both('redemption-limit-reached'));
    expect(await refusals(third!.code, 'u-3')).toEqual(both('redemption-limit-reached'));
  });

  test('409: its renewal too, and the redeem under it, once others have used up the book', async () => {
    const bookId = await makeBook({ maxRedemptions: 1 });
    const [one, two] = [await assign(bookId, 'u-1'), await assign(bookId, 'u-2')];
    const { lockToken } = (await act(one.body.code, 'lock', { userId: 'u-1' })).body;
    await act(two.body.code, 'redeem', { userId: 'u-2' });
    for (const verb of ['lock', 'redeem']) {
      const answer = await act(one.body.code, verb, { userId: 'u-1', lockToken });
      expect(refusalOf(answer)).toEqual([409, 'redemption-limit-reached']);
    }
  });

  test('200: lockedUntil is never after expiresAt', async () => {
    const endsAt = new Date(Date.now() + 3_600_000).toISOString();
    const { code, userId } = await makeCoupon({ endsAt });
    const { body } = await act(code, 'lock', { userId, ttlSeconds: 86_400 });
    expect([body.lockedUntil, body.expiresAt]).toEqual([endsAt, endsAt]);
    const renewed = await act(code, 'lock', { userId, ttlSeconds: 86_400, lockToken: body.lockToken });
    expect(renewed.body.lockedUntil).toBe(endsAt);
  });

  test('every text of the document that offers a lock says so', () => {
    const { paths } = api.document as unknown as { paths: Record<string, { post: { description: string } }> };
    for (const verb of ['lock', 'validate']) {
      expect(paths[`/v1/coupons/{code}/${verb}`]!.post.description).toContain('the coupon only');
    }
  });
});

describe('POST /v1/coupons/{code}/unlock', () => {
  test('200: the coupon, free again', async () => {
    const { code, userId } = await makeCoupon();
    const { lockToken } = (await act(code, 'lock', { userId })).body;
    const { status, body } = await act(code, 'unlock', { userId, lockToken }, { key: `unlock-${code}` });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'assigned', rev: 3, lockedUntil: null });
    expect(body.lockToken).toBeUndefined();
    const again = await act(code, 'unlock', { userId, lockToken }, { key: `unlock-${code}` });
    expect([again.headers['idempotency-replayed'], again.body]).toEqual(['true', body]);
  });

  test('409: another token is code-locked, and no lock is lock-expired', async () => {
    const { code, userId } = await makeCoupon();
    expect(refusalOf(await act(code, 'unlock', { userId, lockToken: '1' }))).toEqual([409, 'lock-expired']);
    await act(code, 'lock', { userId });
    expect(refusalOf(await act(code, 'unlock', { userId, lockToken: '7' }))).toEqual([409, 'code-locked']);
    expect(refusalOf(await act(code, 'unlock', { userId: 'other', lockToken: '1' }))).toEqual([
      409,
      'held-by-another-user',
    ]);
  });

  test('400: no lockToken is invalid-input', async () => {
    expect(pathsOf(await act('ANY-CODE', 'unlock', { userId: 'u-1' }))).toEqual(['/lockToken']);
    expect(pathsOf(await act('ANY-CODE', 'unlock', {}))).toEqual(['/userId', '/lockToken']);
  });

  test('200: an operator ends anybody’s lock by force; the event has the reason and who it was', async () => {
    const { code, userId } = await makeCoupon();
    const { lockToken } = (await act(code, 'lock', { userId })).body;
    const as = tokenOf('operator', 'clerk');
    const force = () => act(code, 'unlock', { force: true, reason: 'the till died' }, { as, key: `force-${code}` });
    const { status, body } = await force();
    expect([status, body.status, body.rev, body.lockedUntil]).toEqual([200, 'assigned', 3, null]);
    const again = await force();
    expect([again.headers['idempotency-replayed'], again.body]).toEqual(['true', body]);
    expect(refusalOf(await act(code, 'redeem', { userId, lockToken }))).toEqual([409, 'lock-expired']);
    const { body: events } = await api.call('GET', `/v1/coupons/${code}/events`);
    expect(events.data.at(-1)).toMatchObject({
      rev: 3,
      kind: 'unlocked',
      actor: 'jwt:clerk',
      data: { reason: 'the till died' },
    });
  });

  test('200: a lock is ended by force in a paused book too, and without a reason', async () => {
    const { code, userId, bookId } = await makeCoupon();
    await act(code, 'lock', { userId });
    await pause(bookId);
    expect((await act(code, 'unlock', { force: true })).status).toBe(200);
    const { body } = await api.call('GET', `/v1/coupons/${code}/events`);
    expect(body.data.at(-1)).toMatchObject({ kind: 'unlocked', data: {} });
  });

  test('409: by force where no lock is live is lock-expired, and a void coupon is coupon-void', async () => {
    const { code } = await makeCoupon();
    expect(refusalOf(await act(code, 'unlock', { force: true }))).toEqual([409, 'lock-expired']);
    await act(code, 'void', {});
    expect(refusalOf(await act(code, 'unlock', { force: true }))).toEqual([409, 'coupon-void']);
  });

  test('403: a redeemer and a customer can’t end a lock by force', async () => {
    const { code, userId } = await makeCoupon();
    await act(code, 'lock', { userId });
    for (const as of [tokenOf('redeemer', 'till'), tokenOf('customer', userId)]) {
      for (const body of [{ force: true }, { force: true, userId, lockToken: '1' }]) {
        expect(refusalOf(await act(code, 'unlock', body, { as }))).toEqual([403, 'forbidden']);
      }
    }
    expect((await api.call('GET', `/v1/coupons/${code}`)).body.status).toBe('locked');
  });

  test('400: force takes no user and no token, and a reason goes with force alone', async () => {
    const named = { userId: 'u-1', lockToken: '1' };
    expect(pathsOf(await act('ANY-CODE', 'unlock', { ...named, force: true }))).toEqual(['/userId', '/lockToken']);
    expect(pathsOf(await act('ANY-CODE', 'unlock', { ...named, reason: 'mine' }))).toEqual(['/reason']);
    expect(pathsOf(await act('ANY-CODE', 'unlock', { force: 'yes' }))).toEqual(['/force']);
  });

  test('404: a code that nobody holds is coupon-not-found', async () => {
    const answer = await act('NO-SUCH-CODE', 'unlock', { userId: freshUser(), lockToken: '1' });
    expect(refusalOf(answer)).toEqual([404, 'coupon-not-found']);
  });
});

describe('POST /v1/coupons/{code}/redeem', () => {
  test('200: the coupon with its redemption', async () => {
    const { code, userId } = await makeCoupon({ maxRedemptionsPerCode: 2 });
    const first = await act(code, 'redeem', { userId, reference: 'order-1', metadata: { a: [1] } });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ code, userId, status: 'assigned', rev: 2, redemptions: 1, maxRedemptions: 2 });
    expect(first.body.redemption).toEqual({ id: expect.any(String), seq: 1, at: time, reference: 'order-1' });
    const second = await act(code, 'redeem', { userId });
    expect(second.body).toMatchObject({ status: 'redeemed', rev: 3, redemptions: 2 });
    expect(second.body.redemption).toMatchObject({ seq: 2, reference: null });
  });

  test('200: without a limit a code is redeemed again and again', async () => {
    const { code, userId } = await makeCoupon({ maxRedemptionsPerCode: null });
    for (let seq = 1; seq <= 3; seq += 1) {
      const { body } = await act(code, 'redeem', { userId });
      expect([body.redemption.seq, body.status, body.maxRedemptions]).toEqual([seq, 'assigned', null]);
    }
  });

  test('200: the same key redeems once, and gives the first answer after the coupon has changed', async () => {
    const { code, userId } = await makeCoupon();
    const first = await act(code, 'redeem', { userId, reference: 'order-1' }, { key: `redeem-${code}` });
    await api.call('POST', `/v1/redemptions/${first.body.redemption.id}/reverse`);
    // A number that was given back is not used again.
    expect((await act(code, 'redeem', { userId })).body.redemption.seq).toBe(2);
    const again = await act(code, 'redeem', { reference: 'order-1', userId }, { key: `redeem-${code}` });
    expect([again.status, again.headers['idempotency-replayed'], again.body]).toEqual([200, 'true', first.body]);
    const other = await act(code, 'redeem', { userId, reference: 'order-2' }, { key: `redeem-${code}` });
    expect(refusalOf(other)).toEqual([422, 'idempotency-key-reused']);
  });

  test('200: with the token of the live lock, which it ends', async () => {
    const { code, userId } = await makeCoupon({ requireLock: true });
    expect(refusalOf(await act(code, 'redeem', { userId }))).toEqual([409, 'lock-required']);
    const { body } = await act(code, 'lock', { userId });
    expect(refusalOf(await act(code, 'redeem', { userId }))).toEqual([409, 'code-locked']);
    expect(refusalOf(await act(code, 'redeem', { userId, lockToken: '9' }))).toEqual([409, 'code-locked']);
    const redeemed = await act(code, 'redeem', { userId, lockToken: body.lockToken });
    expect(redeemed.body).toMatchObject({ status: 'redeemed', lockedUntil: null });
  });

  test('409: a token when no lock is live is lock-expired', async () => {
    const { code, userId } = await makeCoupon();
    expect(refusalOf(await act(code, 'redeem', { userId, lockToken: '1' }))).toEqual([409, 'lock-expired']);
  });

  test('409: coupon-void, held-by-another-user, book-not-active, code-already-redeemed, in this order', async () => {
    const { bookId, code, userId } = await makeCoupon();
    await act(code, 'redeem', { userId });
    const answer = await act(code, 'redeem', { userId });
    expect([...refusalOf(answer), answer.body.rev]).toEqual([409, 'code-already-redeemed', 2]);
    await pause(bookId);
    expect(refusalOf(await act(code, 'redeem', { userId }))).toEqual([409, 'book-not-active']);
    expect(refusalOf(await act(code, 'redeem', { userId: 'other' }))).toEqual([409, 'held-by-another-user']);
    await act(code, 'void', {});
    expect(refusalOf(await act(code, 'redeem', { userId }))).toEqual([409, 'coupon-void']);
  });

  test('409: a book with as many redemptions as allowed is redemption-limit-reached', async () => {
    const bookId = await makeBook({ maxRedemptions: 1 });
    const [one, two] = [await assign(bookId, 'u-1'), await assign(bookId, 'u-2')];
    const { body } = await act(one.body.code, 'redeem', { userId: 'u-1' });
    expect(refusalOf(await act(two.body.code, 'redeem', { userId: 'u-2' }))).toEqual([409, 'redemption-limit-reached']);
    await api.call('POST', `/v1/redemptions/${body.redemption.id}/reverse`);
    expect((await act(two.body.code, 'redeem', { userId: 'u-2' })).status).toBe(200);
  });

  test('409: a user with as many redemptions as allowed is user-limit-reached, after the book’s limit', async () => {
    const bookId = await makeBook({ maxRedemptionsPerUser: 1, maxRedemptions: 2 });
    const codes = [];
    for (const userId of ['u-1', 'u-1', 'u-2']) codes.push((await assign(bookId, userId)).body.code);
    await act(codes[0]!, 'redeem', { userId: 'u-1' });
    expect(refusalOf(await act(codes[1]!, 'redeem', { userId: 'u-1' }))).toEqual([409, 'user-limit-reached']);
    await act(codes[2]!, 'redeem', { userId: 'u-2' });
    expect(refusalOf(await act(codes[1]!, 'redeem', { userId: 'u-1' }))).toEqual([409, 'redemption-limit-reached']);
  });

  test.each([
    ['a reference that is too long', { reference: 'x'.repeat(201) }, '/reference'],
    ['a reference that is a number', { reference: 7 }, '/reference'],
    ['metadata that is a text', { metadata: 'x' }, '/metadata'],
    ['metadata that is too large', { metadata: { a: 'x'.repeat(5_000) } }, '/metadata'],
    ['an unknown field', { locktoken: '1' }, '/locktoken'],
  ])('400: %s is invalid-input that names it', async (_what, body, path) => {
    const { code, userId } = await makeCoupon();
    const answer = await act(code, 'redeem', { userId, ...body });
    expect([...refusalOf(answer), pathsOf(answer)]).toEqual([400, 'invalid-input', [path]]);
    expect((await api.call('GET', `/v1/coupons/${code}`)).body.rev).toBe(1);
  });

  test('404 after 422: a used key is said before a code that does not exist', async () => {
    const { code, userId } = await makeCoupon();
    await act(code, 'redeem', { userId }, { key: `used-${code}` });
    expect(refusalOf(await act('NO-SUCH-CODE', 'redeem', { userId }, { key: `used-${code}` }))).toEqual([
      422,
      'idempotency-key-reused',
    ]);
    expect(refusalOf(await act('NO-SUCH-CODE', 'redeem', { userId }))).toEqual([404, 'coupon-not-found']);
  });
});

describe('a customer', () => {
  test('404: one and the same answer for a code that does not exist, is void or is another user’s', async () => {
    const mine = await makeCoupon();
    const voided = await makeCoupon();
    await act(voided.code, 'void', {});
    const sub = freshUser();
    const as = tokenOf('customer', sub);
    const codes = ['NO-SUCH-CODE', mine.code, voided.code];
    const calls: [string, string, object | undefined][] = [
      ['GET', '', undefined],
      ['POST', '/validate', { userId: sub }],
      ['POST', '/redeem', { userId: sub }],
    ];
    for (const [method, suffix, body] of calls) {
      const answers = [];
      for (const code of codes) {
        const answer = await api.call(method, `/v1/coupons/${code}${suffix}`, { as, ...(body && { body }) });
        const { instance, ...problem } = answer.body;
        expect(instance).toBe(`/v1/coupons/${code}${suffix}`);
        answers.push(problem);
      }
      expect(answers[0]).toMatchObject({ status: 404, kind: 'coupon-not-found' });
      expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    }
  });

  test('200: its own coupon is read, validated, locked, unlocked and redeemed', async () => {
    const { code, userId } = await makeCoupon();
    const as = tokenOf('customer', userId);
    expect((await api.call('GET', `/v1/coupons/${code}`, { as })).status).toBe(200);
    expect((await act(code, 'validate', { userId }, { as })).body.redeemable).toBe(true);
    const lock = await act(code, 'lock', { userId }, { as });
    expect((await act(code, 'unlock', { userId, lockToken: lock.body.lockToken }, { as })).status).toBe(200);
    expect((await act(code, 'redeem', { userId }, { as })).status).toBe(200);
  });
});

describe('POST /v1/coupons/{code}/void', () => {
  test('200: the coupon is void, with or without a body, and its lock has ended', async () => {
    const { code, userId } = await makeCoupon();
    await act(code, 'lock', { userId });
    const { status, body } = await act(code, 'void', { reason: 'leaked' }, { key: `void-${code}` });
    expect(status).toBe(200);
    expect(body).toMatchObject({ code, userId, status: 'voided', rev: 3, lockedUntil: null });
    const again = await act(code, 'void', { reason: 'leaked' }, { key: `void-${code}` });
    expect([again.headers['idempotency-replayed'], again.body]).toEqual(['true', body]);
    const bare = await makeCoupon();
    expect((await api.call('POST', `/v1/coupons/${bare.code}/void`)).body.status).toBe('voided');
  });

  test('200: a code that nobody has becomes a void coupon without a user', async () => {
    const bookId = await makeBook({}, 0);
    await api.call('POST', `/v1/books/${bookId}/codes`, { body: { codes: ['UNUSED-CODE'] } });
    const { status, body } = await act('unused-code', 'void', {});
    expect([status, body.code, body.status, body.userId, body.assignedAt]).toEqual([
      200,
      'UNUSED-CODE',
      'voided',
      null,
      null,
    ]);
    expect(refusalOf(await assign(bookId, 'u-1'))).toEqual([409, 'no-codes-left']);
  });

  test('409: a void coupon is coupon-void', async () => {
    const { code } = await makeCoupon();
    await act(code, 'void', {});
    const answer = await act(code, 'void', {});
    expect([...refusalOf(answer), answer.body.rev]).toEqual([409, 'coupon-void', 2]);
  });

  test('404 and 400: no such code, and a reason that is too long', async () => {
    expect(refusalOf(await act('NO-SUCH-CODE', 'void', {}))).toEqual([404, 'coupon-not-found']);
    expect(pathsOf(await act('ANY-CODE', 'void', { reason: 'x'.repeat(501) }))).toEqual(['/reason']);
    expect(pathsOf(await act('ANY-CODE', 'void', { userId: 'u' }))).toEqual(['/userId']);
  });
});

describe('POST /v1/redemptions/{redemptionId}/reverse', () => {
  const reverse = (id: string, options: CallOptions = {}) => api.call('POST', `/v1/redemptions/${id}/reverse`, options);
  async function makeRedemption(): Promise<{ code: string; userId: string; bookId: string; id: string }> {
    const coupon = await makeCoupon();
    const { body } = await act(coupon.code, 'redeem', { userId: coupon.userId });
    return { ...coupon, id: body.redemption.id };
  }

  test('200: the redemption is given back, and the coupon can be redeemed again', async () => {
    const { code, userId, id } = await makeRedemption();
    const { status, body } = await reverse(id, { body: { reason: 'cancelled' }, key: `reverse-${id}` });
    expect(status).toBe(200);
    expect(body).toMatchObject({ code, status: 'assigned', rev: 3, redemptions: 0 });
    const again = await reverse(id, { body: { reason: 'cancelled' }, key: `reverse-${id}` });
    expect([again.headers['idempotency-replayed'], again.body]).toEqual(['true', body]);
    expect((await act(code, 'redeem', { userId })).status).toBe(200);
  });

  test('200: without a body, in capitals, and from a book that is paused', async () => {
    const { bookId, id } = await makeRedemption();
    await pause(bookId);
    expect((await reverse(id.toUpperCase())).status).toBe(200);
  });

  test('409: one that was given back is a conflict, one of a void coupon is coupon-void', async () => {
    const { id } = await makeRedemption();
    await reverse(id);
    const again = await reverse(id);
    expect([...refusalOf(again), again.body.reason]).toEqual([409, 'conflict', 'already-reversed']);
    const other = await makeRedemption();
    await act(other.code, 'void', {});
    expect(refusalOf(await reverse(other.id))).toEqual([409, 'coupon-void']);
  });

  test('404: one that does not exist is redemption-not-found', async () => {
    for (const id of [nowhere, 'nonsense']) expect(refusalOf(await reverse(id))).toEqual([404, 'redemption-not-found']);
  });
});

describe('reading coupons', () => {
  test('200: GET /v1/coupons/{code} gives the coupon in any spelling', async () => {
    const { code, userId } = await makeCoupon();
    const read = await api.call('GET', `/v1/coupons/${code}`);
    expect(read.body).toMatchObject({ code, userId, status: 'assigned', rev: 1 });
    for (const spelling of [code.toLowerCase(), `%20${code}%09`]) {
      expect((await api.call('GET', `/v1/coupons/${spelling}`)).body).toEqual(read.body);
    }
  });

  test('404: a code without a holder, and one that does not exist, are coupon-not-found', async () => {
    const bookId = await makeBook({}, 0);
    await api.call('POST', `/v1/books/${bookId}/codes`, { body: { codes: ['NOBODYS-CODE'] } });
    for (const code of ['NOBODYS-CODE', 'NO-SUCH-CODE']) {
      expect(refusalOf(await api.call('GET', `/v1/coupons/${code}`))).toEqual([404, 'coupon-not-found']);
      expect(refusalOf(await api.call('GET', `/v1/coupons/${code}/events`))).toEqual([404, 'coupon-not-found']);
    }
  });

  test('200: GET …/events tells the coupon’s life in the order of its revisions, over pages', async () => {
    const { code, userId } = await makeCoupon();
    const { lockToken } = (await act(code, 'lock', { userId })).body;
    await act(code, 'lock', { userId, lockToken });
    await act(code, 'unlock', { userId, lockToken });
    const { body } = await act(code, 'redeem', { userId, reference: 'order-1' });
    await api.call('POST', `/v1/redemptions/${body.redemption.id}/reverse`);
    await act(code, 'void', { reason: 'leaked' });
    const kinds = ['assigned', 'locked', 'lock-renewed', 'unlocked', 'redeemed', 'reversed', 'voided'];
    const events: Body[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Answer = await api.call('GET', `/v1/coupons/${code}/events?limit=3${cursor && `&cursor=${cursor}`}`);
      events.push(...page.body.data);
      cursor = page.body.nextCursor;
    }
    expect(events.map(({ rev, kind }) => [rev, kind])).toEqual(kinds.map((kind, index) => [index + 1, kind]));
    expect(events[4]).toEqual({
      rev: 5,
      at: time,
      kind: 'redeemed',
      userId,
      actor: 'root',
      data: { redemptionId: body.redemption.id, seq: 1, metadata: null, reference: 'order-1' },
    });
  });

  test('200: events name a key by its id, a JWT by its sub, and a customer not at all', async () => {
    const bookId = await makeBook({ selfService: true });
    const { body: key } = await api.call('POST', '/v1/api-keys', { body: { name: 'Till', role: 'operator' } });
    const actors = [];
    const tokens: [string, string][] = [
      [key.secret, 'by-key'],
      [tokenOf('operator', 'clerk'), 'by-jwt'],
      [tokenOf('customer', 'by-itself'), 'by-itself'],
    ];
    for (const [as, userId] of tokens) {
      const { body } = await assign(bookId, userId, { as });
      actors.push((await api.call('GET', `/v1/coupons/${body.code}/events`)).body.data[0]!.actor);
    }
    expect(actors).toEqual([`key:${key.id}`, 'jwt:clerk', 'customer']);
  });
});
