import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { limits } from '../../core/index.ts';
import { finishJobs } from '../support/run-jobs.ts';
import { type Answer, type Body, startTestApi, type TestApi, tokenOf } from './support.ts';

const csv = { 'content-type': 'text/csv' };
let api: TestApi;
let bookId: string;
let books = 0;

beforeAll(async () => {
  api = await startTestApi('jobs');
  await api.call('POST', '/v1/tenants', { body: { slug: 'other', name: 'Other' } });
});
afterAll(() => api.close());
beforeEach(async () => {
  bookId = await makeBook();
});

async function makeBook(more: object = {}): Promise<string> {
  books += 1;
  const { body } = await api.call('POST', '/v1/books', { body: { name: 'Jobs', status: 'active', ...more } });
  const pattern = `J${books}-####-####`;
  await api.call('POST', `/v1/books/${body.id}/codes/generate`, { body: { count: 20, pattern } });
  return body.id;
}

function create(query: string, body?: string, more: { key?: string; as?: string } = {}): Promise<Answer> {
  return api.call('POST', `/v1/jobs?${query}`, { ...(body !== undefined && { body, headers: csv }), ...more });
}

async function finished(query: string, body?: string): Promise<{ job: Body; lines: string[] }> {
  const { body: made } = await create(query, body);
  await finishJobs(api.core);
  const { body: job } = await api.call('GET', `/v1/jobs/${made.id}`);
  return { job, lines: await resultOf(made.id) };
}

async function resultOf(id: string, query = ''): Promise<string[]> {
  const { status, text } = await api.call('GET', `/v1/jobs/${id}/result${query}`);
  expect(status).toBe(200);
  return text.split('\r\n').slice(0, -1);
}

async function couponsOf(userId: string): Promise<Body[]> {
  return (await api.call('GET', `/v1/users/${encodeURIComponent(userId)}/coupons?bookId=${bookId}`)).body.data;
}

async function assign(userId: string): Promise<string> {
  return (await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId } })).body.code;
}

const assignQuery = () => `kind=assign&bookId=${bookId}`;

describe('a job that assigns', () => {
  test('202, and then each user of the file has a code of the book, which the result names', async () => {
    const made = await create(assignQuery(), 'userId\nu-1\nu-2\nu-3\n', { as: tokenOf('operator', 'olga') });
    expect([made.status, made.body]).toEqual([
      202,
      {
        id: expect.any(String),
        kind: 'assign',
        bookId,
        status: 'queued',
        total: 3,
        done: 0,
        refused: 0,
        startedAt: null,
        finishedAt: null,
        createdBy: 'jwt:olga',
        error: null,
      },
    ]);
    await finishJobs(api.core);
    const { body: job } = await api.call('GET', `/v1/jobs/${made.body.id}`);
    expect(job).toEqual({
      ...made.body,
      status: 'done',
      done: 3,
      startedAt: expect.any(String),
      finishedAt: expect.any(String),
    });
    const codes = await Promise.all(['u-1', 'u-2', 'u-3'].map(async (user) => (await couponsOf(user))[0]!.code));
    expect(await resultOf(job.id)).toEqual([
      'line,userId,outcome,code',
      ...codes.map((code, index) => `${index + 2},u-${index + 1},assigned,${code}`),
    ]);
    const events = await api.call('GET', `/v1/coupons/${codes[0]}/events`);
    expect(events.body.data.map(({ kind, actor }) => [kind, actor])).toEqual([['assigned', 'jwt:olga']]);
  });

  test('a count gives a user so many codes, a line of the result for each', async () => {
    const { job, lines } = await finished(assignQuery(), 'userId;count\nu-1;3\nu-2;\n');
    expect([job.total, job.done, job.refused]).toEqual([4, 4, 0]);
    const codes = new Set((await couponsOf('u-1')).map(({ code }) => code));
    expect(codes.size).toBe(3);
    expect(new Set(lines.slice(1, 4).map((line) => line.split(',')[3]))).toEqual(codes);
    expect(lines[4]).toBe(`3,u-2,assigned,${(await couponsOf('u-2'))[0]!.code}`);
  });

  test('lines that can’t be carried out are named with what is wrong, and the others go on', async () => {
    const file = [
      'name,User ID,count',
      'Ann,u-1,1',
      'Bob,u-2',
      'Cid,u-1,1',
      'Dot,,1',
      `Eve,${'x'.repeat(129)},1`,
      'Fay,u-3,none',
      'Gus,u-4,0',
      'Hal,u-5,1001',
      '',
      'Ida," u-6 ",2',
      'Jim,"u-7,1',
    ];
    const { job, lines } = await finished(assignQuery(), file.join('\n'));
    expect(lines.map((line) => line.replace(/,J\d+-.*/, ',code'))).toEqual([
      'line,userId,outcome,code',
      '2,u-1,assigned,code',
      '3,,wrong-column-count,',
      '4,u-1,duplicate-in-file,',
      '5,,invalid-user-id,',
      '6,,invalid-user-id,',
      '7,u-3,invalid-count,',
      '8,u-4,invalid-count,',
      '9,u-5,invalid-count,',
      '11,u-6,assigned,code',
      '11,u-6,assigned,code',
      '12,,broken-line,',
    ]);
    expect([job.status, job.total, job.done, job.refused]).toEqual(['done', 11, 11, 8]);
  });

  test('a user’s id has as many characters as in a request, and none of another encoding', async () => {
    const longest = '\u{1f600}'.repeat(128);
    const one = await finished(assignQuery(), `userId\n${longest}\n${longest}x\n`);
    expect(one.lines.slice(1).map((line) => line.split(',')[2])).toEqual(['assigned', 'invalid-user-id']);
    expect(await couponsOf(longest)).toHaveLength(1);
    const latin = Buffer.from('userId\njos\u{e9}\nann\n', 'latin1');
    const made = await api.call('POST', `/v1/jobs?${assignQuery()}`, { body: latin, headers: csv });
    await finishJobs(api.core);
    const lines = await resultOf(made.body.id);
    expect(lines.slice(1).map((line) => line.split(',').slice(0, 3).join())).toEqual([
      '2,,invalid-user-id',
      '3,ann,assigned',
    ]);
  });

  test('each row is refused as a request would be, and the job is done all the same', async () => {
    bookId = await makeBook({ maxCodesPerUser: 1 });
    await assign('u-1');
    const limited = await finished(assignQuery(), 'userId\nu-1\nu-2\n');
    expect(limited.lines[1]).toBe('2,u-1,user-limit-reached,');
    expect(limited.lines[2]).toMatch(/^3,u-2,assigned,/);
    await api.call('PATCH', `/v1/books/${bookId}`, { body: { status: 'paused' } });
    const paused = await finished(assignQuery(), 'userId\nu-3\n');
    expect([paused.job.status, paused.job.refused, paused.lines[1]]).toEqual(['done', 1, '2,u-3,book-not-active,']);
  });

  test('when the codes run out, the rest of the rows is told so', async () => {
    const { job, lines } = await finished(assignQuery(), `userId\n${numbered(25).join('\n')}`);
    expect([job.total, job.done, job.refused]).toEqual([25, 25, 5]);
    expect(lines.filter((line) => line.endsWith(',no-codes-left,'))).toHaveLength(5);
  });

  test('without a heading, where the sender says that there is none', async () => {
    expect((await create(assignQuery(), 'u-1\nu-2\n')).body.errors[0]!.path).toBe('userId');
    const { lines } = await finished(`${assignQuery()}&header=none`, 'u-1\nu-2\n');
    expect(lines.slice(1).map((line) => line.split(',')[1])).toEqual(['u-1', 'u-2']);
  });

  test('a user id that a spreadsheet would run is guarded, and a byte order mark is written where it is wanted', async () => {
    const { job, lines } = await finished(assignQuery(), 'userId\n"=cmd()"\n');
    expect(lines[1]).toMatch(/^2,'=cmd\(\),assigned,/);
    expect((await couponsOf('=cmd()')).length).toBe(1);
    expect((await resultOf(job.id, '?bom=true'))[0]).toBe('\u{feff}line,userId,outcome,code');
  });
});

describe('a job that voids', () => {
  test('codes in users’ hands and codes that nobody has are void, with their reasons, others are told why not', async () => {
    const held = await assign('u-1');
    const voided = await assign('u-2');
    await api.call('POST', `/v1/coupons/${voided}/void`, { body: {} });
    const list = await api.call('GET', `/v1/books/${bookId}/codes?status=available`);
    const free = list.body.data[0]!.code;
    const file = `code,reason\n${held},leaked\n${free},"lost, too"\n${voided},\n${held.toLowerCase()},\nNO-SUCH-CODE,\n=1,\n`;
    const { job, lines } = await finished('kind=void', file);
    expect(lines).toEqual([
      'line,code,outcome',
      `2,${held},voided`,
      `3,${free},voided`,
      `4,${voided},coupon-void`,
      `5,${held.toLowerCase()},duplicate-in-file`,
      '6,NO-SUCH-CODE,coupon-not-found',
      "7,'=1,coupon-not-found",
    ]);
    expect([job.bookId, job.total, job.done, job.refused]).toEqual([null, 6, 6, 4]);
    const reasons = await Promise.all(
      [held, free].map(async (code) => (await api.call('GET', `/v1/coupons/${code}/events`)).body.data.at(-1)!.data),
    );
    expect(reasons).toEqual([
      expect.objectContaining({ reason: 'leaked' }),
      expect.objectContaining({ reason: 'lost, too' }),
    ]);
  });

  test('of a book that is named, codes of other books are none', async () => {
    const other = await assign('u-1');
    bookId = await makeBook();
    const own = await assign('u-1');
    const { lines } = await finished(`kind=void&bookId=${bookId}`, `${other}\n${own}\n`);
    expect(lines.slice(1)).toEqual([`1,${other},coupon-not-found`, `2,${own},voided`]);
    expect((await api.call('GET', `/v1/coupons/${other}`)).body.status).toBe('assigned');
  });
});

describe('a job that exports', () => {
  test('codes: its result is what the list gives as CSV', async () => {
    await assign('u-1');
    await assign('=u-2');
    for (const status of ['', '&status=assigned']) {
      const { job, lines } = await finished(`kind=export-codes&bookId=${bookId}${status}`);
      const direct = await api.call('GET', `/v1/books/${bookId}/codes?${status}`, { headers: { accept: 'text/csv' } });
      expect(`${lines.join('\r\n')}\r\n`).toBe(direct.text);
      const rows = lines.length - 1;
      expect([job.status, job.total, job.done, job.refused, rows > 1]).toEqual(['done', rows, rows, 0, true]);
    }
  });

  test('redemptions: its result is what the list gives as CSV, filtered alike', async () => {
    for (const userId of ['u-1', 'u-2']) {
      const code = await assign(userId);
      const body = { userId, reference: '+order', metadata: { till: 7 } };
      await api.call('POST', `/v1/coupons/${code}/redeem`, { body });
    }
    for (const filter of [`bookId=${bookId}`, `bookId=${bookId}&userId=u-2`, `bookId=${bookId}&from=2999-01-01`]) {
      const { job, lines } = await finished(`kind=export-redemptions&${filter}`);
      const direct = await api.call('GET', `/v1/redemptions?${filter}`, { headers: { accept: 'text/csv' } });
      expect(`${lines.join('\r\n')}\r\n`).toBe(direct.text);
      expect([job.status, job.total]).toEqual(['done', lines.length - 1]);
      const local = `${filter}&local=true`;
      const beside = await api.call('GET', `/v1/redemptions?${local}`, { headers: { accept: 'text/csv' } });
      expect((await api.call('GET', `/v1/jobs/${job.id}/result?local=true`)).text).toBe(beside.text);
      expect(beside.text).toContain(',bookName,timeZone,localAt,localReversedAt\r\n');
    }
  });

  test('has a bounded length: what is known to be longer is refused, and what turns out to be ends as failed', async () => {
    const book = { name: 'For all', status: 'active', publicCode: 'EXPORT26' };
    const { body: open } = await api.call('POST', '/v1/books', { body: book });
    const all = await create(`kind=export-codes&bookId=${open.id}`);
    expect([all.status, all.body.errors]).toEqual([
      400,
      [{ path: 'status', message: expect.stringContaining('text/csv') }],
    ]);
    const { job: dealt } = await finished(`kind=export-codes&bookId=${open.id}&status=assigned`);
    expect([dealt.status, dealt.total]).toEqual(['done', 0]);
    const { body: made } = await create(`kind=export-codes&bookId=${bookId}`);
    await api.core.pool.query('update jobs set done = $2 where id = $1', [made.id, limits.jobExportMaxRows - 19]);
    await finishJobs(api.core);
    const { body: job } = await api.call('GET', `/v1/jobs/${made.id}`);
    expect([job.status, job.error, job.finishedAt]).toEqual([
      'failed',
      expect.stringContaining('more than'),
      expect.any(String),
    ]);
  });

  test('an empty JSON body is none, any other has no place', async () => {
    const path = `/v1/jobs?kind=export-codes&bookId=${bookId}`;
    expect((await api.call('POST', path, { body: {} })).status).toBe(202);
    expect((await api.call('POST', path, { body: { status: 'assigned' } })).body.kind).toBe('invalid-input');
    await finishJobs(api.core);
  });
});

describe('what a job is refused for', () => {
  test.each([
    ['no kind', () => `bookId=${bookId}`, 'userId\nu-1\n', 'kind'],
    ['a kind that there is not', () => `kind=redeem&bookId=${bookId}`, 'userId\nu-1\n', 'kind'],
    ['no book', () => 'kind=assign', 'userId\nu-1\n', 'bookId'],
    ['a book that is no UUID', () => 'kind=assign&bookId=7', 'userId\nu-1\n', 'bookId'],
    ['a filter of another kind', () => `${assignQuery()}&status=assigned`, 'userId\nu-1\n', 'status'],
    ['a field that there is not', () => `${assignQuery()}&dryRun=true`, 'userId\nu-1\n', 'dryRun'],
    ['a time that is none', () => 'kind=export-redemptions&from=yesterday', undefined, 'from'],
    ['a file without the column', () => assignQuery(), 'user,count\nu-1,1\n', 'userId'],
    ['a file with the column twice', () => assignQuery(), 'userId,user_id\nu-1,u-1\n', 'userId'],
    ['a file of codes without the column', () => 'kind=void', 'a,b\nJ1-1,J1-2\n', 'code'],
  ])('400 for %s, which it names', async (_what, query, body, path) => {
    const answer = await create(query(), body);
    expect([answer.status, answer.body.kind, answer.body.errors[0]!.path]).toEqual([400, 'invalid-input', path]);
  });

  test.each([
    ['an empty file', ''],
    ['a heading without rows', 'userId\n'],
    ['blank lines', '\n\n\n'],
  ])('400 for %s, and nothing of it is kept', async (_what, body) => {
    const answer = await create(assignQuery(), body);
    expect([answer.status, answer.body.kind]).toEqual([400, 'invalid-input']);
    const { rows } = await api.core.pool.query(`select from jobs where status = 'receiving'`);
    expect(rows).toHaveLength(0);
  });

  test('404 for a book that there is not, also for an export of redemptions', async () => {
    const missing = '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11';
    for (const [kind, body] of [
      ['assign', 'userId\nu-1\n'],
      ['void', 'J1-1\n'],
      ['export-codes'],
      ['export-redemptions'],
    ]) {
      const answer = await create(`kind=${kind}&bookId=${missing}`, body);
      expect([answer.status, answer.body.kind]).toEqual([404, 'book-not-found']);
    }
  });

  test('415 for rows that are no CSV, or are missing', async () => {
    const json = await api.call('POST', `/v1/jobs?${assignQuery()}`, { body: { userIds: ['u-1'] } });
    const none = await create(assignQuery());
    expect([json.body.kind, none.body.kind]).toEqual(['unsupported-media-type', 'unsupported-media-type']);
  });

  test('409 for a result that is asked for too early, with the reason', async () => {
    const { body: job } = await create(assignQuery(), 'userId\nu-1\n');
    const early = await api.call('GET', `/v1/jobs/${job.id}/result`);
    expect([early.status, early.body.kind, early.body.reason]).toEqual([409, 'conflict', 'job-unfinished']);
    await finishJobs(api.core);
    expect(await resultOf(job.id)).toHaveLength(2);
  });

  test('429 where a hundred jobs wait', async () => {
    const { body: book } = await api.call('POST', '/v1/books', {
      as: tokenOf('admin', 'a', 'other'),
      body: { name: 'B' },
    });
    const as = tokenOf('operator', 'o', 'other');
    // One after the other: of a tenant's writes at once, those that wait for long are turned away.
    for (let made = 0; made < 100; made += 1) {
      expect((await create(`kind=export-codes&bookId=${book.id}`, undefined, { as })).status).toBe(202);
    }
    const { status, body } = await create(`kind=export-codes&bookId=${book.id}`, undefined, { as });
    expect([status, body.kind]).toEqual([429, 'rate-limited']);
    await finishJobs(api.core);
    expect((await create(`kind=export-codes&bookId=${book.id}`, undefined, { as })).status).toBe(202);
    await finishJobs(api.core);
  });
});

describe('a job that is cancelled', () => {
  test('is cancelled for good: nothing more is done, and what was not done has no outcome', async () => {
    const { body: job } = await create(assignQuery(), 'userId\nu-1\nu-2\n');
    const cancelled = await api.call('POST', `/v1/jobs/${job.id}/cancel`);
    expect([cancelled.status, cancelled.body]).toEqual([
      200,
      { ...job, status: 'cancelled', finishedAt: expect.any(String) },
    ]);
    await finishJobs(api.core);
    expect(await resultOf(job.id)).toEqual(['line,userId,outcome,code', '2,u-1,,', '3,u-2,,']);
    expect(await couponsOf('u-1')).toEqual([]);
    const again = await api.call('POST', `/v1/jobs/${job.id}/cancel`);
    expect([again.status, again.body]).toEqual([200, cancelled.body]);
  });

  test('409 where it has ended by itself', async () => {
    const { job } = await finished(assignQuery(), 'userId\nu-1\n');
    const { status, body } = await api.call('POST', `/v1/jobs/${job.id}/cancel`);
    expect([status, body.kind, body.reason]).toEqual([409, 'conflict', 'job-finished']);
  });
});

describe('jobs of a tenant', () => {
  test('name whoever made them as events do: a key by its id', async () => {
    const key = await api.call('POST', '/v1/api-keys', { body: { name: 'Batches', role: 'operator' } });
    const { body: made } = await create(assignQuery(), 'userId\nu-1\n', { as: key.body.secret });
    await finishJobs(api.core);
    const [coupon] = await couponsOf('u-1');
    const { body: events } = await api.call('GET', `/v1/coupons/${coupon!.code}/events`);
    const { body: read } = await api.call('GET', `/v1/jobs/${made.id}`);
    const { body: listed } = await api.call('GET', '/v1/jobs?limit=1');
    const { body: waits } = await create(assignQuery(), 'userId\nu-2\n', { as: key.body.secret });
    const { body: cancelled } = await api.call('POST', `/v1/jobs/${waits.id}/cancel`);
    const actors = [
      made.createdBy,
      events.data[0]!.actor,
      read.createdBy,
      listed.data[0]!.createdBy,
      cancelled.createdBy,
    ];
    expect(actors).toEqual(Array(5).fill(`key:${key.body.id}`));
  });

  test('are listed newest first, page by page', async () => {
    const ids: string[] = [];
    for (let made = 0; made < 3; made += 1) ids.push((await create(assignQuery(), 'userId\nu-1\n')).body.id);
    const first = await api.call('GET', '/v1/jobs?limit=2');
    const second = await api.call('GET', `/v1/jobs?limit=1&cursor=${first.body.nextCursor}`);
    expect([...first.body.data, ...second.body.data].map(({ id }) => id)).toEqual(ids.toReversed());
    await finishJobs(api.core);
  });

  test('do not exist for another tenant, nor does what is no id', async () => {
    const { job } = await finished(assignQuery(), 'userId\nu-1\n');
    const as = tokenOf('admin', 'a', 'other');
    for (const [id, who] of [
      [job.id, { as }],
      ['nonsense', {}],
    ] as const) {
      for (const [method, path] of [
        ['GET', ''],
        ['POST', '/cancel'],
        ['GET', '/result'],
      ] as const) {
        const { status, body } = await api.call(method, `/v1/jobs/${id}${path}`, who);
        expect([status, body.kind]).toEqual([404, 'not-found']);
      }
    }
  });
});

describe('an idempotency key of a file', () => {
  test('stands for its bytes and parameters: the same get the first answer, others are refused', async () => {
    const file = 'userId\nu-1\n';
    const first = await create(assignQuery(), file, { key: 'file-1' });
    await finishJobs(api.core);
    const again = await create(assignQuery().toUpperCase().replace('KIND=ASSIGN&BOOKID', 'kind=assign&bookId'), file, {
      key: 'file-1',
    });
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([202, first.body, 'true']);
    expect(await couponsOf('u-1')).toHaveLength(1);
    for (const [query, body] of [
      [assignQuery(), 'userId\nu-2\n'],
      [`${assignQuery()}&header=present`, file],
    ] as const) {
      expect((await create(query, body, { key: 'file-1' })).body.kind).toBe('idempotency-key-reused');
    }
  });

  test('of two equal requests at once, one job is made', async () => {
    const made = await Promise.all([1, 2].map(() => create(assignQuery(), 'userId\nu-1\n', { key: 'file-2' })));
    expect(made[0]!.body).toEqual(made[1]!.body);
    await finishJobs(api.core);
    expect(await couponsOf('u-1')).toHaveLength(1);
    expect((await api.core.pool.query(`select from jobs where status = 'receiving'`)).rows).toHaveLength(0);
  });
});

describe('erasing a user', () => {
  test('takes the user out of jobs that ended and that wait, of files, results and filters', async () => {
    const code = await assign('gone-1');
    const redeem = { userId: 'gone-1', reference: 'mine', metadata: { mine: true } };
    await api.call('POST', `/v1/coupons/${code}/redeem`, { body: redeem });
    const ended = await finished(assignQuery(), 'userId\ngone-1\nstays-1\n');
    const exported = await finished(`kind=export-redemptions&bookId=${bookId}`);
    expect(exported.lines[1]).toContain('gone-1');
    const waiting = (await create(assignQuery(), 'userId\ngone-1\nstays-2\n')).body;
    const filtered = (await create('kind=export-redemptions&userId=gone-1')).body;
    expect((await api.call('DELETE', '/v1/users/gone-1')).status).toBe(202);
    await finishJobs(api.core);
    expect((await resultOf(ended.job.id))[1]).toMatch(/^2,,assigned,J/);
    expect((await resultOf(exported.job.id))[1]).toMatch(/^[^,]+,[^,]+,[^,]+,,1,[^,]+,,,$/);
    expect((await resultOf(waiting.id)).slice(1)).toEqual([
      '2,,user-erased,',
      expect.stringMatching(/^3,stays-2,assigned,/),
    ]);
    expect((await api.call('GET', `/v1/jobs/${filtered.id}`)).body.status).toBe('cancelled');
    expect(await couponsOf('gone-1')).toEqual([]);
    const { rows } = await api.core.pool.query(
      `select from job_pieces where rows::text ~ 'gone-1|mine'
       union all select from jobs where jobs::text ~ 'gone-1'`,
    );
    expect(rows).toHaveLength(0);
  });
});

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `u-${index + 1}`);
}
