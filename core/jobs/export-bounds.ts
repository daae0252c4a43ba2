import { readBookCounts } from '../books/read-book-counts.ts';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { inTransaction } from '../db/transaction.ts';
import { invalidInput } from '../errors.ts';
import { limits } from '../limits.ts';
import type { RowCore } from './carry-out-rows.ts';
import type { JobRequest } from './job-input.ts';
import { type JobStanding, lockStep } from './job-step.ts';

/**
 * Refuses an export of more codes than a job may write: a generated deck may have ten billion, whose export would run
 * for days and fill the database. Codes that users have are as many as were dealt, and are counted while they are
 * written.
 * @throws CouponError `invalid-input` naming `status`; `book-not-found`
 */
export async function refuseLargeExport(
  core: Pick<Core, 'knownBooks' | 'countsBoard'>,
  caller: Caller,
  { kind, bookId, status }: JobRequest,
): Promise<void> {
  if (kind !== 'export-codes' || bookId === undefined) return;
  const { codes, available, voided } = await readBookCounts(core, caller, bookId);
  const countOf: Partial<Record<string, number>> = { available, voided };
  const wanted = status === undefined ? codes : (countOf[status] ?? 0);
  if (wanted <= limits.jobExportMaxRows) return;
  throw invalidInput(
    'status',
    `the book has ${wanted} such codes, and a job writes at most ${limits.jobExportMaxRows}; name a status with fewer, or stream the list with Accept: text/csv`,
  );
}

/**
 * Has an export fail that has come to more rows than a job may write. What it wrote stays until the job is removed.
 * @throws StepLost
 */
export async function endLargeExport(core: Pick<RowCore, 'pool'>, job: JobStanding): Promise<void> {
  const error = `There are more than ${limits.jobExportMaxRows} rows. Narrow the export by its filters, or stream the list with Accept: text/csv.`;
  await inTransaction(core.pool, async (tx) => {
    await lockStep(tx, job);
    await tx.query({
      name: 'end-large-export',
      text: `update jobs set status = 'failed', step = step + 1, error = $3, filters = '{}', position = null,
          finished_at = date_trunc('milliseconds', clock_timestamp())
        where tenant_id = $1 and job_id = $2`,
      values: [job.tenantId, job.jobKey, error],
    });
  });
}
