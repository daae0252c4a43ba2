import type pg from 'pg';
import type { Log } from '../log.ts';
import { loggable } from './sql-errors.ts';

interface Partition {
  /** As it is written in a statement. */
  table: string;
  index: string;
  /** Null: not there. False: a run that was cut off left it. */
  isWhole: boolean | null;
  isAttached: boolean;
}

/**
 * Gives every partition of events its part of `events_at_idx`, which serves readers of a stretch of time. A partition
 * that was made after the index has it already. In those that are older it is built beside whoever writes into them,
 * which no transaction of a migration can do. It goes on where an earlier run was cut off. What fails is logged, and
 * tried again by the next run: readers are slower without it, and miss nothing.
 * @param db a pool of one connection, the migrations'
 */
export async function indexEventPartitions(db: pg.Pool, log: Log): Promise<void> {
  try {
    for (const partition of await partitionsWithout(db)) await indexPartition(db, partition);
  } catch (error) {
    log.error({ error: loggable(error) }, 'could not index the partitions of events; the next migration tries again');
  }
}

async function partitionsWithout(db: pg.Pool): Promise<Partition[]> {
  const { rows } = await db.query<Partition>(
    `select format('%I', t.relname) as table, format('%I', t.relname || '_at_idx') as index, x.indisvalid as "isWhole",
        exists (select from pg_inherits where inhrelid = i.oid) as "isAttached"
      from pg_inherits h join pg_class t on t.oid = h.inhrelid
      left join pg_class i on i.relname = t.relname || '_at_idx' and i.relnamespace = t.relnamespace
      left join pg_index x on x.indexrelid = i.oid
      where h.inhparent = to_regclass('events') and to_regclass('events_at_idx') is not null`,
  );
  return rows.filter(({ isWhole, isAttached }) => !(isWhole === true && isAttached));
}

/**
 * Building an index waits for the running transactions, and delays nobody meanwhile. Attaching it blocks others while
 * it waits, so it waits only a short time.
 */
const buildLockTimeout = `select set_config('lock_timeout', '600000', false)`;
const attachLockTimeout = `select set_config('lock_timeout', '5000', false)`;

/** The names come from the catalogue, quoted by the server. */
async function indexPartition(db: pg.Pool, { table, index, isWhole }: Partition): Promise<void> {
  await db.query(buildLockTimeout);
  if (isWhole === false) await db.query(`drop index concurrently ${index}`);
  if (isWhole !== true) {
    await db.query(
      `create index concurrently ${index} on ${table} using brin (at) with (pages_per_range = 32, autosummarize = on)`,
    );
  }
  await db.query(attachLockTimeout);
  await db.query(`alter index events_at_idx attach partition ${index}`);
}
