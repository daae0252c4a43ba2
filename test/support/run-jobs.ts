import type { Core } from '../../core/core.ts';
import { jobTask } from '../../core/jobs/run-jobs.ts';

/** Works on jobs as a process of the API would, until none is left that this core may take. */
export async function finishJobs(core: Core): Promise<void> {
  const task = jobTask(core, 'jobs 1');
  const { signal } = new AbortController();
  while ((await task.run(signal)) === 'more');
}
