import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { bookCounterStripes } from '../../core/books/counter-stripes.ts';
import {
  assignBatch,
  assignCode,
  assignCoupon,
  type Core,
  closeCore,
  createBook,
  eraseUser,
  findAlikeCodes,
  generateCodes,
  listBookRevisions,
  listBooks,
  listCodes,
  listCouponEvents,
  listDecks,
  listRedemptions,
  listUserCoupons,
  lockCoupon,
  openCore,
  readBook,
  readCoupon,
  redeemCoupon,
  reverseRedemption,
  silentLog,
  transferCoupon,
  unlockCoupon,
  validateCoupon,
  voidCoupon,
} from '../../core/index.ts';
import { bePatient } from '../support/be-patient.ts';
import { keyed } from '../support/keyed.ts';
import { allIfLong } from '../support/long-run.ts';
import { admin, testConfig } from '../support/open-test-core.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { uploadText } from '../support/upload-text.ts';

/**
 * A fast growing table has no statistics yet, and whoever looks a row up by half an index then reads the whole tenant,
 * a little slower with every row: measured, a sale that slows down threefold within 20 seconds. So every statement is
 * planned here on small tables, and then counted on large ones, which nobody has analysed.
 */
const rows = 30_000;
/** Pages that one statement may look at; a whole tenant is 190 pages of the smallest table, and more. */
const mostPages = 150;

/** The rows there were when a process started and made its plans. */
const starts = allIfLong([0, 30, 150, 500, 2_000, 8_000], (size) => [0, 150, 2_000].includes(size));

bePatient();
let database: TestDatabase;
let observer: Client;
let bookId: string;
let step = 0;
let cores: Core[] = [];

beforeEach(async () => {
  cores = [];
  step = 0;
  database = await createTestDatabase('index lookups');
  observer = new Client({ connectionString: database.url });
  await observer.connect();
  await observer.query('create extension pg_stat_statements');
  await prepareFilling();
  const core = await open();
  const terms = { maxCodesPerUser: 50, maxRedemptionsPerUser: 50, maxRedemptions: 1_000_000 };
  bookId = (await createBook(core, admin, { name: 'Look-ups', status: 'active', ...terms }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 100_000, pattern: 'LOOK-########' }, null);
  const named = (await createBook(core, admin, { name: 'By name', status: 'active', ...terms }, null)).body.id;
  await createBook(core, admin, { name: 'For everybody', status: 'active', publicCode: 'LOOKUP20', ...terms }, null);
  await uploadText(core, named, 'csv', Array.from({ length: 2_000 }, (_, n) => `UP-${n}\n`).join(''));
});
afterEach(async () => {
  await Promise.all(cores.map((core) => closeCore(core)));
  await observer.end();
  await database.drop();
});

async function open(): Promise<Core> {
  const core = await openCore(testConfig(database.url, { DB_POOL_MAX: '4' }), { log: silentLog });
  cores.push(core);
  return core;
}

test.each([
  { statistics: 'no statistics', analyse: false },
  { statistics: 'statistics from its start', analyse: true },
])('no statement of a process with $statistics reads more of its tenant as tables grow', async ({ analyse }) => {
  const processes: { startedAt: number; core: Core }[] = [];
  for (const startedAt of starts) {
    await fillTables(startedAt);
    if (analyse) await observer.query('analyze');
    const core = await open();
    // So many at a time that each of the pool's connections meets every statement.
    for (let time = 0; time < 3; time += 1) await Promise.all([1, 2, 3, 4].map(() => doEverything(core)));
    processes.push({ startedAt, core });
  }
  await fillTables(rows);
  const wasteful: object[] = [];
  for (const { startedAt, core } of processes) {
    await observer.query('select pg_stat_statements_reset()');
    await doEverything(core);
    const costs = await readCosts();
    expect(costs.length).toBeGreaterThan(40);
    wasteful.push(...costs.filter(({ pages }) => pages > mostPages).map((cost) => ({ startedAt, ...cost })));
  }
  expect(wasteful).toEqual([]);
});

/** The operations of the hot path, reads, lists and an erasure, on coupons of their own, for one user. */
async function doEverything(core: Core): Promise<void> {
  step += 1;
  const mine = step;
  const userId = `user-${mine}`;
  const key = (name: string) => keyed(`${name}-${mine}`, name, {});
  const assign = async () => (await assignCoupon(core, admin, { bookId, userId }, key('assign'))).body.code;
  const code = await assign();
  expect(await assign()).toBe(code);
  await assignBatch(core, admin, { bookId, userIds: [userId] }, key('batch'));
  const named = `UP-${mine}`;
  await assignCode(core, admin, named, { userId }, key('named'));
  await validateCoupon(core, admin, named, { userId });
  const { lockToken } = (await lockCoupon(core, admin, code, { userId }, key('lock'))).body;
  await unlockCoupon(core, admin, code, { userId, lockToken }, key('unlock'));
  const held = (await lockCoupon(core, admin, named, { userId }, key('lock named'))).body;
  const { redemption } = (await redeemCoupon(core, admin, code, { userId, reference: 'r' }, key('redeem'))).body;
  await reverseRedemption(core, admin, redemption.id, { reason: 'mistake' }, key('reverse'));
  await redeemCoupon(core, admin, named, { userId, lockToken: held.lockToken }, key('redeem named'));
  await transferCoupon(core, admin, code, { userId: `${userId} too`, reason: 'a present' }, key('transfer'));
  await voidCoupon(core, admin, named, { reason: 'spoilt' }, key('void'));
  await voidCoupon(core, admin, `UP-${1_000 + mine}`, {}, key('void undealt'));
  const everybody = 'LOOKUP20';
  const newcomer = { userId: `new ${userId}` };
  await validateCoupon(core, admin, everybody, newcomer);
  const first = (await lockCoupon(core, admin, everybody, newcomer, key('first lock'))).body;
  await unlockCoupon(core, admin, everybody, { ...newcomer, lockToken: first.lockToken }, key('public unlock'));
  await redeemCoupon(core, admin, everybody, newcomer, key('public redeem'));
  await redeemCoupon(core, admin, everybody, { userId }, key('first redeem'));
  await assignCode(core, admin, everybody, { userId: `given ${userId}` }, key('public assign'));
  await validateCoupon(core, admin, everybody, { userId });
  await readCoupon(core, admin, code);
  expect((await findAlikeCodes(core, admin, `up ${mine}`)).map((found) => found.code)).toEqual([named]);
  await listCouponEvents(core, admin, code, { limit: 1 });
  await listUserCoupons(core, admin, userId, { limit: 1 });
  await readBook(core, admin, bookId);
  await listBooks(core, admin, { limit: 1 });
  await listCodes(core, admin, bookId, { limit: 1 });
  await listDecks(core, admin, bookId, { limit: 1 });
  await listBookRevisions(core, admin, bookId, { limit: 1 });
  for (const filter of [{}, { userId }, { code }, { bookId }, { reference: 'r' }])
    await listRedemptions(core, admin, { ...filter, limit: 1 });
  await eraseUser(core, admin, userId);
}

/** Autovacuum would analyse, some time or other. */
async function prepareFilling(): Promise<void> {
  await observer.query(`
    do $$ declare name text; begin
      for name in select format('%I', relname) from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace
      loop execute 'alter table ' || name || ' set (autovacuum_enabled = off)'; end loop;
    end $$;
    set session_replication_role = replica;
    create temporary table filler (n bigint, deck int, book int)`);
}

/** Grows a tenant to so many rows a table, as one that has been busy, beside the rows in use. */
async function fillTables(upTo: number): Promise<void> {
  await observer.query(`
    truncate filler;
    insert into books (tenant_id, id, name, status, time_zone, lock_ttl_seconds, require_lock, self_service, metadata,
      rev, created_at, updated_at)
    select 1, gen_random_uuid(), 'Filler', 'active', 'UTC', 60, false, false, '{}', 1, now(), now()
    from generate_series((select count(*) from books), ${upTo} / 5);
    insert into dealers select tenant_id, book_id from books on conflict do nothing;
    insert into book_counters select tenant_id, book_id, stripe from books, generate_series(0, ${bookCounterStripes - 1}) as stripe
    on conflict do nothing;
    insert into book_revisions (tenant_id, book_id, rev, at, actor, status)
    select tenant_id, book_id, 1, now(), 'root', 'active' from books on conflict do nothing;
    insert into decks (tenant_id, id, book_id, kind, size, created_at)
    select 1, gen_random_uuid(), book_id, 'uploaded', ${rows}, now()
    from books where name = 'Filler' and not exists (select from decks where decks.book_id = books.book_id);
    insert into filler
    select n, (select max(deck_id) from decks where kind = 'uploaded'), (select max(book_id) from books)
    from generate_series((select count(*) + 1 from deck_taken), ${upTo}) as n;
    insert into deck_codes select 1, deck, n, 'FILL-' || md5(n::text) from filler;
    insert into deck_blocks select 1, deck, n, 'FILL' from filler;
    insert into deck_taken select 1, deck, n from filler;
    insert into holders (tenant_id, holder_id, book_id, user_id) overriding system value
    select 1, 1000000 + n, book, md5(n::text) from filler;
    insert into coupons (tenant_id, deck_id, pos, code, holder_id, rev) select 1, deck, n, 'FILL-' || n, 1000000 + n, 1
    from filler;
    insert into former_holders (tenant_id, deck_id, pos, holder_id) select 1, deck, n, 1000000 + n from filler;
    insert into redemptions (tenant_id, id, deck_id, pos, at, seq) select 1, gen_random_uuid(), deck, n, now(), 1
    from filler;
    insert into events (tenant_id, at, deck_id, pos, rev, kind, redemptions, fence, actor)
    select 1, now(), deck, n, 1, 1, 0, 0, 'root' from filler;
    insert into idempotency (tenant_id, key_hash, fingerprint, deck_id, pos, rev)
    select 1, gen_random_uuid(), 0, deck, n, 1 from filler;
    insert into api_keys (tenant_id, id, name, role, secret_hash, created_at)
    select 1, gen_random_uuid(), 'Filler', 'admin', decode(md5(n::text), 'hex'), now() from filler;
    insert into failed_lookups select n, n, 1, 1, 1, gen_random_uuid() from filler`);
}

/** What each statement of the core has looked at since the last reset, for one call. */
async function readCosts(): Promise<{ statement: string; pages: number }[]> {
  const { rows: costs } = await observer.query<{ statement: string; pages: number }>(`
    select regexp_replace(query, '\\s+', ' ', 'g') as statement,
      ceil((shared_blks_hit + shared_blks_read) / calls::float8)::int as pages
    from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())
      -- The others read the decks: all once in a while and in no request, and those that are new once a process.
      and query !~ 'pg_stat_statements|where next_pos > |newest.version' order by pages desc`);
  return costs;
}
