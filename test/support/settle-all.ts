import { setTimeout as sleep } from 'node:timers/promises';
import type { Core } from '../../core/core.ts';
import { settleEvents } from '../../core/events/settled-events.ts';
import { patiently } from './patiently.ts';

/**
 * Settles all events that are there. It takes two rounds at least, and more while another transaction runs anywhere in
 * the server: tests of other files have theirs.
 */
export async function settleAll(core: Pick<Core, 'pool' | 'backgroundPool'>): Promise<void> {
  const { rows } = await core.pool.query<{ now: Date }>('select clock_timestamp() as now');
  // What happened in the very millisecond of `settled` is not before it.
  const settle = () => patiently(() => settleEvents(core));
  for (let settled = await settle(); settled === null || settled <= rows[0]!.now; ) {
    await sleep(2);
    settled = await settle();
  }
}
