import type { Readable } from 'node:stream';
import { findBook } from '../books/find-book.ts';
import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import { findWanted, type RedemptionListCore } from '../coupons/list-redemptions.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse, unavailable } from '../errors.ts';
import { type KeyedRequest, withContent } from '../idempotency/key-hash.ts';
import { isKeyUsed, replayStreamed } from '../idempotency/replay-streamed.ts';
import { runOnce } from '../idempotency/run-once.ts';
import type { BookKey } from '../keys.ts';
import { limits } from '../limits.ts';
import { digestBody, readAhead, readBody } from '../uploads/read-body.ts';
import { refuseLargeExport } from './export-bounds.ts';
import { hasFile, type JobDocument, type JobName, type JobRecord, jobDocument, jobSelection } from './job-document.ts';
import { checkParameters, type JobRequest } from './job-input.ts';
import { dropJob, openJob, type ReceiveCore, type ReceivedJob, receiveFile } from './receive-job.ts';

/** What making a job works with. */
export type CreateJobCore = ColdCore &
  ReceiveCore &
  RedemptionListCore &
  Pick<Core, 'uploadSlots' | 'countsBoard' | 'jobBell'>;

/** A file waits for its slot once so much of it has arrived, so that a slow sender delays nobody. */
const readAheadBytes = 65_536;
const emptyDigest = '';

/**
 * Makes a job, which then waits for its turn. The file of an `assign` or a `void` is read to its end and stored before
 * the answer: a line that can't be carried out has its outcome from then on, and the others wait. Memory is bounded for
 * any size; the process's slots and bounds for uploads hold for it. A file that breaks off leaves nothing behind.
 *
 * With an idempotency key, the same parameters and bytes get the first answer under that key: the job as it was made.
 * @param body null for an export, which has none
 * @throws CouponError `invalid-input` naming the parameter, for an export beyond limits.jobExportMaxRows, or for a file
 *   that can't be read as a whole, holds no row or breaks off; `idempotency-key-reused`; `book-not-found`;
 *   `body-too-large` beyond limits.jobMaxRows or limits.jobMaxBytes; `rate-limited` where limits.jobsUnfinishedMax of
 *   the tenant wait; `unavailable`
 */
export async function createJob(
  core: CreateJobCore,
  caller: Caller,
  request: JobRequest,
  body: Readable | null,
  keyed: KeyedRequest | null,
): Promise<Outcome<JobDocument>> {
  try {
    checkParameters(request);
    const { tenantId } = caller;
    const name = (digest: string) => (keyed === null ? null : withContent(keyed, nameOf(request), digest));
    if (await isKeyUsed(core.pool, tenantId, keyed)) {
      const digest = body === null ? emptyDigest : await digestBody(body, limits.jobMaxBytes);
      return await replayStreamed<JobDocument>(core, tenantId, name(digest), 202);
    }
    const bookKey = request.bookId === undefined ? null : await findBook(core, tenantId, request.bookId);
    await refuseLargeExport(core, caller, request);
    // Says what is wrong with its times, before there is a job.
    if (request.kind === 'export-redemptions') await findWanted(core, tenantId, request);
    return await take(core, caller, request, bookKey, body, name);
  } finally {
    body?.resume();
  }
}

/** One text for one set of parameters. */
function nameOf({ bookId, ...request }: JobRequest): string {
  const entries = Object.entries({ ...request, bookId: bookId?.toLowerCase() }).filter(
    ([, value]) => value !== undefined,
  );
  return `/jobs ${JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}

async function take(
  core: CreateJobCore,
  caller: Caller,
  request: JobRequest,
  bookKey: BookKey | null,
  body: Readable | null,
  name: (digest: string) => KeyedRequest | null,
): Promise<Outcome<JobDocument>> {
  const { tenantId, actor } = caller;
  const pieces = body === null ? null : await readAhead(readBody(body, limits.jobMaxBytes), readAheadBytes);
  const giveBack = pieces === null ? () => {} : await core.uploadSlots.take(tenantId);
  try {
    const job = await openJob(core, tenantId, request.kind, actor);
    let isPublished = false;
    try {
      const received = await receive(core, job, request, pieces);
      const outcome = await runOnce(core, tenantId, name(received.digest), 202, (tx) =>
        publish(tx, received, request, bookKey),
      );
      isPublished = !outcome.replayed;
      core.jobBell.ring();
      return outcome;
    } finally {
      // If the answer to COMMIT was lost, the job may be published: dropJob leaves a published job alone.
      if (!isPublished) await dropJob(core, job).catch(() => {});
    }
  } finally {
    giveBack();
  }
}

async function receive(
  core: CreateJobCore,
  job: JobName,
  { kind, header }: JobRequest,
  pieces: AsyncIterable<Uint8Array> | null,
): Promise<ReceivedJob> {
  if (!hasFile(kind)) return { ...job, rows: 0, refused: 0, pieces: 0, digest: emptyDigest };
  return receiveFile(core, job, kind, header ?? null, pieces ?? (async function* () {})());
}

/** Shows the job, and lets it be worked on. */
async function publish(
  tx: Transaction,
  { tenantId, jobKey, rows, refused, pieces }: ReceivedJob,
  { kind, header: _, bookId: _book, ...filters }: JobRequest,
  bookKey: BookKey | null,
): Promise<JobDocument> {
  await refuseTooMany(tx, tenantId);
  const { rowCount } = await tx.query({
    name: 'publish-job',
    text: `update jobs set status = 'queued', book_id = $3, total = $4, done = $5, refused = $5, pieces = $6,
        filters = $7::jsonb, lease_until = clock_timestamp()
      where tenant_id = $1 and job_id = $2 and status = 'receiving'`,
    values: [tenantId, jobKey, bookKey, hasFile(kind) ? rows : null, refused, pieces, JSON.stringify(filters)],
  });
  if (rowCount !== 1) throw unavailable('not-begun', 'The file took too long. Send it again.');
  const answer = await tx.query<JobRecord>({
    name: 'published-job',
    text: `${jobSelection} and j.job_id = $2`,
    values: [tenantId, jobKey],
  });
  return jobDocument(tx, tenantId, answer.rows[0]!);
}

async function refuseTooMany(tx: Transaction, tenantId: number): Promise<void> {
  const { rows } = await tx.query<{ waiting: number }>({
    name: 'count-unfinished-jobs',
    text: `select count(*) as waiting from jobs where tenant_id = $1 and status in ('queued', 'running')`,
    values: [tenantId],
  });
  if (rows[0]!.waiting < limits.jobsUnfinishedMax) return;
  const detail = `${limits.jobsUnfinishedMax} jobs of the tenant wait or run. Wait for one to end, or cancel one.`;
  throw refuse('rate-limited', detail, { retryAfterSeconds: 60 });
}
