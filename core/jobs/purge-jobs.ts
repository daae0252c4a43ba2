import type { BackgroundTask } from '../background/run-tasks.ts';
import type { BackgroundCore } from '../db/open-pools.ts';
import { limits } from '../limits.ts';
import type { JobName } from './job-document.ts';

const everyMillis = 600_000;
/** Pieces that one statement removes: few enough to hold nobody up. */
const piecesMax = 500;

/**
 * A task that removes jobs some days after they ended, with their files and results, and those whose file broke off
 * with the process that read it. Every process runs it; a piece is removed once, whoever is first.
 */
export function jobsCleanUp(core: BackgroundCore): BackgroundTask {
  return { name: 'jobs clean-up', restMillis: everyMillis, run: () => purgeSome(core) };
}

async function purgeSome({ backgroundPool: pool }: BackgroundCore): Promise<'more' | 'rest'> {
  const { rows } = await pool.query<JobName>({
    name: 'find-old-job',
    text: `(select tenant_id as "tenantId", job_id as "jobKey" from jobs
        where finished_at < clock_timestamp() - make_interval(days => $1) order by finished_at, job_id limit 1)
      union all
      (select tenant_id, job_id from jobs
        where status = 'receiving' and lease_until < clock_timestamp() order by lease_until limit 1)
      limit 1`,
    values: [limits.jobKeptDays],
  });
  const job = rows[0];
  if (job === undefined) return 'rest';
  await pool.query({
    name: 'purge-job-pieces',
    // PostgreSQL makes an array once. A subquery behind `in` may run again for each row, and then go beyond its limit.
    text: `delete from job_pieces where tenant_id = $1 and job_id = $2 and piece = any(array(
        select piece from job_pieces where tenant_id = $1 and job_id = $2 order by piece limit $3))`,
    values: [job.tenantId, job.jobKey, piecesMax],
  });
  await pool.query({
    name: 'purge-job',
    text: `delete from jobs where tenant_id = $1 and job_id = $2
      and (finished_at is not null or (status = 'receiving' and lease_until < clock_timestamp()))
      and not exists (select from job_pieces where tenant_id = $1 and job_id = $2)`,
    values: [job.tenantId, job.jobKey],
  });
  return 'more';
}
