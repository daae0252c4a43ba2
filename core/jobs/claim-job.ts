import type pg from 'pg';
import { constraintOf } from '../db/sql-errors.ts';
import type { JobName } from './job-document.ts';

/** A job that is this worker's, until the lease runs out without a step. */
export interface JobLease extends JobName {
  /** Grows with each claim. */
  readonly fence: number;
}

/**
 * How long a job waits for its worker's next step before another one takes it over: far longer than a step with its
 * rest. By the database's clock.
 */
export const leaseSeconds = 15;

/** How many waiting jobs are tried in one go, since other workers may take some of them first. */
const triedMax = 10;

/**
 * Takes the oldest job that nobody works on: its worker is gone, or it waits and no other job of its tenant runs. Null
 * where there is none. Of many workers that ask at once, one gets the job.
 */
export async function claimJob(pool: pg.Pool): Promise<JobLease | null> {
  for (const job of await findWaiting(pool)) {
    const fence = await claim(pool, job);
    if (fence !== null) return { ...job, fence };
  }
  return null;
}

/** Jobs of whichever tenant that could be taken, the oldest first. */
async function findWaiting(pool: pg.Pool): Promise<JobName[]> {
  const { rows } = await pool.query<JobName>({
    name: 'find-waiting-jobs',
    text: `select j.tenant_id as "tenantId", j.job_id as "jobKey" from jobs j
      where j.status in ('queued', 'running') and j.lease_until < clock_timestamp() and (j.status = 'running'
        or not exists (select from jobs r where r.tenant_id = j.tenant_id and r.status = 'running'))
      order by j.job_id limit $1`,
    values: [triedMax],
  });
  return rows;
}

/** The fence of a job that is this worker's now, null where another one was faster. */
async function claim(pool: pg.Pool, { tenantId, jobKey }: JobName): Promise<number | null> {
  try {
    const { rows } = await pool.query<{ fence: number }>({
      name: 'claim-job',
      // A worker that waited for the row reads it as the faster worker has left it.
      text: `update jobs set status = 'running', fence = fence + 1,
          lease_until = clock_timestamp() + make_interval(secs => $3),
          started_at = coalesce(started_at, date_trunc('milliseconds', clock_timestamp()))
        where tenant_id = $1 and job_id = $2 and status in ('queued', 'running') and lease_until < clock_timestamp()
          and (status = 'running' or not exists (select from jobs where tenant_id = $1 and status = 'running'))
        returning fence`,
      values: [tenantId, jobKey, leaseSeconds],
    });
    return rows[0]?.fence ?? null;
  } catch (error) {
    // Another worker has just begun another job of the tenant.
    if (constraintOf(error) === 'jobs_running_key') return null;
    throw error;
  }
}

/** Gives a job back, so that another worker takes it over at once. */
export async function letJobGo(pool: pg.Pool, { tenantId, jobKey, fence }: JobLease): Promise<void> {
  await pool.query({
    name: 'let-job-go',
    text: `update jobs set lease_until = clock_timestamp()
      where tenant_id = $1 and job_id = $2 and fence = $3 and status = 'running'`,
    values: [tenantId, jobKey, fence],
  });
}

/** Keeps a job that can't go on for the moment. */
export async function keepJob(pool: pg.Pool, { tenantId, jobKey, fence }: JobLease): Promise<void> {
  await pool.query({
    name: 'keep-job',
    text: `update jobs set lease_until = clock_timestamp() + make_interval(secs => $4)
      where tenant_id = $1 and job_id = $2 and fence = $3 and status = 'running'`,
    values: [tenantId, jobKey, fence, leaseSeconds],
  });
}

/** A job that fails so often in a row fails for good. */
const failuresMax = 5;

/**
 * Notes that a step failed for another reason than the database's being away. Returns whether the job has failed now.
 */
export async function noteFailure(pool: pg.Pool, { tenantId, jobKey, fence }: JobLease): Promise<boolean> {
  const { rows } = await pool.query<{ hasFailed: boolean }>({
    name: 'note-job-failure',
    text: `with job as materialized (
        select failures + 1 >= $4 as "hasFailed" from jobs
        where tenant_id = $1 and job_id = $2 and fence = $3 and status = 'running' for no key update)
      update jobs set failures = failures + 1,
        status = case when "hasFailed" then 'failed' else 'running' end,
        error = case when "hasFailed" then 'A step of the job failed again and again. What was done before it stays done.' end,
        filters = case when "hasFailed" then '{}' else filters end,
        finished_at = case when "hasFailed" then date_trunc('milliseconds', clock_timestamp()) end
      from job where tenant_id = $1 and job_id = $2 returning "hasFailed"`,
    values: [tenantId, jobKey, fence, failuresMax],
  });
  return rows[0]?.hasFailed ?? false;
}
