import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { type Answer, type CallOptions, startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
let books = 0;
beforeAll(async () => {
  api = await startTestApi('public codes');
});
// At the end, since each look is at the books of all tests before it.
afterAll(async () => {
  const broken = await findBrokenInvariants(api.database.url);
  await api.close();
  expect(broken).toEqual([]);
});

const make = (fields: object, options: CallOptions = {}) =>
  api.call('POST', '/v1/books', { body: { name: 'Public', ...fields }, ...options });
const patch = (bookId: string, body: object) => api.call('PATCH', `/v1/books/${bookId}`, { body });
/** An active book with a public code of its own. */
async function open(fields: object = {}): Promise<{ bookId: string; publicCode: string }> {
  books += 1;
  const publicCode = `SUMMER-${books}`;
  const { status, body } = await make({ status: 'active', publicCode, ...fields });
  expect(status).toBe(201);
  return { bookId: body.id, publicCode };
}
const act = (code: string, verb: string, body: object, options: CallOptions = {}) =>
  api.call('POST', `/v1/coupons/${encodeURIComponent(code)}/${verb}`, { body, ...options });
const redeem = (code: string, userId: string, options: CallOptions = {}) => act(code, 'redeem', { userId }, options);
const assign = (bookId: string, userId: string, options: CallOptions = {}) =>
  api.call('POST', '/v1/coupons/assign', { body: { bookId, userId }, ...options });
const couponsOf = async (userId: string) => (await api.call('GET', `/v1/users/${userId}/coupons`)).body.data;
const eventsOf = async (code: string) =>
  (await api.call('GET', `/v1/coupons/${code}/events`)).body.data.map(({ rev, kind }) => [rev, kind]);
const assignedIn = async (bookId: string) => (await api.call('GET', `/v1/books/${bookId}/counts`)).body.assigned;
const kindOf = ({ status, body }: Answer) => [status, body.kind];
const reasonOf = ({ status, body }: Answer) => [status, body.kind, body.reason];

describe('a book with a public code', () => {
  test('201: it is kept in upper case, and a book that opens with it has a deck nobody made', async () => {
    const { status, body } = await make({ publicCode: ' spring\u201120 ', status: 'active' });
    expect([status, body.publicCode]).toEqual([201, 'SPRING-20']);
    expect(body.counts).toMatchObject({ codes: 10_000_000_000, available: 10_000_000_000, assigned: 0 });
    expect((await api.call('GET', `/v1/books/${body.id}`)).body).toEqual(body);
  });

  test('201: a draft has none, may change its code, and gets its deck when it opens', async () => {
    const { body } = await make({ publicCode: 'DRAFT-ONE' });
    expect((await api.call('GET', `/v1/books/${body.id}/counts`)).body.codes).toBe(0);
    expect(kindOf(await redeem('DRAFT-ONE', 'early'))).toEqual([409, 'book-not-active']);
    expect((await patch(body.id, { publicCode: 'DRAFT-TWO' })).body.publicCode).toBe('DRAFT-TWO');
    // What it gave up is free for others.
    expect((await make({ publicCode: 'DRAFT-ONE' })).status).toBe(201);
    expect((await patch(body.id, { status: 'active' })).body.counts).toMatchObject({ codes: 10_000_000_000 });
    expect((await redeem('DRAFT-TWO', 'early')).body.code).toMatch(/^DRAFT-TWO-/);
  });

  test('200: a draft gives its code up with null', async () => {
    const { body } = await make({ publicCode: 'GIVEN-UP' });
    expect((await patch(body.id, { publicCode: null })).body.publicCode).toBeNull();
    expect(kindOf(await redeem('GIVEN-UP', 'late'))).toEqual([404, 'coupon-not-found']);
    expect((await make({ publicCode: 'GIVEN-UP' })).status).toBe(201);
  });

  test('201: codes that were uploaded for it are the ones that are dealt', async () => {
    const { body } = await make({ publicCode: 'OWN-DECK' });
    await api.call('POST', `/v1/books/${body.id}/codes`, { body: { codes: ['OWN-1', 'OWN-2'] } });
    await patch(body.id, { status: 'active' });
    const codes = [(await redeem('OWN-DECK', 'a')).body.code, (await redeem('OWN-DECK', 'b')).body.code];
    expect(codes.sort()).toEqual(['OWN-1', 'OWN-2']);
    expect(kindOf(await redeem('OWN-DECK', 'c'))).toEqual([409, 'no-codes-left']);
    expect((await act('OWN-DECK', 'validate', { userId: 'c' })).body).toMatchObject({ reason: 'no-codes-left' });
    expect(kindOf(await act('OWN-DECK', 'lock', { userId: 'c' }))).toEqual([409, 'no-codes-left']);
    expect(kindOf(await act('OWN-DECK', 'assign', { userId: 'c' }))).toEqual([409, 'no-codes-left']);
  });

  test.each([
    ['too short', 'ABC'],
    ['too long', 'X'.repeat(65)],
    ['of other characters', 'SUMMER 20'],
    ['without a letter or a digit', '-----'],
  ])('400: a public code that is %s', async (_what, publicCode) => {
    const { status, body } = await make({ publicCode });
    expect([status, body.errors?.[0]?.path]).toEqual([400, '/publicCode']);
  });

  test('409: one that was uploaded, that a pattern could produce, or that another book has', async () => {
    const { body } = await make({ name: 'In the way' });
    await api.call('POST', `/v1/books/${body.id}/codes`, { body: { codes: ['TAKEN-20'] } });
    await api.call('POST', `/v1/books/${body.id}/codes/generate`, { body: { count: 1, pattern: 'GEN-########' } });
    await make({ publicCode: 'TAKEN-30', name: 'The first' });
    const draft = (await make({})).body.id;
    for (const publicCode of ['taken-20', 'GEN-OO11LI22', 'TAKEN-30']) {
      const created = await make({ publicCode });
      expect(reasonOf(created)).toEqual([409, 'conflict', 'code-exists']);
      expect(created.body.detail).toContain(publicCode === 'TAKEN-30' ? 'The first' : 'In the way');
      expect(reasonOf(await patch(draft, { publicCode }))).toEqual([409, 'conflict', 'code-exists']);
    }
    expect((await api.call('GET', `/v1/books/${draft}`)).body).toMatchObject({ publicCode: null, rev: 1 });
  });

  test('409: it can’t be changed, set or given up once the book is open', async () => {
    const { bookId } = await open();
    const plain = (await make({ status: 'active' })).body.id;
    for (const [id, publicCode] of [
      [bookId, 'OTHER-1'],
      [bookId, null],
      [plain, 'OTHER-2'],
    ] as const) {
      expect(reasonOf(await patch(id, { publicCode }))).toEqual([409, 'conflict', 'book-status']);
    }
    expect((await patch(bookId, { name: 'Another name' })).status).toBe(200);
  });

  test('an upload that holds one leaves it out, and a pattern that could produce it is 409', async () => {
    const { bookId, publicCode } = await open();
    const other = (await make({})).body.id;
    const upload = (id: string) =>
      api.call('POST', `/v1/books/${id}/codes`, { body: { codes: [publicCode.toLowerCase(), `${publicCode}-UP`] } });
    expect((await upload(bookId)).body).toMatchObject({
      accepted: 1,
      duplicates: 1,
      rejections: [{ line: 1, reason: 'duplicate-in-book' }],
    });
    expect((await upload(other)).body).toMatchObject({ rejections: [{ reason: 'duplicate-in-another-book' }, {}] });
    await make({ publicCode: 'ABCDEFGH' });
    const refused = await api.call('POST', `/v1/books/${other}/codes/generate`, {
      body: { count: 1, pattern: 'ABC#####' },
    });
    expect(reasonOf(refused)).toEqual([409, 'conflict', 'code-exists']);
    expect(refused.body.detail).toContain('is the public code of the book “Public”');
  });

  test('a repeat of its creation is the same book', async () => {
    const first = await make({ publicCode: 'ONCE-ONLY', status: 'active' }, { key: 'public-once' });
    const again = await make({ publicCode: 'ONCE-ONLY', status: 'active' }, { key: 'public-once' });
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers['idempotency-replayed']).toBe('true');
  });
});

describe('whoever brings a public code', () => {
  test('200: redeems a coupon of their own, which is dealt in that moment, with both codes in the answer', async () => {
    const { bookId, publicCode } = await open();
    const { status, body } = await redeem(publicCode, 'ana');
    expect(status).toBe(200);
    expect(body).toMatchObject({ publicCode, bookId, userId: 'ana', status: 'redeemed', rev: 2, redemptions: 1 });
    expect(body.code).toMatch(new RegExp(`^${publicCode}-....-....-....$`));
    const { redemption: _made, ...coupon } = body;
    expect(await couponsOf('ana')).toEqual([coupon]);
    expect((await api.call('GET', `/v1/coupons/${body.code}`)).body).toEqual(coupon);
    expect(await eventsOf(body.code)).toEqual([
      [1, 'assigned'],
      [2, 'redeemed'],
    ]);
    expect(kindOf(await redeem(publicCode, 'ana'))).toEqual([409, 'code-already-redeemed']);
    expect(kindOf(await redeem(body.code, 'ana'))).toEqual([409, 'code-already-redeemed']);
    expect((await redeem(publicCode, 'bea')).body.code).not.toBe(body.code);
  });

  test('200: acts on one coupon in every spelling', async () => {
    const { publicCode } = await open({ maxRedemptionsPerCode: 2 });
    const first = await redeem(` ${publicCode.toLowerCase()}`, 'spell');
    const second = await redeem(publicCode.replace('-', '\u2013'), 'spell');
    expect([first.body.code, first.body.redemptions]).toEqual([second.body.code, 1]);
    expect(second.body.redemptions).toBe(2);
    expect(kindOf(await redeem(publicCode, 'spell'))).toEqual([409, 'code-already-redeemed']);
  });

  test('200: is told what a redeem would say, and is dealt nothing by asking', async () => {
    const { bookId, publicCode } = await open({ maxRedemptions: 1 });
    expect((await act(publicCode, 'validate', { userId: 'asks' })).body).toEqual({
      redeemable: true,
      publicCode,
      rev: 0,
    });
    expect(await assignedIn(bookId)).toBe(0);
    const { body } = await redeem(publicCode, 'asks');
    expect((await act(publicCode, 'validate', { userId: 'asks' })).body).toEqual({
      redeemable: false,
      reason: 'code-already-redeemed',
      code: body.code,
      publicCode,
      rev: 2,
    });
    expect((await act(publicCode, 'validate', { userId: 'late' })).body).toEqual({
      redeemable: false,
      reason: 'redemption-limit-reached',
      publicCode,
      rev: 0,
    });
    await patch(bookId, { status: 'paused' });
    expect((await act(publicCode, 'validate', { userId: 'late' })).body).toMatchObject({ reason: 'book-not-active' });
  });

  test('409: a redeem that is refused deals nothing, and tells no revision', async () => {
    const limited = await open({ maxRedemptions: 1 });
    await redeem(limited.publicCode, 'first');
    const early = await open({ startsAt: '2099-01-01T00:00:00Z' });
    const locking = await open({ requireLock: true });
    for (const [{ bookId, publicCode }, kind, assigned] of [
      [limited, 'redemption-limit-reached', 1],
      [early, 'book-outside-window', 0],
      [locking, 'lock-required', 0],
    ] as const) {
      const refused = await redeem(publicCode, 'second');
      expect([...kindOf(refused), refused.body.rev]).toEqual([409, kind, undefined]);
      expect(await assignedIn(bookId)).toBe(assigned);
    }
    expect(kindOf(await act(locking.publicCode, 'redeem', { userId: 'second', lockToken: '1' }))).toEqual([
      409,
      'lock-expired',
    ]);
  });

  test('409: a first lock is refused where the limit of the book is reached, as a redeem is, and deals nothing', async () => {
    const { bookId, publicCode } = await open({ maxRedemptions: 1 });
    expect((await redeem(publicCode, 'limit-first')).status).toBe(200);
    const locked = await act(publicCode, 'lock', { userId: 'limit-second' });
    expect(kindOf(locked)).toEqual([409, 'redemption-limit-reached']);
    expect(kindOf(await redeem(publicCode, 'limit-second'))).toEqual([409, 'redemption-limit-reached']);
    expect(await assignedIn(bookId)).toBe(1);
  });

  test('200: locks, renews, redeems and unlocks their own coupon', async () => {
    const { publicCode } = await open({ requireLock: true, maxRedemptionsPerCode: null });
    const locked = await act(publicCode, 'lock', { userId: 'lea', ttlSeconds: 600 });
    expect(locked.body).toMatchObject({ publicCode, status: 'locked', rev: 2 });
    const { lockToken, code } = locked.body;
    expect(kindOf(await act(publicCode, 'lock', { userId: 'lea' }))).toEqual([409, 'code-locked']);
    expect((await act(publicCode, 'lock', { userId: 'lea', lockToken })).body).toMatchObject({
      code,
      lockToken,
      rev: 3,
    });
    expect((await act(code, 'redeem', { userId: 'lea', lockToken })).status).toBe(200);
    const again = (await act(publicCode, 'lock', { userId: 'lea' })).body;
    expect((await act(publicCode, 'unlock', { userId: 'lea', lockToken: again.lockToken })).body.code).toBe(code);
    // One user's lock keeps no other from their own coupon.
    await act(publicCode, 'lock', { userId: 'lea' });
    expect((await act(publicCode, 'lock', { userId: 'max' })).status).toBe(200);
    expect(kindOf(await act(publicCode, 'unlock', { userId: 'nobody', lockToken: '1' }))).toEqual([
      409,
      'lock-expired',
    ]);
  });

  test('201: is assigned a coupon by an operator, once', async () => {
    const { publicCode } = await open({ maxCodesPerUser: 5 });
    const { status, body } = await act(publicCode, 'assign', { userId: 'given' });
    expect([status, body.publicCode, body.status]).toEqual([201, publicCode, 'assigned']);
    const again = await act(publicCode, 'assign', { userId: 'given' });
    expect([...kindOf(again), again.body.rev]).toEqual([409, 'code-already-assigned', 1]);
    expect((await redeem(publicCode, 'given')).body.code).toBe(body.code);
  });

  test('409: has one coupon, whatever maxCodesPerUser says and whichever way it comes', async () => {
    const { bookId, publicCode } = await open({ maxCodesPerUser: 5, selfService: true });
    const { body } = await assign(bookId, 'one');
    expect(body.publicCode).toBe(publicCode);
    expect((await redeem(publicCode, 'one')).body.code).toBe(body.code);
    expect(kindOf(await assign(bookId, 'one'))).toEqual([409, 'user-limit-reached']);
    await redeem(publicCode, 'two');
    expect(kindOf(await assign(bookId, 'two', { as: tokenOf('customer', 'two') }))).toEqual([
      409,
      'user-limit-reached',
    ]);
    const { results } = (
      await api.call('POST', '/v1/coupons/assign-batch', { body: { bookId, userIds: ['two', 'three', 'three'] } })
    ).body;
    expect(results.map(({ kind, userId }) => kind ?? userId)).toEqual([
      'user-limit-reached',
      'three',
      'user-limit-reached',
    ]);
    expect(kindOf(await act(body.code, 'transfer', { userId: 'two' }))).toEqual([409, 'code-already-redeemed']);
    const { code } = (await act(publicCode, 'assign', { userId: 'four' })).body;
    expect(kindOf(await act(code, 'transfer', { userId: 'two' }))).toEqual([409, 'user-limit-reached']);
  });

  test('200: acts on what they have after a transfer, and is dealt another one for what was given away', async () => {
    const { publicCode } = await open({ maxRedemptionsPerUser: 2, maxRedemptionsPerCode: 2 });
    const { code } = (await redeem(publicCode, 'giver')).body;
    await act(code, 'transfer', { userId: 'receiver' });
    expect((await redeem(publicCode, 'receiver')).body).toMatchObject({ code, redemptions: 2 });
    // What the giver has redeemed still counts for the giver.
    const next = await redeem(publicCode, 'giver');
    expect([next.status, next.body.redemptions]).toEqual([200, 1]);
    expect(kindOf(await redeem(publicCode, 'giver'))).toEqual([409, 'user-limit-reached']);
  });

  test('409: a user whose coupon was voided is dealt no other one, until an operator assigns one', async () => {
    const { bookId, publicCode } = await open();
    const { code } = (await redeem(publicCode, 'void-me')).body;
    await act(code, 'void', {});
    expect(kindOf(await redeem(publicCode, 'void-me'))).toEqual([409, 'coupon-void']);
    expect(kindOf(await act(publicCode, 'assign', { userId: 'void-me' }))).toEqual([409, 'coupon-void']);
    expect((await act(publicCode, 'validate', { userId: 'void-me' })).body).toMatchObject({ reason: 'coupon-void' });
    const given = (await assign(bookId, 'void-me')).body.code;
    expect((await redeem(publicCode, 'void-me')).body.code).toBe(given);
  });

  test('200: a redemption that is given back may be made again', async () => {
    const { publicCode } = await open({ maxRedemptions: 1 });
    const { redemption } = (await redeem(publicCode, 'back')).body;
    expect((await api.call('POST', `/v1/redemptions/${redemption.id}/reverse`, { body: {} })).body).toMatchObject({
      publicCode,
      redemptions: 0,
    });
    expect((await redeem(publicCode, 'other')).body.redemption.seq).toBe(1);
    expect(kindOf(await redeem(publicCode, 'back'))).toEqual([409, 'redemption-limit-reached']);
  });

  test('a repeat with the same key gets the first answer, whether the coupon was there or not', async () => {
    const { publicCode } = await open({ maxRedemptionsPerCode: 5 });
    const first = await redeem(publicCode, 'key', { key: 'public-redeem' });
    const again = await redeem(publicCode.toLowerCase(), 'key', { key: 'public-redeem' });
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([200, first.body, 'true']);
    expect(kindOf(await redeem(publicCode, 'other-user', { key: 'public-redeem' }))).toEqual([
      422,
      'idempotency-key-reused',
    ]);
    await api.call('DELETE', '/v1/users/key');
    const erased = await redeem(publicCode, 'key', { key: 'public-redeem' });
    expect([erased.status, erased.body.code, erased.body.userId]).toEqual([200, first.body.code, null]);
    // An erased user is nobody that anyone remembers.
    expect((await redeem(publicCode, 'key')).body.code).not.toBe(first.body.code);
  });

  test('200: a coupon ends with the days that its book gives it', async () => {
    const { publicCode } = await open({ validForDays: 3, endsAt: '2999-01-01T00:00:00Z' });
    const { body } = await act(publicCode, 'lock', { userId: 'days', ttlSeconds: 60 });
    expect(Date.parse(String(body.expiresAt)) - Date.parse(String(body.assignedAt))).toBeGreaterThan(3 * 86_400_000);
  });
});

describe('a customer', () => {
  const as = tokenOf('customer', 'cleo');

  test('200: brings a public code to their own coupon and reads it, selfService or not', async () => {
    const { publicCode } = await open();
    expect((await act(publicCode, 'validate', { userId: 'cleo' }, { as })).body).toMatchObject({ redeemable: true });
    const { body } = await redeem(publicCode, 'cleo', { as });
    expect(body).toMatchObject({ publicCode, userId: 'cleo', redemptions: 1 });
    expect((await api.call('GET', `/v1/coupons/${publicCode}`, { as })).body.code).toBe(body.code);
  });

  test('404: one without a coupon reads none, and one whose coupon is void has none', async () => {
    const { publicCode } = await open();
    expect(kindOf(await api.call('GET', `/v1/coupons/${publicCode}`, { as }))).toEqual([404, 'coupon-not-found']);
    const { code } = (await redeem(publicCode, 'cleo', { as })).body;
    await act(code, 'void', {});
    expect(kindOf(await redeem(publicCode, 'cleo', { as }))).toEqual([404, 'coupon-not-found']);
    expect(kindOf(await redeem('NO-SUCH-CODE', 'cleo', { as }))).toEqual([404, 'coupon-not-found']);
  });

  test('403: brings it for nobody else, and assigns nothing', async () => {
    const { publicCode } = await open();
    expect(kindOf(await redeem(publicCode, 'another', { as }))).toEqual([403, 'forbidden']);
    expect(kindOf(await act(publicCode, 'assign', { userId: 'cleo' }, { as }))).toEqual([403, 'forbidden']);
  });
});

describe('a public code where no user is named', () => {
  test('200: is looked up as its book’s', async () => {
    const { bookId, publicCode } = await open();
    const expected = { code: publicCode, bookId, deckId: null, status: 'available', coupon: null };
    for (const role of ['admin', 'operator', 'redeemer']) {
      const { status, body } = await api.call('GET', `/v1/codes/${publicCode.toLowerCase()}`, { as: tokenOf(role) });
      expect([status, body]).toEqual([200, expected]);
    }
  });

  test('200: stands for every redemption of its book in the list of them', async () => {
    const { bookId, publicCode } = await open();
    for (const userId of ['r-1', 'r-2']) {
      await redeem(publicCode, userId);
      // Redemptions of one millisecond have no order.
      await sleep(5);
    }
    const listed = async (query: string) =>
      (await api.call('GET', `/v1/redemptions?code=${publicCode}${query}`)).body.data.map(({ userId }) => userId);
    expect(await listed('')).toEqual(['r-2', 'r-1']);
    expect(await listed(`&bookId=${bookId}&userId=r-1`)).toEqual(['r-1']);
    expect(await listed(`&bookId=${(await open()).bookId}`)).toEqual([]);
  });

  test('409: names no coupon to read, void, transfer or unlock by force', async () => {
    const { bookId, publicCode } = await open();
    await redeem(publicCode, 'somebody');
    const answers = [
      await api.call('GET', `/v1/coupons/${publicCode}`),
      await api.call('GET', `/v1/coupons/${publicCode}/events`),
      await act(publicCode, 'void', {}),
      await act(publicCode, 'transfer', { userId: 'u' }),
      await act(publicCode, 'unlock', { force: true }),
    ];
    for (const answer of answers) expect(reasonOf(answer)).toEqual([409, 'conflict', 'public-code']);
    expect(await assignedIn(bookId)).toBe(1);
  });
});

describe('those who guess', () => {
  test('are not told from those who bring a public code, however many they are', async () => {
    const { publicCode } = await open({ maxRedemptions: 3 });
    const as = tokenOf('redeemer', 'shop');
    const kinds = new Set<unknown>();
    for (let user = 0; user < 40; user += 1) kinds.add((await redeem(publicCode, `many-${user}`, { as })).body.kind);
    const customer = tokenOf('customer', 'patient');
    for (let round = 0; round < 40; round += 1) {
      kinds.add((await api.call('GET', `/v1/coupons/${publicCode}`, { as: customer })).body.kind);
    }
    expect([...kinds]).toEqual([undefined, 'redemption-limit-reached', 'coupon-not-found']);
  });

  test('429: are slowed for what is near a public code', async () => {
    const { publicCode } = await open();
    const as = tokenOf('customer', 'guesser');
    const kinds: unknown[] = [];
    for (let guess = 0; guess < 40; guess += 1) {
      kinds.push((await redeem(`${publicCode}${guess}`, 'guesser', { as })).body.kind);
    }
    expect(kinds[0]).toBe('coupon-not-found');
    expect(kinds.at(-1)).toBe('rate-limited');
  });
});
