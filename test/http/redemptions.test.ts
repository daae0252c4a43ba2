import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { type Answer, type Body, startTestApi, type TestApi, tokenOf } from './support.ts';

const nowhere = '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11';
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let api: TestApi;
/** All that was redeemed, oldest first. */
const made: { id: string; code: string; bookId: string; userId: string; at: string; reference: string | null }[] = [];
let [summer, winter] = ['', ''];
let other = '';
beforeAll(async () => {
  api = await startTestApi('redemptions');
  [summer, winter] = [await makeBook('SUMM'), await makeBook('WINT')];
  other = await makeCoupon(winter, 'nobody');
  for (const [bookId, userId] of [
    [summer, 'ana'],
    [winter, 'ana'],
    [summer, 'bob'],
    [winter, 'cleo'],
  ] as const) {
    const code = await makeCoupon(bookId, userId);
    for (const reference of [`order-${userId}`, null]) {
      const fields = reference === null ? {} : { reference, metadata: { till: 7 } };
      const { body } = await act(code, 'redeem', { userId, ...fields });
      made.push({ id: body.redemption.id, at: body.redemption.at, code, bookId, userId, reference });
      // The order of two redemptions of one millisecond is nobody's business.
      await untilAfter(body.redemption.at);
    }
  }
});
afterAll(async () => {
  expect(await findBrokenInvariants(api.database.url)).toEqual([]);
  await api.close();
});

async function makeBook(prefix: string): Promise<string> {
  const terms = {
    name: prefix,
    status: 'active',
    maxRedemptionsPerCode: null,
    timeZone: 'America/Argentina/Buenos_Aires',
  };
  const { body } = await api.call('POST', '/v1/books', { body: terms });
  await api.call('POST', `/v1/books/${body.id}/codes/generate`, {
    body: { count: 100, pattern: `${prefix}-########` },
  });
  return body.id;
}
async function makeCoupon(bookId: string, userId: string): Promise<string> {
  return (await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId } })).body.code;
}
/** By the database's clock, which redemptions have their times of. */
async function untilAfter(at: string): Promise<void> {
  await api.core.pool.query(
    `do $$ begin while clock_timestamp() < '${new Date(Date.parse(at) + 1).toISOString()}' loop perform pg_sleep(0.001); end loop; end $$`,
  );
}
const act = (code: string, verb: string, body: object) => api.call('POST', `/v1/coupons/${code}/${verb}`, { body });
const list = (query = '', headers: Record<string, string> = {}) =>
  api.call('GET', `/v1/redemptions${query}`, { headers });
const idsOf = (answer: Answer) => answer.body.data.map(({ id }) => id);
const newestFirst = (isWanted: (one: (typeof made)[number]) => boolean = () => true) =>
  made
    .filter(isWanted)
    .map(({ id }) => id)
    .toReversed();
const pathsOf = (answer: Answer) => answer.body.errors.map(({ path }) => path);

async function allPages(query: string, limit: number): Promise<Body[]> {
  const seen: Body[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Answer = await list(`?limit=${limit}${query}${cursor && `&cursor=${cursor}`}`);
    expect(page.status).toBe(200);
    seen.push(...page.body.data);
    cursor = page.body.nextCursor;
  }
  return seen;
}

describe('GET /v1/redemptions', () => {
  test('200: every redemption, newest first, with the fields of the contract', async () => {
    const answer = await list();
    expect(idsOf(answer)).toEqual(newestFirst());
    expect(answer.body.nextCursor).toBeNull();
    const oldest = made[0]!;
    expect(answer.body.data.at(-1)).toEqual({
      id: oldest.id,
      code: oldest.code,
      bookId: summer,
      userId: 'ana',
      seq: 1,
      at: oldest.at,
      reference: 'order-ana',
      metadata: { till: 7 },
      reversedAt: null,
    });
    expect(answer.body.data.at(-2)).toMatchObject({ seq: 2, reference: null, metadata: null });
  });

  const filters: [string, () => string, () => string[]][] = [
    ['bookId', () => `&bookId=${winter}`, () => newestFirst(({ bookId }) => bookId === winter)],
    [
      'bookId in upper case',
      () => `&bookId=${winter.toUpperCase()}`,
      () => newestFirst(({ bookId }) => bookId === winter),
    ],
    ['userId', () => '&userId=ana', () => newestFirst(({ userId }) => userId === 'ana')],
    [
      'userId and bookId',
      () => `&userId=ana&bookId=${summer}`,
      () => newestFirst(({ userId, bookId }) => userId === 'ana' && bookId === summer),
    ],
    ['code, however it is typed', () => `&code=%20${made[2]!.code.toLowerCase()}`, () => [made[3]!.id, made[2]!.id]],
    ['code and a user who does not have it', () => `&code=${made[2]!.code}&userId=bob`, () => []],
    ['code and a book that it is not of', () => `&code=${made[2]!.code}&bookId=${summer}`, () => []],
    ['reference', () => '&reference=order-ana', () => newestFirst(({ reference }) => reference === 'order-ana')],
    ['reference and userId', () => '&reference=order-bob&userId=bob', () => [made[4]!.id]],
    ['a part of a reference', () => '&reference=order', () => []],
    ['from, which counts', () => `&from=${made[5]!.at}`, () => newestFirst().slice(0, 3)],
    ['to, which does not', () => `&to=${made[5]!.at}`, () => newestFirst().slice(3)],
    [
      'from and to and userId',
      () => `&from=${made[1]!.at}&to=${made[3]!.at}&userId=ana`,
      () => [made[2]!.id, made[1]!.id],
    ],
    ['from and to alike', () => `&from=${made[1]!.at}&to=${made[1]!.at}`, () => []],
    ['an unknown book', () => `&bookId=${nowhere}`, () => []],
    ['an unknown user', () => '&userId=nobody-at-all', () => []],
    ['an unknown code', () => '&code=NONE-0000', () => []],
    ['a code that was not redeemed', () => `&code=${other}`, () => []],
  ];
  test.each(filters)('200: filtered by %s, over pages of any size', async (_what, query, wanted) => {
    for (const limit of [1, 3, 100]) {
      expect([limit, (await allPages(query(), limit)).map(({ id }) => id)]).toEqual([limit, wanted()]);
    }
  });

  test('200: days are those of the book’s zone, without a book those of UTC, and the last one counts as a whole', async () => {
    const day = (zone: string, shift = 0) =>
      new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(Date.parse(made[0]!.at) + shift * 86_400_000);
    const zones = [
      ['America/Argentina/Buenos_Aires', `&bookId=${summer}`],
      ['UTC', `&userId=bob`],
    ] as const;
    for (const [zone, query] of zones) {
      const all = newestFirst(({ bookId, userId }) => (zone === 'UTC' ? userId === 'bob' : bookId === summer));
      // The next day is asked for too: midnight may pass while the test runs.
      expect(idsOf(await list(`?from=${day(zone)}&to=${day(zone, 1)}${query}`))).toEqual(all);
      expect(idsOf(await list(`?to=${day(zone, -1)}${query}`))).toEqual([]);
    }
  });

  test('200: one that was given back stays, and says when', async () => {
    const code = await makeCoupon(summer, 'dora');
    const { redemption } = (await act(code, 'redeem', { userId: 'dora' })).body;
    await api.call('POST', `/v1/redemptions/${redemption.id}/reverse`);
    await untilAfter(redemption.at);
    const again = (await act(code, 'redeem', { userId: 'dora' })).body.redemption;
    expect((await list('?userId=dora')).body.data).toEqual([
      expect.objectContaining({ id: again.id, seq: 2, reversedAt: null }),
      expect.objectContaining({ id: redemption.id, seq: 1, reversedAt: expect.stringMatching(time) }),
    ]);
  });

  test('200: an erased user’s redemptions stay without a name, and nobody finds them by it', async () => {
    const code = await makeCoupon(summer, 'eve');
    await act(code, 'redeem', { userId: 'eve', reference: 'order-eve' });
    await api.call('DELETE', '/v1/users/eve');
    expect((await list('?userId=eve')).body.data).toEqual([]);
    expect((await list('?reference=order-eve')).body.data).toEqual([]);
    expect((await list(`?code=${code}`)).body.data).toEqual([
      expect.objectContaining({ userId: null, reference: null, metadata: null }),
    ]);
  });

  test('200: Accept: text/csv streams the whole, and no cell runs in a spreadsheet', async () => {
    const userId = '=HYPERLINK("x")';
    const code = await makeCoupon(winter, userId);
    const fields = { userId, reference: '@SUM(1,2)', metadata: { note: '"a", b' } };
    const { redemption } = (await act(code, 'redeem', fields)).body;
    const csv = await list(`?code=${code}`, { accept: 'text/csv' });
    expect([csv.status, csv.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
    expect(csv.headers['content-disposition']).toBe('attachment; filename="redemptions.csv"');
    const header = 'id,code,bookId,userId,seq,at,reference,metadata,reversedAt';
    expect(csv.text.split('\r\n')).toEqual([
      header,
      `${redemption.id},${code},${winter},"'=HYPERLINK(""x"")",1,${redemption.at},"'@SUM(1,2)","{""note"":""\\""a\\"", b""}",`,
      '',
    ]);
    const whole = await list('', { accept: 'text/csv' });
    expect(whole.text.trimEnd().split('\r\n').slice(1).length).toBe((await allPages('', 1_000)).length);
    expect((await list(`?bookId=${nowhere}`, { accept: 'text/csv' })).text).toBe(`${header}\r\n`);
    expect((await list(`?bookId=${nowhere}&bom=true`, { accept: 'text/csv' })).text).toBe(`\u{feff}${header}\r\n`);
  });

  test('200: local=true adds the name of the book, and its clocks, to each line of a CSV', async () => {
    const name = '=Verano, 2026';
    const terms = { name, status: 'active', timeZone: 'America/Argentina/Buenos_Aires' };
    const { id } = (await api.call('POST', '/v1/books', { body: terms })).body;
    await api.call('POST', `/v1/books/${id}/codes`, { body: { codes: ['LOCAL-TIME'] } });
    const code = await makeCoupon(id, 'ana');
    const { redemption } = (await act(code, 'redeem', { userId: 'ana' })).body;
    const plain = (await list(`?code=${code}`, { accept: 'text/csv' })).text.split('\r\n');
    const local = (await list(`?code=${code}&local=true`, { accept: 'text/csv' })).text.split('\r\n');
    // Buenos Aires has no summer time: three hours behind UTC.
    const there = new Date(Date.parse(redemption.at) - 3 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
    expect(local).toEqual([
      `${plain[0]},bookName,timeZone,localAt,localReversedAt`,
      `${plain[1]},"'=Verano, 2026",America/Argentina/Buenos_Aires,${there},`,
      '',
    ]);
    expect((await list(`?code=${code}&local=true`)).body.data).toHaveLength(1);
  });

  test('400: what no filter can be, and a cursor of other filters, are invalid-input', async () => {
    const { nextCursor } = (await list('?limit=1&userId=ana')).body;
    const wrong: [string, string][] = [
      ['?bookId=x', 'bookId'],
      ['?userId=', 'userId'],
      ['?userId=a%00', 'userId'],
      ['?reference=a%00', 'reference'],
      [`?reference=${'x'.repeat(201)}`, 'reference'],
      ['?from=yesterday', 'from'],
      ['?to=2026-02-30', 'to'],
      ['?from=2026-02-02T00:00:00Z&to=2026-02-01T00:00:00Z', 'to'],
      ['?from=2026-02-02&to=2026-02-01', 'to'],
      ['?bom=yes', 'bom'],
      ['?status=redeemed', 'status'],
      [`?limit=1&userId=bob&cursor=${nextCursor}`, 'cursor'],
      [`?limit=1&cursor=${nextCursor}`, 'cursor'],
    ];
    for (const [query, path] of wrong) {
      const answer = await list(query);
      expect([query, answer.status, answer.body.kind, pathsOf(answer)]).toEqual([query, 400, 'invalid-input', [path]]);
    }
    expect(pathsOf(await list('?cursor=x', { accept: 'text/csv' }))).toEqual(['cursor']);
    const as = tokenOf('redeemer');
    expect((await api.call('GET', '/v1/redemptions', { as })).body.kind).toBe('forbidden');
  });
});
