import type { BackgroundTask } from '../background/run-tasks.ts';
import type { BackgroundCore } from '../db/open-pools.ts';
import { limits } from '../limits.ts';

const everyMillis = 600_000;
/** Rows removed at a time: a short statement holds nobody up. */
const removedMaxRows = 1_000;

/**
 * Removes sessions and links that can't be used any more. They are refused without it; it only keeps the tables small.
 */
export function removingEndedSessions({ backgroundPool }: BackgroundCore): BackgroundTask {
  return {
    name: 'ended sessions',
    restMillis: everyMillis,
    async run() {
      await backgroundPool.query('delete from console_links where ends_at < clock_timestamp()');
      const { rowCount } = await backgroundPool.query(
        `delete from console_sessions where secret_hash = any(array(
          select secret_hash from console_sessions where ends_at < clock_timestamp()
            or used_at < clock_timestamp() - interval '${limits.sessionIdleMaxMinutes} minutes'
          limit $1 for update skip locked))`,
        [removedMaxRows],
      );
      return (rowCount ?? 0) < removedMaxRows ? 'rest' : 'more';
    },
  };
}
