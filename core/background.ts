import { removingEndedSessions } from './access/remove-ended-sessions.ts';
import { type BackgroundTask, type RunningTasks, runTasks } from './background/run-tasks.ts';
import type { Core } from './core.ts';
import { countTask } from './events/count-events.ts';
import { settleTask } from './events/settled-events.ts';
import { jobsCleanUp } from './jobs/purge-jobs.ts';
import { jobTask, jobTaskNames } from './jobs/run-jobs.ts';
import { maintenance } from './maintain.ts';
import { webhookTasks } from './webhooks/delivery/webhook-tasks.ts';

export type { RunningTasks } from './background/run-tasks.ts';

/** What every process does beside requests. */
export function backgroundTasks(core: Core): BackgroundTask[] {
  return [
    maintenance(core),
    removingEndedSessions(core),
    settleTask(core),
    countTask(core),
    ...jobTaskNames.map((name) => jobTask(core, name)),
    jobsCleanUp(core),
    ...webhookTasks(core),
  ];
}

/**
 * Starts what every process does beside requests. Close it before the core.
 */
export function startBackground(core: Core): RunningTasks {
  const running = runTasks(backgroundTasks(core), core);
  core.jobBell.onRing(() => {
    for (const name of jobTaskNames) running.wake(name);
  });
  return running;
}
