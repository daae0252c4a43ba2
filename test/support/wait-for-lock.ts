import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Pool } from 'pg';

const mostTries = 3_000;

/**
 * Waits until so many sessions of the client's database wait for a lock, which the client may hold itself: in its
 * transaction too, every look is a new one.
 * @param until ends the waiting early: what resolves or rejects before anybody waits has taken no lock
 * @throws Error when the sessions don't wait within half a minute, or `until` is settled first
 */
export async function waitForLockWait(
  client: Client | Pool,
  sessions: number,
  until?: Promise<unknown>,
): Promise<void> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  until?.then(settle, settle);
  for (let tries = 0; tries < mostTries; tries += 1) {
    await client.query('select pg_stat_clear_snapshot()');
    const { rows } = await client.query<{ waiting: number }>(
      `select count(*)::int as waiting from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rows[0]!.waiting >= sessions) return;
    if (isSettled) throw new Error('it ended without waiting for a lock');
    await sleep(10);
  }
  throw new Error(`${sessions} sessions never waited for a lock`);
}
