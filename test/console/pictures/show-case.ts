import type { TestConsole } from '../support/start-console.ts';

/** What the pictures show: a shop in the middle of its season. */
export interface ShowCase {
  /** Books by what is to be seen of them. */
  books: Record<'running' | 'low' | 'over' | 'draft' | 'empty' | 'demo' | 'public', string>;
  /** Codes by their state. */
  codes: Record<'assigned' | 'locked' | 'redeemed' | 'voided' | 'over' | 'free', string>;
  webhookId: string;
  /** The key of somebody in a tenant that has nothing yet. */
  newcomer: string;
  /** The key of an operator. */
  operator: string;
}

const zone = 'America/Argentina/Buenos_Aires';
const dayMillis = 86_400_000;
/** How often codes are redeemed, each by a request of its own: more than a page lists. */
const usesMade = 100;

/**
 * Fills an installation as a shop would have filled it in a week.
 * @param users how many have a code of the book in most pictures; it says that three in ten of the codes were used
 */
export async function makeShowCase(console: TestConsole, users = 10_000): Promise<ShowCase> {
  const books = await makeBooks(console, users);
  const codes = {
    ...(await useCodes(console, books.running)),
    over: await endBook(console, books.over),
  };
  const webhookId = await makeWebhooks(console);
  await makeJobs(console, books.low);
  const { adminKey } = await console.call<{ adminKey: { secret: string } }>('POST', '/v1/tenants', {
    slug: 'newcomer',
    name: 'Newcomer',
  });
  for (const [name, role] of [
    ['Checkout', 'redeemer'],
    ['CRM import', 'admin'],
  ])
    await console.call('POST', '/v1/api-keys', { name, role });
  const operator = { name: 'Marta, support desk', role: 'operator' };
  const { secret } = await console.call<{ secret: string }>('POST', '/v1/api-keys', operator);
  await writeWeek(console, books.running, users * 0.3);
  return { books, codes, webhookId, newcomer: adminKey.secret, operator: secret };
}

async function makeBooks(console: TestConsole, usersOfRunning: number): Promise<ShowCase['books']> {
  const make = async (name: string, more: object, count = 0, prefix = '') => {
    const terms = { name, status: 'active', timeZone: zone, ...more };
    const { id } = await console.call<{ id: string }>('POST', '/v1/books', terms);
    const pattern = `${prefix}-####-####`;
    if (count > 0) await console.call('POST', `/v1/books/${id}/codes/generate`, { count, pattern });
    return id;
  };
  const soon = new Date(Date.now() + 2 * dayMillis).toISOString();
  const running = { endsAt: '2099-03-01', maxCodesPerUser: 5, maxRedemptionsPerCode: 2 };
  const books = {
    running: await make('Verano 2026', running, 60_000, 'VE26'),
    low: await make('Hot Sale', { maxCodesPerUser: 1 }, 2_000, 'HOT'),
    over: await make('Winter sale', {}, 1_000, 'WIN'),
    draft: await make('VIP launch', { status: 'draft' }, 500, 'VIP1'),
    empty: await make('Black Friday', { status: 'draft', description: 'For the whole shop.' }),
    demo: await make('Demo: summer sale', { status: 'draft', metadata: { demo: true } }, 1_000, 'DEMO'),
    public: await make('Everybody', { status: 'draft', publicCode: 'SUMMER20', endsAt: soon }),
  };
  await console.call('PATCH', `/v1/books/${books.public}`, { status: 'active' });
  await voidList(console, books.draft);
  for (const [bookId, users] of [
    [books.running, usersOfRunning],
    [books.low, 1_900],
  ] as const) {
    const userIds = Array.from({ length: users }, (_user, at) => `u-${at}`);
    await console.call('POST', '/v1/coupons/assign-batch', { bookId, userIds });
  }
  return books;
}

/** A list with all that it can tell: a name longer than its place, and a reason. */
async function voidList(console: TestConsole, bookId: string): Promise<void> {
  const name = encodeURIComponent('invitaciones-impresas-primera-tirada_2026-11.csv');
  const codes = ['INVITE-1001', 'INVITE-1002', 'INVITE-1003'];
  const list = await console.call<{ deckId: string }>('POST', `/v1/books/${bookId}/codes?name=${name}`, { codes });
  const reason = 'The printer left a box of invitations in the street';
  await console.call('POST', `/v1/books/${bookId}/decks/${list.deckId}/void`, { reason });
}

async function useCodes(console: TestConsole, bookId: string): Promise<Omit<ShowCase['codes'], 'over'>> {
  const redeemed = await redeemMany(console, bookId);
  const give = async (userId: string) =>
    (await console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId, userId })).code;
  const [assigned, locked, used, voided] = [await give('ana'), await give('ana'), await give('ana'), await give('leo')];
  await console.call('POST', `/v1/coupons/${assigned}/redeem`, { userId: 'ana', reference: 'order-1042' });
  await console.call('POST', `/v1/coupons/${assigned}/transfer`, { userId: 'leo', reason: 'Wrong account' });
  await console.call('POST', `/v1/coupons/${locked}/lock`, { userId: 'ana', ttlSeconds: 86_400 });
  for (const reference of ['order-1043', 'order-1044'])
    await console.call('POST', `/v1/coupons/${used}/redeem`, { userId: 'ana', reference });
  await console.call('POST', `/v1/coupons/${voided}/void`, { reason: 'Shared on a forum' });
  await console.call('POST', `/v1/redemptions/${redeemed}/reverse`, { reason: 'The goods came back' });
  const { data } = await console.call<{ data: { code: string }[] }>(
    'GET',
    `/v1/books/${bookId}/codes?status=available&limit=1`,
  );
  return { assigned, locked, redeemed: used, voided, free: data[0]!.code };
}

/** @returns a code that somebody has and can't use any more, since its book has ended */
async function endBook(console: TestConsole, bookId: string): Promise<string> {
  await console.call('POST', `/v1/books/${bookId}/codes`, { codes: ['PAPER-10', 'PAPER-IO'] });
  const { code } = await console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId, userId: 'ana' });
  await console.call('PATCH', `/v1/books/${bookId}`, { endsAt: '2026-01-01' });
  return code;
}

/** @returns one of the redemptions */
async function redeemMany(console: TestConsole, bookId: string): Promise<string> {
  const { data } = await console.call<{ data: { code: string; userId: string }[] }>(
    'GET',
    `/v1/books/${bookId}/codes?status=assigned&limit=${usesMade}`,
  );
  const answers = data.map(({ code, userId }, at) =>
    console.call<{ redemption: { id: string } }>('POST', `/v1/coupons/${code}/redeem`, {
      userId,
      reference: `order-${at}`,
    }),
  );
  return (await Promise.all(answers)).at(-2)!.redemption.id;
}

async function makeWebhooks(console: TestConsole): Promise<string> {
  // Nobody listens there, so it is one that fails.
  const shop = { url: 'https://127.0.0.1:9/hooks/qurable', description: 'Shop' };
  const events = ['coupon.redeemed', 'book.low-stock', 'book.exhausted'];
  const { id } = await console.call<{ id: string }>('POST', '/v1/webhooks', { ...shop, events });
  const warehouse = { url: 'https://warehouse.example/in', events: ['job.finished'] };
  await console.call('POST', '/v1/webhooks', warehouse);
  await console.call('POST', `/v1/webhooks/${id}/test`);
  await console.core.pool.query(
    "update webhooks set created_at = now() - interval '1 day', failing_since = now() - interval '3 hours' where id = $1",
    [id],
  );
  return id;
}

async function makeJobs(console: TestConsole, bookId: string): Promise<void> {
  const start = async (query: string) => (await console.call<{ id: string }>('POST', `/v1/jobs?${query}`)).id;
  const jobs = [await start(`kind=export-codes&bookId=${bookId}`), await start('kind=export-redemptions')];
  const isOver = async (id: string) =>
    (await console.call<{ finishedAt: string | null }>('GET', `/v1/jobs/${id}`)).finishedAt !== null;
  for (const id of jobs) while (!(await isOver(id))) await new Promise((resolve) => setTimeout(resolve, 100));
  const failed = "update jobs set status = 'failed', error = 'The disk is full.' where id = $1";
  await console.core.pool.query(failed, [jobs[0]]);
}

/**
 * Spreads what a book's counts say over the hours of the last seven days, more of it at noon and in the evening: nobody
 * waits a week for a picture. What the server counted of the events themselves is taken away first.
 * @param uses what the book is to say of them: to make as many would take longer than the rest of the show case
 */
async function writeWeek(console: TestConsole, bookId: string, uses: number): Promise<void> {
  const { counts } = await console.call<{ counts: { assigned: number; redemptions: number } }>(
    'GET',
    `/v1/books/${bookId}`,
  );
  const { pool } = console.core;
  // Events are counted a moment after they happen.
  const counted = () => pool.query<{ sum: string | null }>('select sum(redeemed) as sum from event_counts');
  while (Number((await counted()).rows[0]!.sum) < counts.redemptions) await new Promise((r) => setTimeout(r, 200));
  const hourMillis = 3_600_000;
  const last = Math.floor(Date.now() / hourMillis) * hourMillis;
  const hours = Array.from({ length: 168 }, (_hour, at) => last - (167 - at) * hourMillis);
  const weights = hours.map((at) => liveliness(new Date(at)));
  const given = shares(counts.assigned, weights);
  const used = shares(uses, [0, ...weights.slice(0, -1)]);
  await pool.query(
    `update book_counters c set redemptions = c.redemptions + $2 from books b
      where b.id = $1 and c.tenant_id = b.tenant_id and c.book_id = b.book_id and c.stripe =
        (select min(stripe) from book_counters where tenant_id = b.tenant_id and book_id = b.book_id)`,
    [bookId, uses - counts.redemptions],
  );
  await pool.query('delete from event_counts');
  await pool.query(
    `insert into event_counts (tenant_id, book_id, at, assigned, locked, redeemed, reversed, voided)
      select b.tenant_id, b.book_id, t.at, t.given, 0, t.used, 0, 0
      from books b, unnest($2::timestamptz[], $3::bigint[], $4::bigint[]) as t (at, given, used) where b.id = $1`,
    [bookId, hours.map((at) => new Date(at).toISOString()), given, used],
  );
}

/** How much goes on at an hour of the book's zone: little at night, most in the evening, and more at a weekend. */
function liveliness(at: Date): number {
  const hour = (at.getUTCHours() + 21) % 24;
  // An evening goes on into the next day.
  const away = (middle: number) => Math.min(Math.abs(hour - middle), 24 - Math.abs(hour - middle));
  const peak = (middle: number, width: number) => Math.exp(-(away(middle) ** 2) / width);
  const day = 1 + 0.15 * (at.getUTCDay() % 3) + (at.getUTCDay() % 6 === 0 ? 0.3 : 0);
  return day * (0.05 + peak(12.5, 8) * 0.7 + peak(20, 10));
}

/** Whole parts of a sum by weights; together they are the sum. */
function shares(sum: number, weights: readonly number[]): number[] {
  const all = weights.reduce((total, weight) => total + weight, 0);
  let passed = 0;
  let given = 0;
  return weights.map((weight) => {
    passed += weight;
    const upTo = Math.round((sum * passed) / all);
    const part = upTo - given;
    given = upTo;
    return part;
  });
}
