import type { BackgroundTask } from '../background/run-tasks.ts';
import type { BackgroundCore } from '../db/open-pools.ts';
import { inTransaction, type Transaction } from '../db/transaction.ts';

const restMillis = 1_000;
/** A little less than the shortest rest between two runs, so that no process misses its own turn. */
const turnMillis = 800;

/** Settles events about once a second, in whichever process comes first. */
export function settleTask(core: BackgroundCore): BackgroundTask {
  return {
    name: 'settle events',
    restMillis,
    run: async () => {
      await settleEvents(core, turnMillis);
      return 'rest';
    },
  };
}

/**
 * Moves the moment up to which events are settled: all that happened before it are visible to whoever looks from now
 * on, and no transaction that still runs can add one. So a reader that goes through the events in the order of their
 * times, stretch by stretch up to that moment, misses none.
 *
 * A candidate is the time by the database's clock, with the id of a transaction that was given it after that. Ids grow,
 * and whoever writes events has its own, by a lock of a row, before it reads the clock for them. So whoever gets a
 * later id stamps its events with the candidate's time or a later one, and once all ids up to it are through, all
 * events before the candidate are there. (The xmax of a snapshot would be no such id: it is the one after the last that
 * has ended, and a transaction that runs may have it.) Times of events are cut to milliseconds, and so is the
 * candidate. A transaction that stalls delays the moment, and loses nothing. The moment never goes back; if the
 * database's clock does, it waits for the clock.
 *
 * Processes may call it at once: one of them works, and the others do nothing.
 * @param leastMillis how old the candidate must be, in milliseconds. One from the future, as after the database's clock
 *   was set back, is settled without that wait
 * @returns the moment, or null where the candidate is younger, or another process is at it
 */
export async function settleEvents({ backgroundPool }: BackgroundCore, leastMillis = 0): Promise<Date | null> {
  const settled = await inTransaction(backgroundPool, async (tx) => {
    const { rows } = await tx.query<Settled>({
      name: 'lock-settled-events',
      text: `select settled_until as until, candidate_xid is not null as "hasCandidate" from settled_events
        where coalesce(candidate_until <= now() - make_interval(secs => $1::float8 / 1000) or candidate_until > now(), true)
        for update skip locked`,
      values: [leastMillis],
    });
    return rows[0]?.hasCandidate ? settleCandidate(tx) : rows[0];
  });
  if (settled === undefined) return null;
  if (!settled.hasCandidate) await inTransaction(backgroundPool, setCandidate);
  return settled.until;
}

interface Settled {
  until: Date;
  hasCandidate: boolean;
}

/** A candidate of ids that are yet to come is from another cluster, by a dump: it is dropped. */
async function settleCandidate(tx: Transaction): Promise<Settled> {
  const { rows } = await tx.query<Settled>({
    name: 'settle-candidate',
    text: `with seen as (
        select pg_snapshot_xmin(pg_current_snapshot()) as oldest, pg_snapshot_xmax(pg_current_snapshot()) as next)
      update settled_events s set
        settled_until = case when oldest > s.candidate_xid then greatest(s.settled_until, s.candidate_until)
          else s.settled_until end,
        candidate_until = case when oldest <= s.candidate_xid and s.candidate_xid < next then s.candidate_until end,
        candidate_xid = case when oldest <= s.candidate_xid and s.candidate_xid < next then s.candidate_xid end
      from seen returning s.settled_until as until, s.candidate_xid is not null as "hasCandidate"`,
    values: [],
  });
  return rows[0]!;
}

/** The transaction gets its id by the update, after it has read the time. Another process may have been faster. */
async function setCandidate(tx: Transaction): Promise<void> {
  const { rows } = await tx.query<{ now: string }>({
    name: 'read-settling-clock',
    text: `select date_trunc('milliseconds', clock_timestamp())::text as now`,
    values: [],
  });
  await tx.query({
    name: 'set-candidate',
    text: `update settled_events set candidate_until = $1::text::timestamptz, candidate_xid = pg_current_xact_id()
      where candidate_xid is null`,
    values: [rows[0]!.now],
  });
}
