import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { startBackground, subscribableTypes } from '../../core/index.ts';
import { listTables } from '../../operations/distribute/list-tables.ts';
import { startTestApi, type TestApi } from '../http/support.ts';
import { deliver, handOn } from '../support/deliver-webhooks.ts';
import { readSources } from '../support/read-sources.ts';
import { finishJobs } from '../support/run-jobs.ts';
import { lockedWithoutTenant, tablesWithoutTenant } from '../support/statement-tenants.ts';
import { startReceiver } from '../support/webhook-receiver.ts';

const project = resolve(import.meta.dirname, '../..');
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
  api = await startTestApi('tenant_named', { WEBHOOK_ALLOW_LOOPBACK: 'true' });
  await useEverything();
});
afterAll(async () => {
  connection.prototype.parse = parse;
  await api.close();
});

/** Calls nearly every route once, and does what a process does beside, so that nearly every statement is sent. */
async function useEverything(): Promise<void> {
  const call: Call = async (method, path, body, headers = {}) => {
    const send = () => api.call(method, path, body === undefined ? { headers } : { body, headers });
    let answer = await send();
    // What a busy machine turns away is repeated.
    while (answer.status === 503) answer = await sleep(100).then(send);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as Record<string, string>;
  };
  const terms = { maxCodesPerUser: 5, maxRedemptionsPerUser: 5, maxRedemptionsPerCode: 2 };
  const book = await call('POST', '/v1/books', { name: 'All', status: 'active', ...terms });
  const at = `/v1/books/${book.id}`;
  await call('POST', `${at}/codes/generate`, { count: 50, pattern: 'ALL-####-####-##' });
  await call('POST', `${at}/codes`, { codes: ['OWN-1', 'OWN-2'] });
  // By its name first: a code that is drawn may be any of the book's.
  await call('POST', '/v1/coupons/OWN-1/assign', { userId: 'user' });
  await call('POST', '/v1/coupons/assign-batch', { bookId: book.id, userIds: ['other', 'third'] });
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
  await useJobsAndWebhooks(call, book.id!);
  await call('DELETE', '/v1/users/user');
  const key = await call('POST', '/v1/api-keys', { name: 'one', role: 'redeemer' });
  await call('DELETE', `/v1/api-keys/${key.id}`);
}

/** A call that must succeed. */
type Call = (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Record<string, string>>;

async function useJobsAndWebhooks(call: Call, bookId: string): Promise<void> {
  const receiver = await startReceiver();
  try {
    const hook = await call('POST', '/v1/webhooks', { url: receiver.url, events: subscribableTypes });
    receiver.secrets = [hook.secret!];
    const csv = { 'content-type': 'text/csv' };
    await call('POST', `/v1/jobs?kind=assign&bookId=${bookId}`, 'userId\nfifth\nsixth\n', csv);
    await call('POST', '/v1/jobs?kind=void', 'code\nOWN-2\n', csv);
    const job = await call('POST', `/v1/jobs?kind=export-codes&bookId=${bookId}`);
    await call('POST', '/v1/jobs?kind=export-redemptions');
    const cancelled = await call('POST', '/v1/jobs?kind=export-redemptions');
    await call('POST', `/v1/jobs/${cancelled.id}/cancel`);
    await finishJobs(api.core);
    await call('GET', '/v1/jobs');
    await call('GET', `/v1/jobs/${job.id}`);
    const at = `/v1/webhooks/${hook.id}`;
    await call('POST', `${at}/test`);
    const now = Date.now();
    const span = { from: new Date(now - 3_600_000).toISOString(), to: new Date(now).toISOString() };
    await call('POST', `${at}/replay`, span);
    await deliver(api.core);
    for (const path of ['/v1/webhooks', at, `${at}/deliveries`]) await call('GET', path);
    await call('POST', `${at}/rotate`, {});
    await call('PATCH', at, { description: 'changed' });
    await call('DELETE', at);
    await handOn(api.core);
    // One piece of each.
    await startBackground(api.core).close();
  } finally {
    await receiver.close();
  }
}

/**
 * Statements that ask for all tenants on purpose, by a part of their text, with what a distributed PostgreSQL would
 * make of them. None is on the way of a request that decides.
 *
 * read: every server is asked, and the answers are put together.
 * each: every server does its own part, since all that is joined is beside each other.
 * lock: it takes rows of whichever tenant with `skip locked`, which Citus does not do over several servers: there it
 * would find them first, and take each by its tenant (docs/beyond-one-database.md).
 */
const ofAllTenants: [part: string, how: 'read' | 'each' | 'lock', why: string][] = [
  ['select check_value from code_secrets', 'read', 'at the start: whether any tenant’s key has another secret'],
  ['select tenant_id as t, deck_id as d', 'read', 'the marks of all decks'],
  ['select tenant_id as t, pattern_id as p', 'read', 'the marks of all patterns'],
  ['select exists (select from webhooks where status', 'read', 'whether anybody wants to be told of events'],
  ['where finished_at < clock_timestamp() - make_interval(days', 'read', 'one job that is to be removed'],
  ['insert into event_counts as c', 'each', 'counts the events of a stretch of time'],
  ['from events e join webhooks w', 'each', 'hands on the events of a stretch of time'],
  ['from jobs j join webhooks w', 'each', 'hands on the ends of jobs'],
  ['delete from webhooks w where deleted_at', 'each', 'removes webhooks that were deleted'],
  ['from stock_watch cross join books b', 'read', 'books that are to be told of'],
  ['select count(*) filter (where stock = 1)', 'read', 'how many books run out, for a metric'],
  ["where j.status in ('queued', 'running') and j.lease_until", 'read', 'jobs that wait'],
  ['array_agg(key_hash::text)', 'read', 'idempotency keys that ran out'],
  ['update webhooks w set fence = w.fence + 1', 'lock', 'takes an endpoint'],
  ['from webhook_replays r join webhooks w', 'lock', 'takes a replay'],
  [
    "update webhook_deliveries d set status = 'failed', next_at = null, error = 'too-old'",
    'lock',
    'ends old deliveries',
  ],
  ['delete from webhook_deliveries d using', 'each', 'removes old deliveries'],
];

/** The tables whose rows a distributed PostgreSQL has on the tenant's server; a view is of such tables. */
async function tablesOfTenants(): Promise<Set<string>> {
  const layouts = await listTables(api.core.pool);
  const distributed = layouts.filter(({ kind }) => kind === 'distributed').map(({ table }) => table);
  return new Set([...distributed, 'redeemers']);
}

test('a statement names its tenant by a parameter for every table of tenants, where the table stands, but for those that ask for all', async () => {
  const tables = await tablesOfTenants();
  expect(tables.size).toBeGreaterThan(20);
  expect(sent.size).toBeGreaterThan(140);
  const unnamed = [...sent].filter((text) => tablesWithoutTenant(text, tables).length > 0);
  const isKnown = (text: string) => ofAllTenants.some(([part]) => text.includes(part));
  expect(unnamed.filter((text) => !isKnown(text))).toEqual([]);
  // One that is gone, or names its tenant now, is struck off.
  expect(ofAllTenants.filter(([part]) => !unnamed.some((text) => text.includes(part)))).toEqual([]);
  process.stderr.write(
    `${sent.size} statements: ${sent.size - unnamed.length} name their tenant, ${unnamed.length} ask for all tenants\n`,
  );
});

/**
 * Locks of the application's own, by the file that takes them: of what, and where that is in a distributed PostgreSQL.
 */
const ownLocks: Record<string, { of: string; where: 'beside a row of the tenant' | 'on the server that is asked' }> = {
  'core/books/book-gate.ts': { of: 'a book', where: 'beside a row of the tenant' },
  // `tenants` is whole on every server: what brings codes to a tenant must be sent to one of them.
  'core/decks/tenant-codes-lock.ts': { of: 'the codes of a tenant', where: 'on the server that is asked' },
  // A rotation is an operator's step, and goes where the tasks are sent to.
  'core/patterns/code-secret.ts': { of: 'CODE_SECRET', where: 'on the server that is asked' },
  // What two lookers tell twice, `on conflict do nothing` tells once.
  'core/webhooks/delivery/watch-books.ts': { of: 'a look at the books', where: 'on the server that is asked' },
  'core/db/migrate.ts': { of: 'the migrations', where: 'on the server that is asked' },
  'core/archive/export-events.ts': { of: 'the export of events', where: 'on the server that is asked' },
  'handlers/rotate/database-logins.ts': { of: 'the logins of the database', where: 'on the server that is asked' },
};

test('of every lock of the application’s own it is known where a distributed PostgreSQL takes it', () => {
  const sources = readSources(project, ['core', 'containers', 'handlers', 'operations']);
  const takers = sources.filter(({ text }) => /pg_(try_)?advisory_(xact_)?lock/.test(text));
  expect(takers.map(({ path }) => path).sort()).toEqual(Object.keys(ownLocks).sort());
});

test('a lock of what is a tenant’s is taken beside a row of the tenant, and names it', async () => {
  const tables = new Set([...(await tablesOfTenants()), 'tenants']);
  // Whose second number is 0 are of no tenant.
  const ofNone = /pg_(try_)?advisory_xact_lock(_shared)?\(\$1, 0\)/;
  const beside = [...sent].filter((text) => /pg_(try_)?advisory/.test(text) && !ofNone.test(text));
  const isBeside = (text: string) => [...tables].some((table) => new RegExp(`\\bfrom ${table}\\b`).test(text));
  expect(beside.filter((text) => !isBeside(text))).toEqual([]);
  expect(beside.length).toBeGreaterThanOrEqual(3);
  expect(beside.flatMap((text) => tablesWithoutTenant(text, tables))).toEqual([]);
});

test('a row is locked by its tenant, but for those that are taken from whichever tenant', async () => {
  const tables = await tablesOfTenants();
  const unnamed = [...sent].filter((text) => lockedWithoutTenant(text, tables).length > 0);
  const taken = ofAllTenants.filter(([, how]) => how === 'lock');
  expect(unnamed.filter((text) => !taken.some(([part]) => text.includes(part)))).toEqual([]);
});

test.each([
  ['select * from coupons where pos = $1', ['coupons']],
  ['select * from coupons c join holders h on h.id = c.holder_id where c.tenant_id = $1', ['holders']],
  ['select * from coupons c join holders h using (tenant_id, holder_id) where c.tenant_id = $1', ['holders']],
  ['select * from coupons c where c.tenant_id = $1', []],
  ['select * from coupons c where c.tenant_id = $1::int::oid', []],
  ['select * from (select * from coupons where holder_id = $2 offset 0) c where c.tenant_id = $1', ['coupons']],
  ['select * from (select * from coupons where holder_id = $2 and tenant_id = $1 offset 0) c', []],
  ['select pos from coupons where tenant_id = $1 union select pos from holders where holder_id = $2', ['holders']],
  ['update books set name = $2 where tenant_id = $1', []],
  ['update books b set name = $2 from n where b.ctid = n.ctid', ['books']],
  ['insert into books (name) values ($1)', ['books']],
  ['insert into books (tenant_id, name) select tenant_id, name from holders', ['holders']],
])('the check sees which table of %j has no tenant', (text, without) => {
  expect(tablesWithoutTenant(text, new Set(['books', 'coupons', 'holders']))).toEqual(without);
});
