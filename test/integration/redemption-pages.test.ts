import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import type { RedemptionListRequest } from '../../core/coupons/list-redemptions.ts';
import { indexRedemptions } from '../../core/db/index-redemptions.ts';
import {
  assignCoupon,
  createBook,
  exportRedemptions,
  generateCodes,
  listRedemptions,
  redeemCoupon,
  reverseRedemption,
  silentLog,
} from '../../core/index.ts';
import { limits } from '../../core/limits.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';

/**
 * Redemptions of another book, by another user, each with the reference `web`, all later than those that are looked
 * for: more than a page looks at.
 */
const others = limits.pageScanMaxRows + 5_000;

let testCore: TestCore;
let other: pg.Client;
let bookId: string;
/** Redemptions of the book, newest first. */
let made: { id: string; code: string; userId: string; reference: string | null }[];

beforeAll(async () => {
  testCore = await openTestCore('redemption pages');
  other = new pg.Client(testCore.database.url);
  await other.connect();
  bookId = await makeBook('RARE', 12);
  made = [];
  for (let n = 0; n < 12; n += 1) {
    const userId = n < 7 ? 'ana' : 'bea';
    const { code } = (await assignCoupon(testCore.core, admin, { bookId, userId })).body;
    const reference = n < 6 ? 'rare' : n < 9 ? 'web' : null;
    const input = { userId, ...(reference !== null && { reference }) };
    const { redemption } = (await redeemCoupon(testCore.core, admin, code, input)).body;
    made.unshift({ id: redemption.id, code, userId, reference });
  }
  made.sort((a, b) => (a.id < b.id ? 1 : -1));
  await fill(await makeBook('FILL', 1));
});
afterAll(async () => {
  await other.end();
  await testCore.close();
});

/** A book of so many decks. */
async function makeBook(name: string, decks: number): Promise<string> {
  const { core } = testCore;
  const terms = { name, status: 'active' as const, maxRedemptionsPerCode: null };
  const { body } = await createBook(core, admin, terms, null);
  for (let deck = 0; deck < decks; deck += 1) {
    await generateCodes(core, admin, body.id, { count: 20, pattern: `${name}-########` }, null);
  }
  return body.id;
}

/** From 2040 on, a thousand in each millisecond. */
async function fill(ofBook: string): Promise<void> {
  await other.query('set session_replication_role = replica');
  await other.query(
    `with deck as (
        select d.tenant_id, d.deck_id, d.book_id from books b join decks d using (tenant_id, book_id) where b.id = $1),
      holder as (
        insert into holders (tenant_id, book_id, user_id) select tenant_id, book_id, 'crowd' from deck returning holder_id),
      coupon as (
        insert into coupons (tenant_id, deck_id, pos, code, holder_id, rev, redemptions)
        select tenant_id, deck_id, 100 + n, 'FILL-' || n, holder_id, 2, 1 from deck, holder, generate_series(1, $2::int) n)
      insert into redemptions (tenant_id, id, deck_id, pos, at, seq, reference)
      select tenant_id, (lpad(to_hex(millis), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, deck_id, 100 + n,
        to_timestamp(millis / 1000.0), 1, 'web'
      from deck, generate_series(1, $2::int) n cross join lateral (select 2208988800000 + n / 1000 as millis) as t`,
    [ofBook, others],
  );
  await other.query('set session_replication_role = origin');
  await other.query('analyze redemptions');
}

const page = (filters: RedemptionListRequest) => listRedemptions(testCore.core, admin, filters);
const idsOf = (pages: { id: string }[][]) => pages.flat().map(({ id }) => id);

/** Every page of a list, the last one too. */
async function allPages(filters: RedemptionListRequest, between: (page: number) => Promise<void> = async () => {}) {
  const pages: { id: string; reversedAt: string | null }[][] = [];
  for (let cursor: string | null = null; cursor !== null || pages.length === 0; ) {
    const { data, nextCursor }: Awaited<ReturnType<typeof page>> = await page({ ...filters, cursor });
    pages.push(data);
    cursor = nextCursor;
    if (cursor !== null) await between(pages.length);
  }
  return pages;
}

const single: [string, () => RedemptionListRequest, (one: (typeof made)[number]) => boolean][] = [
  ['reference', () => ({ reference: 'rare' }), ({ reference }) => reference === 'rare'],
  ['bookId', () => ({ bookId }), () => true],
  ['to', () => ({ to: '2039-01-01' }), () => true],
  ['bookId and reference', () => ({ bookId, reference: 'rare' }), ({ reference }) => reference === 'rare'],
  ['code', () => ({ code: made[3]!.code }), ({ code }) => code === made[3]!.code],
  ['userId', () => ({ userId: 'bea', to: '2039-01-01' }), ({ userId }) => userId === 'bea'],
];

test.each(single)(
  'pages by %s are full, but for the last, however many other redemptions are newer',
  async (_name, filters, isWanted) => {
    const wanted = made.filter(isWanted);
    for (const limit of [1, 2, 3, 6, 100]) {
      const pages = await allPages({ ...filters(), limit });
      expect([limit, idsOf(pages)]).toEqual([limit, wanted.map(({ id }) => id)]);
      const sizes = Array.from({ length: Math.ceil(wanted.length / limit) }, (_, n) =>
        Math.min(limit, wanted.length - n * limit),
      );
      expect([limit, pages.map(({ length }) => length)]).toEqual([limit, sizes]);
    }
  },
);

test('of a millisecond with a thousand redemptions, each is on one page', async () => {
  const bounds = { from: '2040-01-01T00:00:00.002Z', to: '2040-01-01T00:00:00.004Z' };
  for (const filters of [bounds, { ...bounds, reference: 'web' }]) {
    const ids = idsOf(await allPages({ ...filters, limit: 333 }));
    expect(ids).toHaveLength(2_000);
    expect(new Set(ids).size).toBe(2_000);
    expect(ids).toEqual(ids.toSorted().reverse());
  }
});

test('where each filter passes many and both pass few, pages may be short, and all of them find each once', async () => {
  const wanted = made.filter(({ reference }) => reference === 'web').map(({ id }) => id);
  for (const limit of [1, 2, 100]) {
    const pages = await allPages({ reference: 'web', bookId, limit });
    expect([limit, idsOf(pages)]).toEqual([limit, wanted]);
    // It had looked at as many as a page may.
    expect(pages[0]).toEqual([]);
  }
  const csv = await exportRedemptions(testCore.core, admin, { reference: 'web', bookId }, false);
  const lines = (await csv.toArray()).join('').trimEnd().split('\r\n').slice(1);
  expect(lines.map((line) => line.slice(0, 36))).toEqual(wanted);
});

test('a redemption that is given back while somebody pages is on its page, once', async () => {
  const middle = made[5]!;
  const pages = await allPages({ bookId, limit: 3 }, async (count) => {
    if (count === 1) await reverseRedemption(testCore.core, admin, middle.id, {});
  });
  expect(idsOf(pages)).toEqual(made.map(({ id }) => id));
  expect(pages.flat().filter(({ reversedAt }) => reversedAt !== null)).toEqual([
    expect.objectContaining({ id: middle.id }),
  ]);
});

test('a redemption that commits late, among those that were shown, disturbs no page, and whoever begins anew finds it', async () => {
  const [newest, before] = [made[0]!, made[1]!];
  const late = `${before.id.slice(0, 24)}${(Number.parseInt(before.id.slice(24), 16) + 1).toString(16).padStart(12, '0')}`;
  expect(late > before.id && late < newest.id).toBe(true);
  await other.query('begin');
  await other.query(
    `insert into redemptions (tenant_id, id, deck_id, pos, at, seq)
      select tenant_id, $1, deck_id, pos, at, 99 from redemptions where id = $2`,
    [late, before.id],
  );
  const pages = await allPages({ bookId, limit: 4 }, async (count) => {
    if (count === 1) await other.query('commit');
  });
  expect(idsOf(pages)).toEqual(made.map(({ id }) => id));
  const anew = idsOf(await allPages({ bookId, limit: 4 }));
  expect(anew).toEqual([newest.id, late, ...made.slice(1).map(({ id }) => id)]);
  await other.query('delete from redemptions where id = $1', [late]);
});

test('without their indexes lists find the same, and the next migration builds them again', async () => {
  await other.query('drop index redemptions_deck_idx, redemptions_reference_idx');
  for (const filters of [{ bookId }, { reference: 'rare' }]) {
    const wanted = made.filter(({ reference }) => !('reference' in filters) || reference === 'rare');
    expect(idsOf(await allPages({ ...filters, limit: 5 }))).toEqual(wanted.map(({ id }) => id));
  }
  const pool = new pg.Pool({ connectionString: testCore.database.url, max: 1 });
  // As a build that was cut off leaves it.
  await other.query('create index redemptions_deck_idx on redemptions (deck_id, id)');
  await other.query(`update pg_index set indisvalid = false where indexrelid = 'redemptions_deck_idx'::regclass`);
  await indexRedemptions(pool, silentLog);
  await pool.end();
  const { rows } = await other.query(
    `select indexrelid::regclass::text as name, indisvalid as whole from pg_index
      where indrelid = 'redemptions'::regclass order by 1`,
  );
  expect(rows).toEqual([
    { name: 'redemptions_deck_idx', whole: true },
    { name: 'redemptions_pk', whole: true },
    { name: 'redemptions_reference_idx', whole: true },
  ]);
});
