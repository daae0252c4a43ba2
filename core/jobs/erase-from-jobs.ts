import type { Queryable } from '../db/pool.ts';
import type { Transaction } from '../db/transaction.ts';
import type { JobKey } from '../keys.ts';

/** A user of a tenant. */
export interface ErasedUser {
  readonly tenantId: number;
  readonly userId: string;
}

/**
 * Takes a user out of the jobs that have not ended: of the rows of their files and results, and of their filters. What
 * waits for the user is not carried out, and an export of the user's redemptions alone is cancelled. The jobs stay
 * locked until the transaction ends, so that no step comes in between; a step that had read the user before is lost.
 * Call it before any other lock is taken: a step locks its job first too.
 */
export async function eraseFromOpenJobs(tx: Transaction, user: ErasedUser): Promise<void> {
  const { tenantId, userId } = user;
  const { rows } = await tx.query<{ jobKey: JobKey }>({
    name: 'lock-open-jobs',
    text: `select job_id as "jobKey" from jobs where tenant_id = $1 and finished_at is null
      order by job_id for no key update`,
    values: [tenantId],
  });
  for (const { jobKey } of rows) await eraseRows(tx, user, jobKey);
  await tx.query({
    name: 'erase-job-filters',
    text: `update jobs set step = step + 1, status = 'cancelled', filters = '{}', position = null,
        finished_at = date_trunc('milliseconds', clock_timestamp())
      where tenant_id = $1 and job_id = any($2::bigint[]) and filters ->> 'userId' = $3`,
    values: [tenantId, rows.map(({ jobKey }) => jobKey), userId],
  });
  await tx.query({
    name: 'lose-job-steps',
    text: 'update jobs set step = step + 1 where tenant_id = $1 and job_id = any($2::bigint[])',
    values: [tenantId, rows.map(({ jobKey }) => jobKey)],
  });
}

/**
 * Takes a user out of the files and results of jobs that have ended, job by job, each in a statement of its own.
 * Nothing is added to them any more.
 */
export async function eraseFromEndedJobs(db: Queryable, user: ErasedUser): Promise<void> {
  const { rows } = await db.query<{ jobKey: JobKey }>({
    name: 'ended-jobs',
    text: 'select job_id as "jobKey" from jobs where tenant_id = $1 and finished_at is not null order by job_id',
    values: [user.tenantId],
  });
  for (const { jobKey } of rows) await eraseRows(db, user, jobKey);
}

/** With the user go the texts that callers wrote beside the user's redemptions. */
async function eraseRows(db: Queryable, { tenantId, userId }: ErasedUser, jobKey: JobKey): Promise<void> {
  await db.query({
    name: 'erase-job-rows',
    text: `update job_pieces set rows = (
        select jsonb_agg(case when row ->> 'userId' = $3 then row || '{"userId": null}'
            || case when row ? 'reference' then '{"reference": null, "metadata": null}'::jsonb else '{}' end
          else row end order by n)
        from jsonb_array_elements(rows) with ordinality as element (row, n))
      where tenant_id = $1 and job_id = $2 and rows @> jsonb_build_array(jsonb_build_object('userId', $3::text))`,
    values: [tenantId, jobKey, userId],
  });
}
