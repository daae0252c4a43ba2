import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Core } from '../../core/core.ts';
import {
  type Announcer,
  assignCoupon,
  changeBook,
  createBook,
  createWebhook,
  generateCodes,
  type StockNews,
} from '../../core/index.ts';
import { silentLog } from '../../core/log.ts';
import { announceStock } from '../../core/webhooks/delivery/announce-stock.ts';
import { countRunningOut, watchBooks, watchBooksTask } from '../../core/webhooks/delivery/watch-books.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { patiently } from '../support/patiently.ts';

const going = new AbortController().signal;

let testCore: TestCore;
let core: Core;
/** What operators were told, by every process. */
let told: StockNews[] = [];
let announce: (news: StockNews) => Promise<void>;
const announcer: Announcer = { announce: (news) => announce(news), close: async () => {} };

beforeAll(async () => {
  testCore = await openTestCore('stock_announcements', { announcer });
  core = testCore.core;
});
afterAll(() => testCore.close());
beforeEach(async () => {
  await core.pool.query('truncate stock_changes, webhook_books, webhook_deliveries, webhooks cascade');
  await core.pool.query("update books set status = 'closed'");
  told = [];
  announce = async (news) => void told.push(news);
});

async function makeBook(name: string, count: number): Promise<string> {
  const { body } = await createBook(core, admin, { name, status: 'active' }, null);
  await generateCodes(core, admin, body.id, { count, pattern: `${name.slice(0, 4).toUpperCase()}-########` }, null);
  return body.id;
}

async function deal(bookId: string, count: number): Promise<void> {
  const users = Array.from({ length: count }, () => crypto.randomUUID());
  await Promise.all(users.map((userId) => patiently(() => assignCoupon(core, admin, { bookId, userId }, null))));
}

async function lookAndTell(by: Core = core): Promise<void> {
  while ((await patiently(() => watchBooks(by))) === 'more');
  while ((await patiently(() => announceStock(by, going))) === 'more');
}

const waiting = async () =>
  (await core.pool.query('select from stock_changes where announce_at is not null')).rowCount ?? 0;

/** Lets claims run out. */
const passLease = () => core.pool.query("update stock_changes set announce_at = announce_at - interval '2 minutes'");

test('operators are told by name of a book that has few codes and then none, once each, with no webhook anywhere', async () => {
  const bookId = await makeBook('Summer', 20);
  await lookAndTell();
  expect(told).toEqual([]);
  await deal(bookId, 18);
  await lookAndTell();
  await lookAndTell();
  await deal(bookId, 1);
  await lookAndTell();
  expect(told).toEqual([
    { tenant: 'default', bookId, name: 'Summer', stock: 'low', codes: 20, available: 2, at: expect.any(String) },
  ]);
  await deal(bookId, 1);
  await lookAndTell();
  await lookAndTell();
  expect(told.slice(1)).toMatchObject([{ bookId, name: 'Summer', stock: 'none', codes: 20, available: 0 }]);
  expect(await waiting()).toBe(0);
});

test('a book that is filled up and runs out again is told again, and one that was closed is not', async () => {
  const bookId = await makeBook('Again', 10);
  await deal(bookId, 9);
  await lookAndTell();
  await generateCodes(core, admin, bookId, { count: 10, pattern: 'MORE-########' }, null);
  await lookAndTell();
  await deal(bookId, 9);
  await lookAndTell();
  const closed = await makeBook('Closed', 10);
  await lookAndTell();
  await deal(closed, 9);
  await changeBook(core, admin, closed, { status: 'closed' }, null);
  await lookAndTell();
  expect(told.map(({ name, stock, codes }) => [name, stock, codes])).toEqual([
    ['Again', 'low', 10],
    ['Again', 'low', 20],
  ]);
});

test('a book that ran out before anybody looked at it is told, each line once and in their order', async () => {
  await deal(await makeBook('Fast', 10), 10);
  await lookAndTell();
  expect(told.map(({ stock, available }) => [stock, available])).toEqual([
    ['low', 0],
    ['none', 0],
  ]);
});

test('of a book from before all were watched, what it lacked then is no news', async () => {
  await deal(await makeBook('Old', 10), 9);
  await core.pool.query('update stock_watch set since = clock_timestamp()');
  await lookAndTell();
  expect(told).toEqual([]);
});

test('of eight processes that look and tell at the same time, one tells each book', async () => {
  const books = await Promise.all(Array.from({ length: 12 }, (_, index) => makeBook(`Many${index}`, 10)));
  await Promise.all(books.map((bookId) => deal(bookId, 9)));
  const others = await Promise.all(Array.from({ length: 7 }, () => testCore.openAnother()));
  announce = async (news) => {
    await sleep(2);
    told.push(news);
  };
  for (let round = 0; round < 3; round += 1) await Promise.all([core, ...others].map(lookAndTell));
  expect(told.map(({ bookId }) => bookId).toSorted()).toEqual(books.toSorted());
});

test('what a process died over is told by another one, once the claim has run out and not before', async () => {
  await deal(await makeBook('Dying', 10), 9);
  const [began, died] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  announce = () => {
    began.resolve();
    return died.promise;
  };
  await watchBooks(core);
  const first = announceStock(core, going);
  await began.promise;
  const other = await testCore.openAnother();
  announce = async (news) => void told.push(news);
  await lookAndTell(other);
  expect(told).toEqual([]);
  await passLease();
  await lookAndTell(other);
  expect(told).toHaveLength(1);
  died.reject(new Error('the process is gone'));
  await expect(first).rejects.toThrow('gone');
  await passLease();
  await lookAndTell(other);
  expect(told).toHaveLength(1);
});

test('a failure loses nothing and keeps nothing else back: it is tried after the others', async () => {
  const [broken, sound] = [await makeBook('Broken', 10), await makeBook('Sound', 10)];
  for (const bookId of [broken, sound]) {
    await deal(bookId, 9);
    await watchBooks(core);
  }
  announce = async (news) => {
    if (news.bookId === broken) throw new Error('not taken');
    told.push(news);
  };
  await expect(announceStock(core, going)).rejects.toThrow('not taken');
  await announceStock(core, going);
  expect(told.map(({ bookId }) => bookId)).toEqual([sound]);
  announce = async (news) => void told.push(news);
  await passLease();
  await announceStock(core, going);
  expect(told.map(({ bookId }) => bookId)).toEqual([sound, broken]);
});

test('what could not be told for three days is given up, and what no process can announce waits for nobody', async () => {
  await deal(await makeBook('Late', 10), 9);
  await watchBooks(core);
  await core.pool.query("update stock_changes set at = at - interval '4 days'");
  await announceStock(core, going);
  expect([told, await waiting()]).toEqual([[], 0]);
  const silent = { ...core, announcer: null };
  await deal(await makeBook('Silent', 10), 9);
  await watchBooks(silent);
  expect(await waiting()).toBe(0);
  await lookAndTell();
  expect(told).toEqual([]);
});

test('a webhook is told what it was told before: nothing of a book that ran out before the webhook was made', async () => {
  await deal(await makeBook('Before', 10), 9);
  await createWebhook(core, admin, { url: 'https://example.com/', events: ['book.low-stock'] }, null);
  await deal(await makeBook('After', 10), 9);
  await lookAndTell();
  expect(told.map(({ name }) => name).toSorted()).toEqual(['After', 'Before']);
  const { rows } = await core.pool.query<{ name: string }>(
    `select b.name from webhook_deliveries d join books b on b.book_id = d.part and b.tenant_id = d.tenant_id
     where d.type = 24`,
  );
  expect(rows).toEqual([{ name: 'After' }]);
});

test('the log says which book runs out and how many do, without its name or a user', async () => {
  const lines: [fields: object, message: string][] = [];
  const log = { ...silentLog, info: (fields: object, message: string) => void lines.push([fields, message]) };
  const bookId = await makeBook('Named', 10);
  await deal(bookId, 9);
  await deal(await makeBook('Nothing', 10), 10);
  const task = watchBooksTask({ ...core, log });
  while ((await task.run(going)) === 'more');
  expect(lines).toContainEqual([{ tenantId: 1, bookId, codes: 10, available: 1 }, 'a book has few codes left']);
  expect(lines.at(-1)).toEqual([{ lowBooks: 1, exhaustedBooks: 1 }, 'books that run out']);
  expect(JSON.stringify(lines)).not.toContain('Named');
  expect(await countRunningOut(core.pool)).toEqual({ lowBooks: 1, exhaustedBooks: 1 });
});
