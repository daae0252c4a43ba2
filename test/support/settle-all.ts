import { setTimeout as sleep } from 'node:timers/promises';
import type { Core } from '../../core/core.ts';
import { countEvents } from '../../core/events/count-events.ts';
import { settleEvents } from '../../core/events/settled-events.ts';
import { makeStride } from '../../core/events/stride.ts';
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

const dayMillis = 86_400_000;

/**
 * Counts all settled events for reports. A new database is counted from a day before it was made: in stretches of a day
 * that takes two of them, and in those of ten minutes, with which a process begins, a hundred and fifty.
 */
export async function countAll(core: Pick<Core, 'backgroundPool'>): Promise<void> {
  const long = { firstMillis: dayMillis, leastMillis: 1_000, mostMillis: dayMillis, wantedEvents: 100_000 };
  const stride = makeStride({ ...long, gatherMillis: 0, busyEvents: 0 });
  while ((await countEvents(core, stride)) === 'more');
}
