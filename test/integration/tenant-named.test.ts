import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { startTestApi, type TestApi } from '../http/support.ts';
import { tablesWithoutTenant } from '../support/statement-tenants.ts';

const sent = new Set<string>();
const connection = (pg as unknown as { Connection: { prototype: { parse(query: { text: string }): void } } })
  .Connection;
const parse = connection.prototype.parse;
let api: TestApi;

beforeAll(async () => {
  connection.prototype.parse = function record(query) {
    sent.add(query.text);
    return parse.call(this, query);
  };
  api = await startTestApi('tenant_named');
});
afterAll(async () => {
  connection.prototype.parse = parse;
  await api.close();
});

/** Calls nearly every route once, so that nearly every statement of the API is sent. */
async function useEverything(): Promise<void> {
  const call = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT', path: string, body?: unknown) => {
    const answer = await api.call(method, path, body === undefined ? {} : { body: body as object });
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as Record<string, string>;
  };
  const terms = { maxCodesPerUser: 5, maxRedemptionsPerUser: 5, maxRedemptionsPerCode: 2 };
  const book = await call('POST', '/v1/books', { name: 'All', status: 'active', ...terms });
  const at = `/v1/books/${book.id}`;
  await call('POST', `${at}/codes/generate`, { count: 50, pattern: 'ALL-####-####-##' });
  await call('POST', `${at}/codes`, { codes: ['OWN-1', 'OWN-2'] });
  await call('POST', '/v1/coupons/assign-batch', { bookId: book.id, userIds: ['other', 'third'] });
  await call('POST', '/v1/coupons/OWN-1/assign', { userId: 'user' });
  const { code } = await call('POST', '/v1/coupons/assign', { bookId: book.id, userId: 'user' });
  const coupon = `/v1/coupons/${code}`;
  await call('POST', `${coupon}/validate`, { userId: 'user' });
  const { lockToken } = await call('POST', `${coupon}/lock`, { userId: 'user' });
  await call('POST', `${coupon}/unlock`, { userId: 'user', lockToken });
  const redeemed = (await call('POST', `${coupon}/redeem`, { userId: 'user' })) as unknown as {
    redemption: { id: string };
  };
  await call('POST', `/v1/redemptions/${redeemed.redemption.id}/reverse`, {});
  await call('POST', `${coupon}/transfer`, { userId: 'friend' });
  for (const path of ['', '/events']) await call('GET', coupon + path);
  await call('POST', `${coupon}/void`, {});
  await call('PATCH', at, { name: 'Changed' });
  const decks = (await call('GET', `${at}/decks`)) as unknown as { data: { id: string }[] };
  for (const path of ['', '/codes', '/counts']) await call('GET', at + path);
  for (const path of ['/books', '/books?q=ch', '/redemptions', '/api-keys', '/codes/OWN-2', '/users/user/coupons']) {
    await call('GET', `/v1${path}`);
  }
  await call('POST', `${at}/decks/${decks.data[0]!.id}/void`, {});
  await call('DELETE', '/v1/users/user');
  const key = await call('POST', '/v1/api-keys', { name: 'one', role: 'redeemer' });
  await call('DELETE', `/v1/api-keys/${key.id}`);
}

/**
 * Statements that do not name their tenant for every table, by a part of their text, with the reason. Those on purpose ask for
 * all tenants, or for whose request it is. The others are what a distributed PostgreSQL would take changes for
 * (docs/beyond-one-database.md); most find rows by a key that is unique without the tenant, so that one PostgreSQL can't
 * choose an index that begins with it.
 */
const known: [part: string, why: string][] = [
  ['select check_value from code_secrets', 'on purpose: at the start, whether any tenant has another key'],
  ['select tenant_id as t, deck_id as d', 'on purpose: marks of all decks'],
  ['select tenant_id as t, pattern_id as p', 'on purpose: marks of all patterns'],
  ['from tenants where slug = $1', 'on purpose: which tenant a token is of'],
  ['(select * from books where book_id', 'a book by its key'],
  ['from books b cross join lateral (', 'counts of a list of books, by the books that were found'],
  ['from (select found.* from unnest($2:', 'counts of books that were found'],
  ['join code_patterns p using (tenant_id, pattern_id)', 'a pattern by its deck’s columns'],
  ['select c.pos, c.code, h.user_id', 'a page of codes, with their holders by a key'],
  ['select c.deck_id as "deckKey"', 'a user’s coupons, by the user’s keys'],
  ['update events target set reason = null', 'erases a user, by the user’s keys'],
];

async function tablesOfTenants(): Promise<Set<string>> {
  const { rows } = await api.core.pool.query<{ name: string }>(
    `select table_name as name from information_schema.columns
     where table_schema = 'public' and column_name = 'tenant_id'`,
  );
  return new Set(rows.map(({ name }) => name));
}

test('a statement names its tenant by a parameter for every table that it touches, but for those that are known', async () => {
  await useEverything();
  const tables = await tablesOfTenants();
  expect(tables.size).toBeGreaterThan(15);
  expect(sent.size).toBeGreaterThan(70);
  const unnamed = [...sent].filter((text) => tablesWithoutTenant(text, tables).length > 0);
  const isKnown = (text: string) => known.some(([part]) => text.includes(part));
  expect(unnamed.filter((text) => !isKnown(text))).toEqual([]);
  // One that was mended is struck off.
  expect(known.filter(([part]) => !unnamed.some((text) => text.includes(part)))).toEqual([]);
  process.stderr.write(`${sent.size} statements, ${unnamed.length} without their tenant\n`);
});

test('a lock of the application’s own is of what a parameter names, never of a whole table', () => {
  const locks = [...sent].filter((text) => /pg_(try_)?advisory/.test(text));
  expect(locks.length).toBeGreaterThan(0);
  expect(locks.filter((text) => !/\$\d/.test(text))).toEqual([]);
});

test.each([
  ['select * from coupons where pos = $1', ['coupons']],
  ['select * from coupons c join holders h on h.id = c.holder_id where c.tenant_id = $1', ['holders']],
  ['select * from coupons c where c.tenant_id = $1', []],
  ['update books set name = $2 where tenant_id = $1', []],
  ['insert into books (name) values ($1)', ['books']],
])('the check sees which table of %j has no tenant', (text, without) => {
  expect(tablesWithoutTenant(text, new Set(['books', 'coupons', 'holders']))).toEqual(without);
});
