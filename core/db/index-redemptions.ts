import type pg from 'pg';
import type { Log } from '../log.ts';
import type { Queryable } from './pool.ts';
import { loggable } from './sql-errors.ts';

/**
 * Indexes by which lists of redemptions are read, each in the order of ids, which is that of time. None of them begins
 * with the plain tenant, as the primary key does: so for each look-up one index fits, and no other fits in part.
 * Measured, the first costs the database 1 to 2 µs of each redeem, and the second 4 µs more where it has a reference,
 * by a hash of it as much; a redeem takes some 200 µs of processors.
 */
const indexes = {
  /** A deck is of one tenant. */
  redemptions_deck_idx: '(deck_id, id)',
  /** With the tenant as `ofTenant` compares it. */
  redemptions_reference_idx: '(reference collate "C", (tenant_id::oid), id) where reference is not null',
};

/** An index that lists of redemptions are read by. */
export type RedemptionIndex = keyof typeof indexes;

/** Whether an index is there and whole. On a database that was large before, it may still be built. */
export async function isRedemptionIndexWhole(db: Queryable, index: RedemptionIndex): Promise<boolean> {
  const { rows } = await db.query({
    name: 'is-redemption-index-whole',
    text: 'select from pg_index where indexrelid = to_regclass($1) and indisvalid',
    values: [index],
  });
  return rows.length > 0;
}

/**
 * Builds the indexes of redemptions that are not there, beside whoever writes into the table, which no transaction of a
 * migration can do. It goes on where an earlier run was cut off. What fails is logged, and tried again by the next run:
 * until then lists look through more redemptions and have shorter pages, and miss nothing.
 * @param db a pool of one connection, the migrations'
 */
export async function indexRedemptions(db: pg.Pool, log: Log): Promise<void> {
  try {
    for (const [index, columns] of Object.entries(indexes)) await build(db, index as RedemptionIndex, columns);
  } catch (error) {
    log.error({ error: loggable(error) }, 'could not index the redemptions; the next migration tries again');
  }
}

async function build(db: pg.Pool, index: RedemptionIndex, columns: string): Promise<void> {
  const { rows } = await db.query<{ isThere: boolean }>(
    `select to_regclass('${index}') is not null as "isThere" from to_regclass('redemptions') as t where t is not null`,
  );
  if (rows.length === 0 || (await isRedemptionIndexWhole(db, index))) return;
  // Building an index waits for the running transactions, and delays nobody meanwhile.
  await db.query(`select set_config('lock_timeout', '600000', false)`);
  if (rows[0]!.isThere) await db.query(`drop index concurrently ${index}`);
  await db.query(`create index concurrently ${index} on redemptions ${columns}`);
}
