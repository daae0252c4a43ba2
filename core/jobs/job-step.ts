import type pg from 'pg';
import type { Queryable } from '../db/pool.ts';
import { inTransaction, type Transaction } from '../db/transaction.ts';
import type { BookKey } from '../keys.ts';
import { type JobLease, leaseSeconds } from './claim-job.ts';
import type { JobKind } from './job-document.ts';
import type { JobRequest } from './job-input.ts';
import { isPending, isRefused, type JobRow } from './job-rows.ts';

/** Where a job stands, as its worker read it before a step. */
export interface JobStanding extends JobLease {
  /** Grows with each step. */
  readonly step: number;
  readonly id: string;
  readonly kind: JobKind;
  readonly bookKey: BookKey | null;
  readonly createdBy: string;
  /** Rows that have their outcome. */
  readonly done: number;
  readonly filters: Omit<JobRequest, 'kind' | 'header' | 'bookId'>;
  /** Of an export: where it goes on; null at its beginning. */
  readonly position: unknown;
  /** The piece that is next, and how many there are. */
  readonly piece: number;
  readonly pieces: number;
  /** The rows of that piece; none for an export. */
  readonly rows: readonly JobRow[];
}

/** Thrown by a step whose job has passed to another worker, was cancelled or changed: nothing of the step is there. */
export class StepLost extends Error {
  override readonly name = 'StepLost';
}

/** Reads where the job stands; null where it is not this worker's any more. */
export async function readStanding(db: Queryable, lease: JobLease): Promise<JobStanding | null> {
  const { rows } = await db.query<JobStanding>({
    name: 'read-job-standing',
    text: `select j.tenant_id as "tenantId", j.job_id as "jobKey", j.fence, j.step, j.id, j.kind, j.book_id as "bookKey",
        j.created_by as "createdBy", j.done, j.filters, j.position, j.piece, j.pieces, coalesce(p.rows, '[]') as rows
      from jobs j left join job_pieces p
        on p.tenant_id = $1 and p.job_id = j.job_id and p.piece = j.piece and j.piece < j.pieces
      where j.tenant_id = $1 and j.job_id = $2 and j.fence = $3 and j.status = 'running'`,
    values: [lease.tenantId, lease.jobKey, lease.fence],
  });
  return rows[0] ?? null;
}

/**
 * Locks the job for a step, first of all that the step's transaction locks.
 * @throws StepLost where the job does not stand any more as it was read. So of two workers that read the same, one
 *   carries the step out (test: "a worker that was frozen past its lease does nothing more").
 */
export async function lockStep(tx: Transaction, { tenantId, jobKey, fence, step }: JobStanding): Promise<void> {
  const { rowCount } = await tx.query({
    name: 'lock-job-step',
    text: `select from jobs
      where tenant_id = $1 and job_id = $2 and fence = $3 and step = $4 and status = 'running' for no key update`,
    values: [tenantId, jobKey, fence, step],
  });
  if (rowCount !== 1) throw new StepLost();
}

/** What a step brings the job to. */
interface Progress {
  /** Rows that it gave their outcome. */
  readonly done: number;
  readonly refused: number;
  readonly piece: number;
  readonly pieces: number;
  readonly position: unknown;
  readonly isEnd: boolean;
}

/** Sends a step's progress, and renews the lease. At the end of the job its filters go, which may name a user. */
export function sendProgress(tx: Transaction, { tenantId, jobKey }: JobStanding, progress: Progress): void {
  const { done, refused, piece, pieces, position, isEnd } = progress;
  tx.send({
    name: 'job-progress',
    text: `update jobs set step = step + 1, done = done + $3, refused = refused + $4, piece = $5, pieces = $6, failures = 0,
        lease_until = clock_timestamp() + make_interval(secs => $9),
        position = case when $8 then null else $7::jsonb end, filters = case when $8 then '{}' else filters end,
        status = case when $8 then 'done' else status end, total = case when $8 then done + $3 else total end,
        finished_at = case when $8 then date_trunc('milliseconds', clock_timestamp()) end
      where tenant_id = $1 and job_id = $2`,
    values: [tenantId, jobKey, done, refused, piece, pieces, JSON.stringify(position), isEnd, leaseSeconds],
  });
}

/**
 * Sends the rows of the job's piece as a step leaves them, with the progress.
 * @returns whether the job has come to its end
 */
export function sendRows(tx: Transaction, job: JobStanding, rows: readonly JobRow[]): boolean {
  const settled = rows.filter((row, at) => !isPending(row) && isPending(job.rows[at]!));
  const isPieceDone = !rows.some(isPending);
  const piece = isPieceDone ? job.piece + 1 : job.piece;
  const isEnd = piece >= job.pieces;
  tx.send({
    name: 'write-job-rows',
    text: 'update job_pieces set rows = $4::jsonb where tenant_id = $1 and job_id = $2 and piece = $3',
    values: [job.tenantId, job.jobKey, job.piece, JSON.stringify(rows)],
  });
  const refused = settled.filter(isRefused).length;
  sendProgress(tx, job, { done: settled.length, refused, piece, pieces: job.pieces, position: null, isEnd });
  return isEnd;
}

/** A step that only gives rows their outcomes. Returns whether the job has come to its end. */
export function settleRows(pool: pg.Pool, job: JobStanding, rows: readonly JobRow[]): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    await lockStep(tx, job);
    return sendRows(tx, job, rows);
  });
}
