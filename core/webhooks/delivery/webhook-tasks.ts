import type { BackgroundTask } from '../../background/run-tasks.ts';
import type { Core } from '../../core.ts';
import { deliverTask } from './deliver-webhooks.ts';
import { fanOutTask } from './fan-out-events.ts';
import { purgeTask } from './purge-deliveries.ts';
import { replayTask } from './replay-events.ts';
import { watchBooksTask } from './watch-books.ts';

/** All that webhooks do beside requests. */
export function webhookTasks(core: Core): BackgroundTask[] {
  return [fanOutTask(core), watchBooksTask(core), replayTask(core), deliverTask(core), purgeTask(core)];
}
