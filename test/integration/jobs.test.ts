import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Core } from '../../core/core.ts';
import { openPool } from '../../core/db/pool.ts';
import { inTransaction } from '../../core/db/transaction.ts';
import {
  assignCoupon,
  cancelJob,
  closeCore,
  createBook,
  createJob,
  createTenant,
  eraseUser,
  generateCodes,
  type JobDocument,
  listJobs,
  listUserCoupons,
  openCore,
  readCoupon,
  readJob,
  readJobResult,
  silentLog,
} from '../../core/index.ts';
import { withPool } from '../../core/jobs/carry-out-export.ts';
import { carryOutRows } from '../../core/jobs/carry-out-rows.ts';
import { claimJob } from '../../core/jobs/claim-job.ts';
import { type JobStanding, lockStep, readStanding, StepLost, sendProgress } from '../../core/jobs/job-step.ts';
import { jobsCleanUp } from '../../core/jobs/purge-jobs.ts';
import { jobTask } from '../../core/jobs/run-jobs.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { openFaultProxy } from '../support/fault-proxy.ts';
import { admin, openTestCore, type TestCore, testConfig } from '../support/open-test-core.ts';
import { finishJobs } from '../support/run-jobs.ts';
import { waitForLockWait } from '../support/wait-for-lock.ts';

bePatient();
let opened: TestCore;
let core: Core;
/** Another process. */
let other: Core;
let db: Client;
let bookId: string;
let books = 0;

beforeAll(async () => {
  opened = await openTestCore('jobs');
  core = opened.core;
  other = await opened.openAnother();
  db = new Client(opened.database.url);
  await db.connect();
});
afterAll(async () => {
  await db.end();
  await opened.close();
});

beforeEach(async () => {
  books += 1;
  bookId = (await createBook(core, admin, { name: 'Jobs', status: 'active' }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 1_000, pattern: `J${books}-####-####` }, null);
});
afterEach(async () => {
  await finishJobs(core);
  expect(await findBrokenInvariants(opened.database.url)).toEqual([]);
});

async function assignJob(users: number, caller = admin, book = bookId): Promise<string> {
  const file = Readable.from([Buffer.from(`userId\n${numbered(users).join('\n')}\n`)]);
  return (await createJob(core, caller, { kind: 'assign', bookId: book }, file, null)).body.id;
}

async function voidJob(codes: string[]): Promise<string> {
  const file = Readable.from([Buffer.from(`code\n${codes.join('\n')}\n`)]);
  return (await createJob(core, admin, { kind: 'void' }, file, null)).body.id;
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `u-${index + 1}`);
}

/** The job that a worker has claimed, as it stands before its next step. */
async function claimed(by: Core): Promise<JobStanding> {
  const lease = await claimJob(by.backgroundPool);
  return (await readStanding(by.backgroundPool, lease!))!;
}

function carryOut(by: Core, standing: JobStanding, rows = 10) {
  return carryOutRows(withPool(by, by.backgroundPool), standing, rows);
}

/** What comes of a step whose turn is over. */
async function lostStep(by: Core, standing: JobStanding): Promise<unknown> {
  return carryOut(by, standing).catch((error: unknown) => error);
}

async function endLeases(): Promise<void> {
  await db.query(`update jobs set lease_until = clock_timestamp() where status = 'running'`);
}

/** How many codes were ever given out of the book. */
async function assignments(): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    `select count(*) from events e join decks d using (tenant_id, deck_id) join books b using (tenant_id, book_id)
     where b.id = $1 and e.kind = 1`,
    [bookId],
  );
  return Number(rows[0]!.count);
}

async function outcomes(id: string): Promise<string[]> {
  const text = Buffer.concat(await (await readJobResult(core, admin, id, false)).toArray()).toString();
  return text
    .split('\r\n')
    .slice(1, -1)
    .map((line) => line.split(',')[2]!);
}

function job(id: string): Promise<JobDocument> {
  return readJob(core, admin, id);
}

describe('each row is done once', () => {
  test('a worker that was frozen past its lease does nothing more, however far the other one is', async () => {
    const id = await assignJob(20);
    const frozen = await claimed(core);
    await endLeases();
    const second = await claimed(other);
    expect(await lostStep(core, frozen)).toBeInstanceOf(StepLost);
    await carryOut(other, second);
    expect(await lostStep(core, frozen)).toBeInstanceOf(StepLost);
    await endLeases();
    await finishJobs(other);
    expect(await lostStep(core, frozen)).toBeInstanceOf(StepLost);
    expect([(await job(id)).done, await assignments()]).toEqual([20, 20]);
  });

  test('of two workers that read the same, one carries the step out, and the other one waits for it', async () => {
    await assignJob(10);
    const standing = await claimed(core);
    const patient = openPool(
      { connectionString: opened.database.url },
      { max: 2, applicationName: 'patient', onError() {} },
    );
    let second: Promise<unknown> = Promise.resolve();
    await inTransaction(patient, async (tx) => {
      await lockStep(tx, standing);
      second = inTransaction(patient, (its) => lockStep(its, standing)).catch((error: unknown) => error);
      await waitForLockWait(db, 1, second);
      sendProgress(tx, standing, { done: 0, refused: 0, piece: 0, pieces: 1, position: null, isEnd: false });
    });
    expect(await second).toBeInstanceOf(StepLost);
    await patient.end();
    await endLeases();
  });

  test.each(['cut-after', 'cut-before', 'cut-during'] as const)(
    'a step whose COMMIT is %s is there as a whole or not at all, and the job goes on',
    async (kind) => {
      const proxy = await openFaultProxy(opened.database.url);
      const behind = await openCore(testConfig(proxy.url), { log: silentLog });
      try {
        const id = await assignJob(100);
        const task = jobTask(behind, 'jobs 1');
        const { signal } = new AbortController();
        await task.run(signal);
        const fault = proxy.arm('commit', kind);
        while ((await job(id)).status === 'running') await task.run(signal);
        await fault.struck;
        expect([(await job(id)).status, (await job(id)).done, await assignments()]).toEqual(['done', 100, 100]);
        expect(new Set(await outcomes(id))).toEqual(new Set(['assigned']));
      } finally {
        await closeCore(behind);
        await proxy.close();
      }
    },
  );

  test('a step that fails half-way leaves neither effects nor progress', async () => {
    const id = await assignJob(10);
    const standing = await claimed(core);
    await db.query(`create function stop_job() returns trigger language plpgsql as $$
      begin raise exception 'stop' using errcode = 'XX000'; end $$`);
    await db.query('create trigger stop_job before update on job_pieces for each row execute function stop_job()');
    await expect(carryOut(core, standing)).rejects.toThrow('stop');
    await db.query('drop trigger stop_job on job_pieces; drop function stop_job');
    expect([await assignments(), (await job(id)).done]).toEqual([0, 0]);
    await carryOut(core, standing);
    expect([await assignments(), (await job(id)).done]).toEqual([10, 10]);
  });
});

describe('who works on what', () => {
  test('one job of a tenant runs at a time, the oldest first, whoever asks', async () => {
    const tenant = { slug: `t-${books}`, name: 'Another' };
    await createTenant(core, { ...admin, role: 'root' }, tenant, null);
    const { rows } = await db.query<{ id: number }>('select max(tenant_id) as id from tenants');
    const stranger = { ...admin, tenantId: rows[0]!.id };
    const theirs = (await createBook(core, stranger, { name: 'Theirs' }, null)).body.id;
    const ids = [await assignJob(1), await assignJob(1), await assignJob(1, stranger, theirs)];
    const leases = await Promise.all([core, other, core, other].map(({ backgroundPool }) => claimJob(backgroundPool)));
    expect(
      leases
        .filter((lease) => lease !== null)
        .map(({ tenantId }) => tenantId)
        .toSorted(),
    ).toEqual([1, stranger.tenantId]);
    const states = [await job(ids[0]!), await job(ids[1]!), await readJob(core, stranger, ids[2]!)];
    expect(states.map(({ status }) => status)).toEqual(['running', 'queued', 'running']);
    await endLeases();
  });

  test('a process that ends gives its job back at once', async () => {
    const id = await assignJob(600);
    const ending = new AbortController();
    const task = jobTask(core, 'jobs 1');
    await task.run(ending.signal);
    ending.abort();
    expect(await task.run(ending.signal)).toBe('rest');
    expect((await job(id)).status).toBe('running');
    expect(await claimJob(other.backgroundPool)).not.toBeNull();
    await endLeases();
  });

  test('after a cancel no step is carried out any more', async () => {
    const id = await assignJob(20);
    const standing = await claimed(core);
    await carryOut(core, standing);
    const next = (await readStanding(core.backgroundPool, standing))!;
    expect((await cancelJob(core, admin, id, null)).body).toMatchObject({ status: 'cancelled', done: 10, total: 20 });
    expect(await lostStep(core, next)).toBeInstanceOf(StepLost);
    expect(await assignments()).toBe(10);
    expect(await outcomes(id)).toEqual([...Array(10).fill('assigned'), ...Array(10).fill('')]);
  });

  test('a user who is erased between the reading of a step and its transaction gets nothing', async () => {
    const id = await assignJob(2);
    const standing = await claimed(core);
    await eraseUser(core, admin, 'u-1');
    expect(await lostStep(core, standing)).toBeInstanceOf(StepLost);
    await endLeases();
    await finishJobs(core);
    expect(await outcomes(id)).toEqual(['user-erased', 'assigned']);
    expect((await listUserCoupons(core, admin, 'u-1', { bookId })).data).toEqual([]);
  });
});

describe('what stands in the way', () => {
  test('a coupon that somebody holds keeps its row waiting, and no other one', async () => {
    const codes: string[] = [];
    for (const userId of numbered(3)) codes.push((await assignCoupon(core, admin, { bookId, userId })).body.code);
    const id = await voidJob(codes);
    await db.query('begin');
    await db.query('select from coupons where code = $1 for no key update', [codes[1]]);
    const task = jobTask(core, 'jobs 1');
    const { signal } = new AbortController();
    while ((await job(id)).done < 2) await task.run(signal);
    await task.run(signal);
    expect(await job(id)).toMatchObject({ status: 'running', done: 2 });
    await db.query('rollback');
    while ((await job(id)).status === 'running') await task.run(signal);
    expect(await outcomes(id)).toEqual(['voided', 'voided', 'voided']);
    expect((await readCoupon(core, admin, codes[1]!)).status).toBe('voided');
  });

  test('a row whose data breaks the transaction is `internal`, and the others are carried out', async () => {
    await db.query(`create function poison() returns trigger language plpgsql as $$
      begin if new.user_id = 'u-7' then raise exception 'poison' using errcode = '22000'; end if; return new; end $$`);
    await db.query('create trigger poison before insert on holders for each row execute function poison()');
    const id = await assignJob(40);
    await finishJobs(core);
    await db.query('drop trigger poison on holders; drop function poison');
    const found = await outcomes(id);
    expect([found[6], found.filter((outcome) => outcome === 'assigned').length]).toEqual(['internal', 39]);
    expect(await job(id)).toMatchObject({ status: 'done', done: 40, refused: 1 });
  });

  test('a job whose steps fail again and again fails, says so, and lets the next one go on', async () => {
    const [id, next] = [await assignJob(2), await voidJob(['NO-SUCH-CODE'])];
    await db.query(`create function stop_job() returns trigger language plpgsql as $$
      begin raise exception 'stop' using errcode = 'XX000'; end $$`);
    await db.query('create trigger stop_job before insert on holders for each row execute function stop_job()');
    const task = jobTask(core, 'jobs 1');
    const { signal } = new AbortController();
    for (let step = 0; step < 5; step += 1) await expect(task.run(signal)).rejects.toThrow('stop');
    await db.query('drop trigger stop_job on holders; drop function stop_job');
    expect(await job(id)).toMatchObject({ status: 'failed', done: 0, error: expect.any(String) });
    expect(await outcomes(id)).toEqual(['', '']);
    await finishJobs(core);
    expect((await job(next)).status).toBe('done');
  });
});

describe('in the course of time', () => {
  async function cleanUp(): Promise<void> {
    const task = jobsCleanUp(core);
    while ((await task.run(new AbortController().signal)) === 'more');
  }

  test('a job goes seven days after its end, with its file, and one whose file broke off with its process', async () => {
    const [old, young] = [await assignJob(600), await assignJob(1)];
    await finishJobs(core);
    await db.query(`update jobs set finished_at = clock_timestamp() - interval '8 days' where id = $1`, [old]);
    await db.query(`update jobs set finished_at = clock_timestamp() - interval '6 days' where id = $1`, [young]);
    await db.query(`insert into jobs (id, tenant_id, kind, status, created_by, lease_until)
      select gen_random_uuid(), 1, 'assign', 'receiving', 'root', clock_timestamp() + make_interval(secs => s)
      from unnest(array[-1, 60]) as s`);
    await cleanUp();
    await expect(job(old)).rejects.toMatchObject({ kind: 'not-found' });
    expect((await job(young)).status).toBe('done');
    const { rows } = await db.query(
      `select from job_pieces p where not exists (select from jobs j where j.tenant_id = p.tenant_id and j.job_id = p.job_id)
       union all select from jobs where status = 'receiving' and lease_until < clock_timestamp()`,
    );
    expect(rows).toHaveLength(0);
    await db.query(`delete from jobs where status = 'receiving'`);
  });

  /** A job that has ended, with a result of so many pieces. */
  async function longJob(pieces: number): Promise<string> {
    const id = await assignJob(1);
    await finishJobs(core);
    await db.query(
      `insert into job_pieces (tenant_id, job_id, piece, rows)
       select p.tenant_id, p.job_id, n, p.rows from job_pieces p join jobs j using (tenant_id, job_id),
         generate_series(1, $2::int - 1) as n where j.id = $1`,
      [id, pieces],
    );
    await db.query('update jobs set pieces = $2 where id = $1', [id, pieces]);
    return id;
  }

  async function piecesLeft(): Promise<number> {
    const { rows } = await db.query<{ count: string }>('select count(*) from job_pieces');
    return Number(rows[0]!.count);
  }

  test('a job is whole until its seven days are over, then gone at once, while its pieces go some hundred at a time', async () => {
    await db.query('truncate jobs, job_pieces');
    const id = await longJob(1_200);
    const age = (interval: string) =>
      db.query('update jobs set finished_at = clock_timestamp() - $2::interval where id = $1', [id, interval]);
    await age('6 days 23 hours 59 minutes');
    await cleanUp();
    expect([await piecesLeft(), (await outcomes(id)).length]).toEqual([1_200, 1_200]);
    await age('7 days 1 minute');
    await expect(job(id)).rejects.toMatchObject({ kind: 'not-found' });
    await expect(readJobResult(core, admin, id, false)).rejects.toMatchObject({ kind: 'not-found' });
    expect((await listJobs(core, admin, {})).data).toEqual([]);
    const task = jobsCleanUp(core);
    const left: number[] = [];
    while ((await task.run(new AbortController().signal)) === 'more') left.push(await piecesLeft());
    expect(left).toEqual([700, 200, 0]);
    expect((await db.query('select from jobs')).rows).toHaveLength(0);
  });

  test('a result whose pieces go while it is read breaks off, and is not a shorter one', async () => {
    const id = await longJob(1_200);
    const result = await readJobResult(core, admin, id, false);
    await db.query('delete from job_pieces where piece >= 600');
    await expect(result.toArray()).rejects.toMatchObject({ kind: 'not-found' });
    await db.query('truncate jobs, job_pieces');
  });
});
