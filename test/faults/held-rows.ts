import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { ApiClient } from '../support/api-client.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { type ApiProcess, startApiProcesses } from '../support/start-api-processes.ts';
import { createTestDatabase, startTestPostgres } from '../support/start-postgres.ts';
import { type Answered, quantile, runOpenLoop, type Stream } from './open-loop.ts';

/** What of this is held while the load runs. */
const holds = ['coupon', 'dealer', 'holder', 'counter', 'process'] as const;
type Hold = (typeof holds)[number];

/** What a stream's requests need, by which it is told whether a hold is in their way. */
type Need = 'coupon' | 'dealer' | 'holder' | 'counter' | 'gate';

interface Book {
  id: string;
  bookKey: number;
  token: string;
  /** One coupon each of as many users. */
  coupons: { code: string; userId: string }[];
}

interface Setup {
  database: string;
  apis: ApiProcess[];
  /** In which the held rows are, another one of the same tenant, and one of another tenant. */
  books: { held: Book; other: Book; foreign: Book };
}

type LoadStream = Stream & { book: Book | null; needs: Need[] };

const couponsOfBook = 60;
const root = testSecrets.QURABLE_ADMIN_KEY;

/**
 * `npm run test:held [-- coupon|dealer|holder|counter|process] [--seconds 20]`: holds a row, or freezes one of two API
 * processes, while requests of two tenants and three books go on at their pace. At least 99 % of what does not need the
 * row must succeed below 1 s; what needs it must be refused within 2 s, as not begun, with Retry-After. Ends with exit
 * code 1 where that is not so, or an invariant is broken.
 */
async function main(args: string[]): Promise<number> {
  const at = args.indexOf('--seconds');
  const seconds = at === -1 ? 20 : Number(args[at + 1]);
  const chosen = holds.filter((hold) => args.includes(hold));
  const postgres = await startTestPostgres();
  try {
    let isGood = true;
    for (const hold of chosen.length === 0 ? holds : chosen) isGood = (await judge(hold, seconds)) && isGood;
    return isGood ? 0 : 1;
  } finally {
    await postgres.stop();
  }
}

async function judge(hold: Hold, seconds: number): Promise<boolean> {
  const database = await createTestDatabase(`held ${hold}`);
  const apis = await startApiProcesses(database.url, 2);
  try {
    const setup: Setup = { database: database.url, apis, books: await makeBooks(database.url, apis) };
    await runOpenLoop(streamsOf(setup, apis), 3);
    const isGood = report(hold, await underHold(setup, hold, seconds));
    const broken = await findBrokenInvariants(database.url);
    if (broken.length > 0) console.log(`invariants broken: ${JSON.stringify(broken)}`);
    return isGood && broken.length === 0;
  } finally {
    await Promise.all(apis.map((api) => api.stop()));
    await database.drop();
  }
}

async function makeBooks(database: string, apis: ApiProcess[]): Promise<Setup['books']> {
  const client = new ApiClient(apis.map(({ address }) => address));
  const tenant = await client.post('/v1/tenants', { slug: 'foreign', name: 'Foreign' });
  const foreign = (tenant.body.adminKey as { secret: string }).secret;
  const make = async (name: string, token: string): Promise<Book> => {
    const as = { authorization: `Bearer ${token}` };
    const terms = { maxRedemptionsPerCode: 1_000_000, maxRedemptionsPerUser: 1_000_000, maxRedemptions: 1_000_000_000 };
    const { body } = await client.call('POST', '/v1/books', { name, status: 'active', ...terms }, as);
    const pattern = `${name}-########`;
    await client.call('POST', `/v1/books/${body.id}/codes/generate`, { count: 1_000_000, pattern }, as);
    const coupons = await Promise.all(
      Array.from({ length: couponsOfBook }, async (_, index) => {
        const userId = `holder-${index}`;
        const answer = await client.call('POST', '/v1/coupons/assign', { bookId: body.id, userId }, as);
        if (answer.status !== 201) throw new Error(`no coupon to begin with: ${JSON.stringify(answer.body)}`);
        return { code: answer.body.code, userId };
      }),
    );
    return { id: body.id, bookKey: await bookKeyOf(database, body.id), token, coupons };
  };
  const books = {
    held: await make('HELD', root),
    other: await make('MINE', root),
    foreign: await make('THEM', foreign),
  };
  return books;
}

async function bookKeyOf(database: string, bookId: string): Promise<number> {
  const db = new Client({ connectionString: database });
  await db.connect();
  const { rows } = await db.query<{ book_id: number }>('select book_id from books where id = $1', [bookId]);
  await db.end();
  return rows[0]!.book_id;
}

/**
 * Coupon 0 of the held book is the one that is held, and its user the holder; all others have other coupons and users.
 */
function streamsOf({ books }: Setup, apis: ApiProcess[]): LoadStream[] {
  const run = Math.floor(performance.now());
  const url = (index: number, path: string) => `${apis[index % apis.length]!.address}${path}`;
  const redeem = (name: string, book: Book, perSecond: number, needs: Need[], which: (index: number) => number) => ({
    name,
    book,
    perSecond,
    needs,
    send: (index: number) => {
      const { code, userId } = book.coupons[which(index)]!;
      const headers = { 'idempotency-key': `${run}-${encodeURIComponent(name)}-${index}` };
      return {
        url: url(index, `/v1/coupons/${code}/redeem`),
        method: 'POST',
        token: book.token,
        body: { userId },
        headers,
      };
    },
  });
  const assign = (name: string, book: Book, perSecond: number) => ({
    name,
    book,
    perSecond,
    needs: ['dealer', 'gate'] as Need[],
    send: (index: number) => ({
      url: url(index, '/v1/coupons/assign'),
      method: 'POST',
      token: book.token,
      body: { bookId: book.id, userId: `${run}-${index}` },
      headers: { 'idempotency-key': `${run}-${encodeURIComponent(name)}-${index}` },
    }),
  });
  const patch = (name: string, book: Book) => ({
    name,
    book,
    perSecond: 1,
    needs: ['gate'] as Need[],
    send: (index: number) => ({
      url: url(index, `/v1/books/${book.id}`),
      method: 'PATCH',
      token: book.token,
      body: { description: `${run} ${index}` },
    }),
  });
  const read = (name: string, path: string, perSecond: number, token: string) => ({
    name,
    book: null,
    perSecond,
    needs: [] as Need[],
    send: (index: number) => ({ url: url(index, path), method: 'GET', token }),
  });
  const others = (index: number) => 1 + (index % (couponsOfBook - 1));
  return [
    redeem('redeem the held coupon', books.held, 5, ['coupon', 'holder', 'counter', 'gate'], () => 0),
    redeem('redeem another of its book', books.held, 15, ['counter', 'gate'], others),
    assign('assign in its book', books.held, 10),
    patch('PATCH its book', books.held),
    redeem('redeem in another book', books.other, 15, ['counter', 'gate'], others),
    assign('assign in another book', books.other, 15),
    patch('PATCH another book', books.other),
    redeem('redeem, another tenant', books.foreign, 15, ['counter', 'gate'], others),
    assign('assign, another tenant', books.foreign, 15),
    patch('PATCH, another tenant', books.foreign),
    read('read the held coupon', `/v1/coupons/${books.held.coupons[0]!.code}`, 5, root),
    read('list the held book’s codes', `/v1/books/${books.held.id}/codes?limit=10`, 1, root),
    read('/ready', '/ready', 2, ''),
  ];
}

const heldRow: Record<Exclude<Hold, 'process'>, string> = {
  coupon: 'select from coupons where code = $1 for update',
  dealer:
    'select from dealers where book_id = (select book_id from coupons c join decks using (deck_id) where c.code = $1) for update',
  holder: 'select from holders where holder_id = (select holder_id from coupons where code = $1) for update',
  counter:
    'select from book_counters where stripe = 0 and book_id = (select book_id from coupons c join decks using (deck_id) where c.code = $1) for update',
};

interface UnderHold {
  results: Map<string, Answered[]>;
  /** Whether what is held may be in a stream's way. */
  needed: (stream: LoadStream) => boolean;
  streams: LoadStream[];
}

async function underHold(setup: Setup, hold: Hold, seconds: number): Promise<UnderHold> {
  if (hold === 'process') return underFrozenProcess(setup, seconds);
  const holder = new Client({ connectionString: setup.database });
  await holder.connect();
  await holder.query('begin');
  await holder.query(heldRow[hold], [setup.books.held.coupons[0]!.code]);
  const streams = streamsOf(setup, setup.apis);
  const results = await runOpenLoop(streams, seconds);
  await holder.query('rollback');
  await holder.end();
  return { results, streams, needed: ({ book, needs }) => book === setup.books.held && needs.includes(hold) };
}

/**
 * Freezes the second process in the middle of a transaction; what goes on goes to the first one, as behind a load
 * balancer.
 */
async function underFrozenProcess(setup: Setup, seconds: number): Promise<UnderHold> {
  const [healthy, frozen] = setup.apis as [ApiProcess, ApiProcess];
  const observer = new Client({ connectionString: setup.database });
  await observer.connect();
  const before = runOpenLoop(streamsOf(setup, [frozen]), 10);
  let books: number[] = [];
  for (let tries = 0; tries < 500 && books.length === 0; tries += 1) {
    await sleep(13);
    frozen.process.kill('SIGSTOP');
    await sleep(30);
    books = await gatesOfIdle(observer);
    if (books.length === 0) frozen.process.kill('SIGCONT');
  }
  if (books.length === 0) throw new Error('the process was never in the middle of a transaction');
  const streams = streamsOf(setup, [healthy]);
  const results = await runOpenLoop(streams, seconds);
  frozen.process.kill('SIGCONT');
  await before;
  await observer.end();
  return { results, streams, needed: ({ book }) => book !== null && books.includes(book.bookKey) };
}

/** The books inside whose gates somebody sits who says nothing. */
async function gatesOfIdle(observer: Client): Promise<number[]> {
  const { rows } = await observer.query<{ book: number }>(
    `select distinct l.objid::int as book from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.classid = 1112493899 and l.granted and a.state = 'idle in transaction'
        and a.datname = current_database()`,
  );
  return rows.map(({ book }) => book);
}

/** Prints the table, and says whether everybody got what was promised. */
function report(hold: Hold, { results, streams, needed }: UnderHold): boolean {
  console.log(`\n${hold === 'process' ? 'one of two processes frozen' : `a ${hold}’s row held`}`);
  console.log(
    '| class | needs it | sent | ok | refused | other | p50 | p99 | worst |\n|---|---|---|---|---|---|---|---|---|',
  );
  const free: Answered[] = [];
  const affected: Answered[] = [];
  for (const stream of streams) {
    const answers = results.get(stream.name)!;
    (needed(stream) ? affected : free).push(...answers);
    console.log(rowOf(stream.name, needed(stream), answers));
  }
  const inTime = free.filter((answer) => isOk(answer) && answer.millis < 1000).length / free.length;
  const wrong = affected.filter((answer) => !(isOk(answer) || isRefused(answer)) || answer.millis > 2000).length;
  console.log(`does not need it: ${(100 * inTime).toFixed(2)} % of ${free.length} succeeded below 1 s`);
  console.log(`needs it: ${affected.length - wrong} of ${affected.length} refused or answered as promised, within 2 s`);
  return inTime >= 0.99 && wrong === 0;
}

function rowOf(name: string, isNeeded: boolean, answers: Answered[]): string {
  const ok = answers.filter(isOk).length;
  const refused = answers.filter(isRefused).length;
  const millis = answers.map((answer) => answer.millis);
  const times = [quantile(millis, 0.5), quantile(millis, 0.99), Math.max(...millis)].map(
    (time) => `${Math.round(time)} ms`,
  );
  const cells = [name, isNeeded ? 'yes' : '', answers.length, ok, refused, answers.length - ok - refused, ...times];
  return `| ${cells.join(' | ')} |`;
}

function isOk({ status }: Answered): boolean {
  return status >= 200 && status < 300;
}

function isRefused({ status, retryAfter, outcome }: Answered): boolean {
  return status === 503 && Number(retryAfter) >= 1 && outcome === 'not-begun';
}

process.exitCode = await main(process.argv.slice(2));
