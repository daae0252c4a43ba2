import type { Caller } from '../caller.ts';
import type { Queryable } from '../db/pool.ts';
import { type CouponError, refuse } from '../errors.ts';
import { isUuid } from '../uuid.ts';
import { type JobDocument, type JobRecord, jobDocument, jobSelection } from './job-document.ts';

/**
 * Reads one job, from the primary: who has just made it looks at it.
 * @throws CouponError `not-found`, for an id that is no UUID too
 */
export async function readJob({ pool }: { pool: Queryable }, caller: Caller, id: string): Promise<JobDocument> {
  const { tenantId } = caller;
  return jobDocument(pool, tenantId, await findJob(pool, tenantId, id));
}

/**
 * The tenant's job of that id.
 * @throws CouponError `not-found`, for an id that is no UUID too
 */
export async function findJob(db: Queryable, tenantId: number, id: string): Promise<JobRecord> {
  if (!isUuid(id)) throw jobNotFound();
  const { rows } = await db.query<JobRecord>({
    name: 'find-job',
    text: `${jobSelection} and j.id = $2`,
    values: [tenantId, id],
  });
  const job = rows[0];
  if (job === undefined) throw jobNotFound();
  return job;
}

/** The refusal for a job that the tenant does not have, or no longer. */
export function jobNotFound(): CouponError {
  return refuse('not-found', 'There is no such job. Jobs that have ended are kept for some days.');
}
