import { type BackgroundTask, type RunningTasks, runTasks } from './background/run-tasks.ts';
import type { Core } from './core.ts';
import { countTask } from './events/count-events.ts';
import { settleTask } from './events/settled-events.ts';
import { maintenance } from './maintain.ts';
import { webhookTasks } from './webhooks/delivery/webhook-tasks.ts';

export type { RunningTasks } from './background/run-tasks.ts';

/**
 * Starts what every process does beside requests. Close it before the core.
 */
export function startBackground(core: Core): RunningTasks {
  const tasks: BackgroundTask[] = [maintenance(core), settleTask(core), countTask(core), ...webhookTasks(core)];
  return runTasks(tasks, core);
}
