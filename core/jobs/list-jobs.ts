import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { cutPage, type Page, type PageRequest, pageLimit } from '../paging.ts';
import { type JobDocument, type JobRecord, jobDocuments, jobSelection } from './job-document.ts';

/**
 * Lists the tenant's jobs, newest first, from the replica where there is one.
 * @throws CouponError `invalid-input` naming `cursor`
 */
export async function listJobs(
  core: Pick<Core, 'readPool' | 'cursors'>,
  caller: Caller,
  request: PageRequest,
): Promise<Page<JobDocument>> {
  const { tenantId } = caller;
  const limit = pageLimit(request);
  const list = { kind: 'jobs/1', tenantId, filters: {} };
  const [below = null] = request.cursor == null ? [] : core.cursors.open(list, request.cursor);
  const { rows } = await core.readPool.query<JobRecord>({
    name: 'list-jobs',
    text: `${jobSelection} and ($2::bigint is null or j.job_id < $2) order by j.job_id desc limit $3`,
    values: [tenantId, below, limit + 1],
  });
  const page = cutPage(
    rows,
    limit,
    (row) => row,
    ({ jobKey }) => core.cursors.seal(list, [jobKey]),
  );
  return { ...page, data: await jobDocuments(core.readPool, tenantId, page.data) };
}
