import { setTimeout as sleep } from 'node:timers/promises';
import type { Core } from '../../../core/index.ts';

/**
 * Waits until a job runs and makes it another process's, which does nothing: it runs on until it is cancelled, however
 * fast the machine is that would have ended it. To be called before the job is begun, which then needs but few steps.
 */
export async function keepJobRunning({ pool }: Pick<Core, 'pool'>): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query(
      // Between two steps of its present worker, who then finds that it is another's.
      `update jobs set fence = fence + 1, lease_until = clock_timestamp() + interval '1 day'
       where (tenant_id, job_id) in
         (select tenant_id, job_id from jobs where status = 'running' for update skip locked)`,
    );
    if (rowCount === 1) return;
    await sleep(20);
  }
}
