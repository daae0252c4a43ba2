import { type Static, Type } from 'typebox';
import { actorNames } from '../access/actor-names.ts';
import type { Queryable } from '../db/pool.ts';
import { exampleId, Id, nullable, oneOf, Time } from '../input/shapes.ts';
import type { JobKey } from '../keys.ts';
import { limits } from '../limits.ts';

/** What jobs do. */
export const JobKind = oneOf(['assign', 'void', 'export-codes', 'export-redemptions'], {
  description:
    '`assign`: a code of a book to each user of a file. `void`: each code of a file. `export-codes`, `export-redemptions`: what the lists of the same name show, as a file.',
  examples: ['assign'],
});
export type JobKind = Static<typeof JobKind>;

/** Where a job is in its life. */
export const JobStatus = oneOf(['queued', 'running', 'done', 'failed', 'cancelled'], {
  description:
    '`done`: every row has its outcome, refusals included. `failed`: it could not go on, and `error` says why. What was done before a job failed or was cancelled stays done.',
  examples: ['running'],
});
export type JobStatus = Static<typeof JobStatus>;

const count = (description: string, example: number) => Type.Integer({ minimum: 0, description, examples: [example] });

/** A job as callers see it. */
export const JobDocument = Type.Object({
  id: { ...Id, description: 'A UUIDv7, in the order in which jobs were made.' },
  kind: JobKind,
  bookId: nullable({ ...Id, description: 'The book that it is about. Null: no one book.' }),
  status: JobStatus,
  total: nullable(
    count('How many rows it has; of an `assign`, how many codes are wanted. Null: an export that is not finished.', 3),
  ),
  done: count('How many of them have their outcome, refused ones included.', 2),
  refused: count('How many of those were refused.', 1),
  startedAt: nullable({ ...Time, description: 'Null: it waits for its turn.' }),
  finishedAt: nullable({ ...Time, description: 'Null: it has not ended.' }),
  createdBy: Type.String({ description: 'Who made it, as events name their actor.', examples: [`key:${exampleId}`] }),
  error: nullable(Type.String({ description: 'Why it failed. Null: it has not.' })),
});
export type JobDocument = Static<typeof JobDocument>;

/** Names a job in statements. */
export interface JobName {
  readonly tenantId: number;
  readonly jobKey: JobKey;
}

/** A row of `jobs` as documents are made from it. */
export interface JobRecord extends Omit<JobDocument, 'startedAt' | 'finishedAt'> {
  readonly jobKey: JobKey;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/**
 * Selects JobRecords; the statement goes on with its conditions on `j`, whose tenant is $1. A job whose time is over is
 * not there any more: its pieces go some at a time, and what is left of them is no result.
 */
export const jobSelection = `select j.job_id as "jobKey", j.id, j.kind, b.id as "bookId", j.status, j.total, j.done, j.refused,
    j.started_at as "startedAt", j.finished_at as "finishedAt", j.created_by as "createdBy", j.error
  from jobs j left join books b on b.book_id = j.book_id and b.tenant_id = $1
  where j.tenant_id = $1 and j.status <> 'receiving'
    and coalesce(j.finished_at > clock_timestamp() - interval '${limits.jobKeptDays} days', true)`;

/** The documents of jobs, in their order. */
export async function jobDocuments(
  db: Queryable,
  tenantId: number,
  jobs: readonly JobRecord[],
): Promise<JobDocument[]> {
  const names = await actorNames(
    db,
    tenantId,
    jobs.map(({ createdBy }) => createdBy),
  );
  return jobs.map(({ jobKey: _, startedAt, finishedAt, createdBy, ...same }) => ({
    ...same,
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    createdBy: names.get(createdBy)!,
  }));
}

/** The document of one job. */
export async function jobDocument(db: Queryable, tenantId: number, job: JobRecord): Promise<JobDocument> {
  return (await jobDocuments(db, tenantId, [job]))[0]!;
}

/** Kinds of jobs that bring a file of rows to carry out; the others write one. */
export type FileJobKind = 'assign' | 'void';

/** Whether a job of this kind brings a file. */
export function hasFile(kind: JobKind): kind is FileJobKind {
  return kind === 'assign' || kind === 'void';
}
