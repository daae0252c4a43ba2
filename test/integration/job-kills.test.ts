import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../containers/local/postgres/embedded-postgres.ts';
import { migrateToLatest } from '../../core/db/migrate.ts';
import { silentLog } from '../../core/log.ts';
import { type ApiAnswer, ApiClient, atOnce, countKinds } from '../support/api-client.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { isLong } from '../support/long-run.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { type ApiProcess, startApiProcess, startApiProcesses } from '../support/start-api-processes.ts';

const users = isLong ? 1_000_000 : 10_000;
/** Of the API's processes and of the database by turns: one of each shows what either does to a job. */
const kills = isLong ? 10 : 2;
jest.setTimeout(isLong ? 5_400_000 : 900_000);

const csv = { 'content-type': 'text/csv' };
let scratch: string;
let server: EmbeddedPostgres;
let pool: pg.Pool;
let apis: ApiProcess[];

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'qurable-job-kills-'));
  server = await startEmbeddedPostgres({
    dataDirectory: join(scratch, 'postgres'),
    ephemeralRoot: scratch,
    log: () => {},
    settings: { shared_buffers: '64MB', max_wal_size: '512MB' },
  });
  await migrateToLatest({ connectionString: server.url }, silentLog);
  pool = new pg.Pool({ connectionString: server.url, max: 2 });
  pool.on('error', () => {});
  apis = await startApiProcesses(server.url, 2);
});
afterAll(async () => {
  await Promise.all(apis.map((api) => api.stop()));
  await pool.end();
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** Sends a request until the service, which may have more to do than it can, takes it. */
async function untilTaken(client: ApiClient, path: string, body: object, key: string): Promise<ApiAnswer> {
  for (;;) {
    const answer = await client.post(path, body, key);
    if (answer.kind !== 'unavailable') return answer;
    await sleep(100);
  }
}

/** Asks again while the database comes back, or a process is not there. */
async function untilThere<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await sleep(50);
    }
  }
}

interface Progress {
  status: string;
  total: number;
  done: number;
  refused: number;
}

async function progress(id: string): Promise<Progress> {
  const { rows } = await untilThere(() =>
    pool.query<Record<keyof Progress, string>>('select status, total, done, refused from jobs where id = $1', [id]),
  );
  const { status, total, done, refused } = rows[0]!;
  return { status, total: Number(total), done: Number(done), refused: Number(refused) };
}

async function until(id: string, isThere: (at: Progress) => boolean): Promise<Progress> {
  for (;;) {
    const at = await progress(id);
    if (isThere(at)) return at;
    await sleep(20);
  }
}

/**
 * Kills every process of the API, of which one works on the job, and starts as many anew. Returns whether it struck:
 * the job was left in the middle.
 */
async function killApis(id: string): Promise<boolean> {
  await Promise.all(apis.map((api) => api.stop('SIGKILL')));
  expect(apis.map(({ process }) => process.signalCode)).toEqual(apis.map(() => 'SIGKILL'));
  const { status } = await progress(id);
  apis = await untilThere(() => startApiProcesses(server.url, apis.length));
  return status === 'running';
}

/** Kills a process of the database's, which then loses all connections. Returns whether the job goes on after that. */
async function killDatabase(id: string): Promise<boolean> {
  const witness = await untilThere(() => pool.connect());
  witness.on('error', () => {});
  const lost = new Promise<void>((resolve) => witness.once('end', resolve));
  // A session may have ended since it was seen.
  await untilThere(async () => {
    const { rows } = await pool.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'qurable background' limit 1`,
    );
    process.kill(rows[0]!.pid, 'SIGKILL');
  });
  await lost;
  witness.release(true);
  return (await progress(id)).status === 'running';
}

async function readResult(id: string): Promise<string[]> {
  const answer = await fetch(`${apis[0]!.address}/v1/jobs/${id}/result`, {
    headers: { authorization: `Bearer ${testSecrets.QURABLE_ADMIN_KEY}` },
  });
  expect(answer.status).toBe(200);
  return (await answer.text()).split('\r\n').slice(1, -1);
}

function* lines(count: number, line: (index: number) => string): Generator<string> {
  for (let index = 0; index < count; index += 1) yield `${line(index)}\n`;
}

/** A fast machine may be done with a job before it is looked at again, and one that stalls may see its end alone. */
const jobsMax = 10;

test(`a job whose processes and database are killed does each row once, and its result is whole: ${kills} kills in the middle of it`, async () => {
  let struck = 0;
  let jobs = 0;
  for (; struck < kills && jobs < jobsMax; jobs += 1) struck += await killJob(struck);
  if (isLong) console.info(`${struck} kills struck ${jobs} jobs in the middle`);
  expect(struck).toBeGreaterThanOrEqual(kills);
  expect(await findBrokenInvariants(server.url)).toEqual([]);
});

/**
 * Kills processes of the API and the database in turns while a job in a new book runs, and looks at what came of it.
 * @param before how many kills have struck before
 * @returns how many have struck this job
 */
async function killJob(before: number): Promise<number> {
  const client = new ApiClient(apis.map(({ address }) => address));
  const { body: book } = await client.post('/v1/books', { name: 'Killed', status: 'active' });
  const pattern = { count: 2 * users, pattern: 'KILL-#####-#####' };
  expect((await client.post(`/v1/books/${book.id}/codes/generate`, pattern)).status).toBe(201);
  const file = ['userId\n', ...lines(users, (index) => (index % 1_000 === 999 ? 'u-0' : `u-${index}`))].join('');
  const made = await client.call('POST', `/v1/jobs?kind=assign&bookId=${book.id}`, file, csv);
  expect([made.status, made.body.total]).toEqual([202, users]);
  const struck = { apis: 0, database: 0 };
  for (let goal = 1; goal <= kills; goal += 1) {
    const { status } = await until(made.body.id, ({ done }) => done >= (goal * users) / (kills + 1));
    if (status !== 'running') break;
    if ((before + goal) % 2 === 1) struck.apis += Number(await killApis(made.body.id));
    else struck.database += Number(await killDatabase(made.body.id));
  }
  const end = await until(made.body.id, ({ status }) => status !== 'running');
  const twice = users / 1_000;
  expect(end).toEqual({ status: 'done', total: users, done: users, refused: twice });
  const result = await readResult(made.body.id);
  const codes = new Set<string>();
  const wrong: string[] = [];
  for (const [index, line] of result.entries()) {
    const [number, userId, outcome, code] = line.split(',') as [string, string, string, string];
    const isTwice = index % 1_000 === 999;
    const wanted = isTwice ? ['u-0', 'duplicate-in-file'] : [`u-${index}`, 'assigned'];
    if (number !== String(index + 2) || userId !== wanted[0] || outcome !== wanted[1]) wrong.push(line);
    if (!isTwice) codes.add(code);
  }
  expect([wrong, result.length, codes.size]).toEqual([[], users, users - twice]);
  const { rows: counts } = await pool.query<{ coupons: string; events: string; users: string }>(
    `with own as (select deck_id from decks join books using (book_id) where books.id = $1)
     select (select count(*) from coupons join own using (deck_id)) as coupons,
       (select count(*) from events join own using (deck_id)) as events,
       (select count(distinct user_id) from holders join books using (book_id) where books.id = $1) as users`,
    [book.id],
  );
  expect(Object.values(counts[0]!).map(Number)).toEqual(Array(3).fill(users - twice));
  // Where the processes were killed, another one has taken the job over.
  const { rows: claims } = await pool.query<{ fence: number }>('select fence from jobs where id = $1', [made.body.id]);
  expect(Number(claims[0]!.fence)).toBeGreaterThanOrEqual(1 + struck.apis);
  return struck.apis + struck.database;
}

test('a job that voids codes while they are checked out: each code is redeemed or void, as it was told', async () => {
  const client = new ApiClient(apis.map(({ address }) => address));
  const { body: book } = await client.post('/v1/books', { name: 'Raced', status: 'active' });
  const rounds = isLong ? 20 : 2;
  const count = 400;
  for (let round = 0; round < rounds; round += 1) {
    const codes = Array.from({ length: count }, (_, index) => `RACE-${round}-${index}`);
    const upload = await client.call('POST', `/v1/books/${book.id}/codes`, `code\n${codes.join('\n')}`, csv);
    expect(upload.body.accepted).toBe(count);
    // Each has a user of its own: the look-ups of one user wait for each other, on a slow machine for too long.
    const coupons = await atOnce(count / 2, (index) =>
      untilTaken(client, '/v1/coupons/assign', { bookId: book.id, userId: `u-${index}` }, `assign-${round}-${index}`),
    );
    const made = await client.call('POST', '/v1/jobs?kind=void', `code\n${codes.join('\n')}\n`, csv);
    const redeemed = atOnce(count / 2, (index) => {
      const { code } = coupons[index]!.body;
      return untilTaken(client, `/v1/coupons/${code}/redeem`, { userId: `u-${index}` }, `redeem-${code}`);
    });
    const late = atOnce(count / 4, (index) =>
      untilTaken(client, `/v1/coupons/${codes[index]}/assign`, { userId: 'v' }, `take-${round}-${index}`),
    );
    const answers = await redeemed;
    await late;
    const kinds = Object.keys(countKinds(answers)).filter((kind) => kind !== 'ok' && kind !== 'coupon-void');
    expect(kinds).toEqual([]);
    const end = await until(made.body.id, ({ status }) => status === 'done');
    expect([end.done, end.refused]).toEqual([count, 0]);
    expect(new Set((await readResult(made.body.id)).map((line) => line.split(',')[2]))).toEqual(new Set(['voided']));
  }
  expect(await findBrokenInvariants(server.url)).toEqual([]);
});

const rows = isLong ? 1_100_000 : 300_000;
/** Of users' ids; a file has 256 MB at most. */
const idChars = isLong ? 60 : 120;
/** What tells duplicates apart, 16 to 43 bytes a row, and what a collector of garbage leaves for later. */
const growthMaxBytes = isLong ? 240_000_000 : 150_000_000;
/** So little room that the collector comes often and leaves little, and that all rows as objects have none. */
const littleRoom = isLong ? {} : { NODE_OPTIONS: '--max-old-space-size=96' };

/** Bytes of memory that a process has had at most; only Linux tells. */
function peakMemory({ process: { pid } }: ApiProcess): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return 1024 * Number(line![1]);
}

(process.platform === 'linux' ? test : test.skip)(
  'a file of hundreds of thousands of rows, and its result, pass through a process that holds a part of them only',
  async () => {
    const api = await startApiProcess(server.url, littleRoom);
    apis.push(api);
    const client = new ApiClient([api.address]);
    const { body: book } = await client.post('/v1/books', { name: 'Large', status: 'draft' });
    const authorization = `Bearer ${testSecrets.QURABLE_ADMIN_KEY}`;
    const passThrough = async (count: number) => {
      const made = await fetch(`${api.address}/v1/jobs?kind=assign&bookId=${book.id}`, {
        method: 'POST',
        headers: { ...csv, authorization },
        body: ReadableStream.from(chunks(count)),
        duplex: 'half',
      } as RequestInit);
      const { id, total } = (await made.json()) as { id: string; total: number };
      expect([made.status, total]).toEqual([202, count]);
      await client.post(`/v1/jobs/${id}/cancel`);
      const result = await fetch(`${api.address}/v1/jobs/${id}/result`, { headers: { authorization } });
      let bytes = 0;
      for await (const piece of result.body!) bytes += piece.length;
      expect(bytes).toBeGreaterThan(count * idChars * 3);
      return peakMemory(api);
    };
    // What the runtime takes for any file it has taken by then.
    const before = await passThrough(rows / 10);
    // Whoever keeps the file, which has 110 MB at least, grows beyond this beside what the collector leaves.
    expect((await passThrough(rows)) - before).toBeLessThan(growthMaxBytes);
  },
);

/** A file of users with long ids, in pieces. */
async function* chunks(count: number): AsyncGenerator<Uint8Array> {
  yield Buffer.from('userId\n');
  for (let from = 0; from < count; from += 1_000) {
    const users = Array.from(
      { length: Math.min(1_000, count - from) },
      (_, at) => `${'日'.repeat(idChars)}${from + at}`,
    );
    yield Buffer.from(`${users.join('\n')}\n`);
  }
}
