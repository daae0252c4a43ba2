import type { Caller, Outcome } from '../caller.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import type { JobKey } from '../keys.ts';
import { type JobDocument, jobDocument } from './job-document.ts';
import { findJob } from './read-job.ts';

/**
 * Ends a job before it is done. It waits for the step under way: after the answer nothing more is done for the job, and
 * what was done stays done. Cancelling a cancelled job is a success without effect.
 * @throws CouponError `not-found`, for an id that is no UUID too; `conflict` where it has ended otherwise
 */
export async function cancelJob(
  core: ColdCore,
  caller: Caller,
  id: string,
  keyed: KeyedRequest | null,
): Promise<Outcome<JobDocument>> {
  const { tenantId } = caller;
  return runOnce(core, tenantId, keyed, 200, async (tx) => {
    const { jobKey } = await findJob(tx, tenantId, id);
    await tx.query({
      name: 'lock-job',
      text: 'select from jobs where tenant_id = $1 and job_id = $2 for no key update',
      values: [tenantId, jobKey],
    });
    // Read again behind the lock: a step may have ended the job.
    const { status } = await findJob(tx, tenantId, id);
    if (status === 'done' || status === 'failed') {
      throw refuse('conflict', 'The job has ended already.', { reason: 'job-finished' });
    }
    if (status !== 'cancelled') await cancel(tx, tenantId, jobKey);
    return jobDocument(tx, tenantId, await findJob(tx, tenantId, id));
  });
}

/**
 * In a statement behind the lock, whose transaction has its number then: so times of ends are those of commits in
 * order.
 */
async function cancel(tx: Transaction, tenantId: number, jobKey: JobKey): Promise<void> {
  await tx.query({
    name: 'cancel-job',
    text: `update jobs set status = 'cancelled', step = step + 1, filters = '{}', position = null,
        finished_at = date_trunc('milliseconds', clock_timestamp())
      where tenant_id = $1 and job_id = $2`,
    values: [tenantId, jobKey],
  });
}
