import type { BackgroundTask } from '../../background/run-tasks.ts';
import type { Core } from '../../core.ts';
import { announceStockTask } from './announce-stock.ts';
import { deliverTask } from './deliver-webhooks.ts';
import { fanOutTask } from './fan-out-events.ts';
import { purgeTask } from './purge-deliveries.ts';
import { replayTask } from './replay-events.ts';
import { watchBooksTask } from './watch-books.ts';

/** All that webhooks do beside requests, and what operators are told of books. */
export function webhookTasks(core: Core): BackgroundTask[] {
  const announcing = announceStockTask(core);
  return [
    fanOutTask(core),
    watchBooksTask(core),
    ...(announcing === null ? [] : [announcing]),
    replayTask(core),
    deliverTask(core),
    purgeTask(core),
  ];
}
