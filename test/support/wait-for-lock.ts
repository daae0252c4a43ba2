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
    // Who has been let through is no longer among these, while pg_stat_activity shows it until it goes on.
    const { rows } = await client.query<{ waiting: number }>(
      `select count(distinct pid)::int as waiting from pg_locks join pg_stat_activity using (pid)
       where datname = current_database() and not granted`,
    );
    if (rows[0]!.waiting >= sessions) return;
    if (isSettled) throw new Error('it ended without waiting for a lock');
    await sleep(10);
  }
  throw new Error(`${sessions} sessions never waited for a lock`);
}
