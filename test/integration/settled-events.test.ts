import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { openPool } from '../../core/db/pool.ts';
import { countEvents, countTask } from '../../core/events/count-events.ts';
import { settleEvents, settleTask } from '../../core/events/settled-events.ts';
import { makeStride } from '../../core/events/stride.ts';
import { assignCoupon, createBook, generateCodes, readReport } from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { patiently } from '../support/patiently.ts';
import { countAll, settleAll } from '../support/settle-all.ts';
import { waitForLockWait } from '../support/wait-for-lock.ts';

let testCore: TestCore;
let bookId: string;
beforeAll(async () => {
  testCore = await openTestCore('settled-events');
  const { core } = testCore;
  bookId = (await createBook(core, admin, { name: 'Settled', status: 'active' }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 100_000, pattern: 'STTL-########' }, null);
});
afterAll(() => testCore.close());

let stalled: pg.Client;
beforeEach(async () => {
  stalled = new pg.Client(testCore.database.url);
  await stalled.connect();
});
afterEach(async () => {
  await stalled.end();
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
});

const settle = () => settleEvents(testCore.core);
const assign = (userId: string) => assignCoupon(testCore.core, admin, { bookId, userId });
const count = () => countAll(testCore.core);
async function counted(): Promise<number> {
  await count();
  const { rows } = await testCore.core.pool.query<{ sum: number }>(
    'select coalesce(sum(assigned), 0)::int as sum from event_counts',
  );
  return rows[0]!.sum;
}
const clock = async () =>
  (await testCore.core.pool.query<{ now: Date }>('select clock_timestamp() as now')).rows[0]!.now.getTime();

test('events are settled once all that runs beside them is over, and counted once however often they are counted', async () => {
  await assign('u-1');
  await settleAll(testCore.core);
  const first = await counted();
  expect(first).toBe(1);
  expect(await counted()).toBe(1);
});

test('a transaction that stalls between its clock and COMMIT delays the moment, and its event is not lost', async () => {
  await assign('u-2');
  const before = await counted();
  await stalled.query('begin');
  // As every operation does: a lock first, which gives the transaction its id, then the clock.
  await stalled.query('select from dealers for no key update');
  const { rows } = await stalled.query<{ now: Date }>(`select date_trunc('milliseconds', clock_timestamp()) as now`);
  const at = rows[0]!.now;
  for (let round = 0; round < 5; round += 1) {
    await settle();
    await count();
  }
  expect((await settle())!.getTime()).toBeLessThanOrEqual(at.getTime());
  // One coupon of before gets an event at the moment of the stalled transaction.
  await stalled.query(
    `insert into events (tenant_id, deck_id, pos, rev, at, kind, holder_id, redemptions, fence, actor)
      select tenant_id, deck_id, pos, 999, $1, 2, holder_id, redemptions, fence, actor from events where kind = 1 limit 1`,
    [at],
  );
  await stalled.query('commit');
  await settleAll(testCore.core);
  expect((await settle())!.getTime()).toBeGreaterThan(at.getTime());
  await count();
  const locks = await testCore.core.pool.query<{ sum: number }>('select sum(locked)::int as sum from event_counts');
  expect(locks.rows[0]!.sum).toBe(1);
  expect(await counted()).toBeGreaterThanOrEqual(before);
  await testCore.core.pool.query('delete from events where rev = 999');
  await testCore.core.pool.query('update event_counts set locked = 0');
});

test('the moment never goes back, and a candidate of another cluster is dropped', async () => {
  await settle();
  const reached = (await settle())!;
  const { pool } = testCore.core;
  await pool.query(`update settled_events set candidate_until = '2001-01-01', candidate_xid = '3'`);
  expect((await settle())!.getTime()).toBe(reached.getTime());
  await pool.query(`update settled_events set candidate_until = 'infinity', candidate_xid = '9000000000000'`);
  expect((await settle())!.getTime()).toBe(reached.getTime());
  await settle();
  expect((await settle())!.getTime()).toBeGreaterThanOrEqual(reached.getTime());
});

test('a candidate is left until it is 800 ms old, by whichever process it was set, unless it is from the future', async () => {
  const now = '2031-01-01T00:00:10.000Z';
  await stalled.query('create schema frozen');
  await stalled.query(
    `create function frozen.now() returns timestamptz language sql as $$ select timestamptz '${now}' $$`,
  );
  // So no pause of the machine decides how old a candidate is.
  const openFrozen = () =>
    new pg.Pool({
      connectionString: testCore.database.url,
      max: 1,
      options: '-c search_path=frozen,pg_catalog,public',
    });
  const pools = [openFrozen(), openFrozen()];
  const kept = await stalled.query('select * from settled_events');
  // Whoever tries to settle a candidate writes its row anew, also where a transaction of another database keeps it.
  const version = async () =>
    (await stalled.query<{ xmin: string }>('select xmin::text from settled_events')).rows[0]!.xmin;
  /** Whether one process tries to settle a candidate that another one has set so many milliseconds ago. */
  const isTried = async (ageMillis: number | null): Promise<boolean> => {
    const at = ageMillis === null ? null : new Date(Date.parse(now) - ageMillis);
    await stalled.query(
      `update settled_events set candidate_until = $1::timestamptz,
        candidate_xid = case when $1::timestamptz is not null then pg_current_xact_id() end`,
      [at],
    );
    const before = await version();
    for (const backgroundPool of pools) {
      expect(await settleTask({ backgroundPool }).run(new AbortController().signal)).toBe('rest');
    }
    return (await version()) !== before;
  };
  const ages = [0, 799, 800, 60_000, -1, -60_000, null];
  const found: [number | null, boolean][] = [];
  for (const age of ages) found.push([age, await isTried(age)]);
  await Promise.all(pools.map((pool) => pool.end()));
  await stalled.query('drop schema frozen cascade');
  const { settled_until, candidate_until, candidate_xid } = kept.rows[0];
  await stalled.query('update settled_events set settled_until = $1, candidate_until = $2, candidate_xid = $3', [
    settled_until,
    candidate_until,
    candidate_xid,
  ]);
  expect(found).toEqual([
    [0, false],
    [799, false],
    [800, true],
    [60_000, true],
    [-1, true],
    [-60_000, true],
    [null, true],
  ]);
});

test('a candidate of ids that are yet to come, as after a dump, is dropped', async () => {
  expect(await settle()).not.toBeNull();
  await testCore.core.pool.query(
    `update settled_events set candidate_until = 'infinity', candidate_xid = '9000000000000'`,
  );
  const reached = await settle();
  expect(reached!.getTime()).toBeLessThan(await clock());
  const { rows } = await stalled.query<{ at: Date; xid: string }>(
    'select candidate_until as at, candidate_xid::text as xid from settled_events',
  );
  expect(rows[0]!.at.getTime()).toBeLessThanOrEqual(await clock());
  expect(rows[0]!.xid).not.toBe('9000000000000');
});

test('processes that settle and count at once, under load, count each event once', async () => {
  const other = await testCore.openAnother();
  let isOver = false;
  const rounds = [testCore.core, other].map(async (core) => {
    while (!isOver) {
      // A task that waited too long for the other's row comes again, as it does in the background.
      await patiently(() => settleEvents(core));
      await patiently(() => countEvents(core));
    }
  });
  await Promise.all(Array.from({ length: 300 }, (_, index) => patiently(() => assign(`many-${index}`))));
  isOver = true;
  await Promise.all(rounds);
  await settleAll(testCore.core);
  expect(await counted()).toBe(302);
});

test('a process that is killed while it counts leaves nothing half done, and another one counts the events once', async () => {
  const before = await counted();
  await assign('killed');
  await settleAll(testCore.core);
  await stalled.query('begin');
  await stalled.query('lock table event_counts in share mode');
  // It waits for the lock for as long as it takes to see it waiting.
  const backgroundPool = openPool(
    { connectionString: testCore.database.url },
    {
      max: 1,
      applicationName: 'to be killed',
      onError: () => {},
      lockTimeoutMillis: 60_000,
      statementTimeoutMillis: 60_000,
    },
  );
  const killed = countEvents({ backgroundPool });
  killed.catch(() => {});
  await waitForLockWait(stalled, 1, killed);
  await stalled.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'to be killed' and wait_event_type = 'Lock'`,
  );
  await expect(killed).rejects.toMatchObject({ code: '57P01' });
  await stalled.query('commit');
  await backgroundPool.end();
  const other = await testCore.openAnother();
  await Promise.all([other, testCore.core].map((core) => patiently(() => countEvents(core))));
  expect(await counted()).toBe(before + 1);
});

test('a stretch that takes longer than a statement may is counted in shorter ones', async () => {
  await settleAll(testCore.core);
  await count();
  await stalled.query(
    `update counted_events set counted_until = (select settled_until from settled_events) - interval '10 minutes'`,
  );
  // As many events as take so long, from one minute on.
  await stalled.query(`create function take_long() returns trigger language plpgsql as $$ begin
    if new.counted_until - old.counted_until > interval '1 minute' then perform pg_sleep(30); end if; return new; end $$`);
  await stalled.query('create trigger slow before update on counted_events for each row execute function take_long()');
  await stalled.query('delete from event_counts');
  const backgroundPool = new pg.Pool({ connectionString: testCore.database.url, max: 1, statement_timeout: 1_000 });
  const { run } = countTask({ backgroundPool });
  const { signal } = new AbortController();
  let failures = 0;
  for (let found: string | null = 'more'; found !== 'rest'; ) {
    found = await run(signal).catch(() => {
      failures += 1;
      return null;
    });
    expect(failures).toBeLessThan(20);
  }
  expect(failures).toBeGreaterThan(0);
  await backgroundPool.end();
  await stalled.query('drop function take_long cascade');
  // What lies before the ten minutes is counted again, for the tests behind this one.
  await stalled.query('delete from event_counts');
  await stalled.query(
    `update counted_events set counted_until = (select settled_until from settled_events) - interval '1 day'`,
  );
  await count();
});

test('a day in which next to nothing happened is counted in a few stretches', async () => {
  await settleAll(testCore.core);
  await stalled.query('delete from event_counts');
  await stalled.query(
    `update counted_events set counted_until = (select settled_until from settled_events) - interval '1 day'`,
  );
  const { run } = countTask(testCore.core);
  let stretches = 1;
  while ((await run(new AbortController().signal)) === 'more') stretches += 1;
  expect(stretches).toBeLessThan(12);
});

test('behind a stretch with many events the next one is left until it is some seconds long, and behind one with few it is not', async () => {
  const kept = await stalled.query('select * from settled_events, counted_events');
  const second = (seconds: number) => new Date(Date.UTC(2031, 5, 2) + seconds * 1_000);
  const settledUntil = (seconds: number) =>
    stalled.query('update settled_events set settled_until = $1', [second(seconds)]);
  const happen = (events: number, seconds: number) =>
    stalled.query(
      `insert into events (tenant_id, deck_id, pos, rev, at, kind, redemptions, fence, actor)
        select tenant_id, deck_id, pos, 1, $2, 7, 0, 0, 'test' from decks, generate_series(1, $1) pos`,
      [events, second(seconds)],
    );
  const { run } = countTask(testCore.core);
  const counted = async () => {
    while ((await run(new AbortController().signal)) === 'more');
    const { rows } = await stalled.query(
      `select counted_until as until, (select sum(voided)::int from event_counts where at >= '2031-06-01') as voided
        from counted_events`,
    );
    return [(rows[0].until.getTime() - second(0).getTime()) / 1_000, rows[0].voided];
  };
  await stalled.query('update counted_events set counted_until = $1', [second(0)]);
  await happen(2_000, 0.5);
  await settledUntil(1);
  expect(await counted()).toEqual([1, 2_000]);
  await happen(10, 1.5);
  await settledUntil(4.9);
  expect(await counted()).toEqual([1, 2_000]);
  await settledUntil(5);
  expect(await counted()).toEqual([5, 2_010]);
  await happen(1, 5.5);
  await settledUntil(5.6);
  expect(await counted()).toEqual([5.6, 2_011]);
  await stalled.query(`delete from events where actor = 'test'`);
  await stalled.query(`delete from event_counts where at >= '2031-06-01'`);
  await stalled.query(`update settled_events set settled_until = $1`, [kept.rows[0].settled_until]);
  await stalled.query(`update counted_events set counted_until = $1`, [kept.rows[0].counted_until]);
});

describe('the index of times, behind a stretch that ends at a moment of a year to come', () => {
  const { signal } = new AbortController();
  const busy = 2_000;
  let kept: { settled: Date; counted: Date };
  beforeEach(async () => {
    await settleAll(testCore.core);
    await count();
    const { rows } = await stalled.query(
      'select settled_until as settled, counted_until as counted from settled_events, counted_events',
    );
    kept = rows[0];
  });
  afterEach(async () => {
    await move(kept.counted, kept.settled);
    await stalled.query(`delete from events where actor = 'test'`);
  });

  const move = async (counted: Date | string, settled: Date | string) => {
    await stalled.query(
      'with c as (update counted_events set counted_until = $1) update settled_events set settled_until = $2',
      [counted, settled],
    );
  };
  const countedUntil = async () =>
    (await stalled.query<{ at: Date }>('select counted_until as at from counted_events')).rows[0]!.at.toISOString();
  /** So many pages of events at a moment, of a deck that is none: no report counts them. */
  let rev = 0;
  const happen = async (at: string, events = 20_000) => {
    rev += 1;
    await stalled.query(
      `insert into events (tenant_id, deck_id, pos, rev, at, kind, redemptions, fence, actor)
        select 1, 1000000, pos, $1, $2, 7, 0, 0, 'test' from generate_series(1, $3) pos`,
      [rev, at, events],
    );
  };
  /** Months whose index nobody else enters anything into. */
  const makeMonths = async (...months: string[]) => {
    for (const month of months) {
      await stalled.query(`select create_event_partitions('${month.replace('_', '-')}-01T00:00:00Z', 1)`);
      await stalled.query(`alter table events_${month} set (autovacuum_enabled = off)`);
      await stalled.query(`alter index events_${month}_at_idx set (autosummarize = off)`);
    }
  };
  /** How many stretches of pages are not in the index of a month, which has them all afterwards. */
  const countMissing = async (month: string) => {
    const { rows } = await stalled.query<{ missing: number }>(
      `select brin_summarize_new_values('events_${month}_at_idx') as missing`,
    );
    return rows[0]!.missing;
  };
  const from = '2032-01-31T23:59:00.000Z';
  const until = '2032-02-01T00:01:00.000Z';

  test('many events: all that is new is in it, of both months where the stretch lies in two', async () => {
    await makeMonths('2032_01', '2032_02');
    await happen('2032-01-31T23:59:30Z');
    await happen('2032-02-01T00:00:30Z');
    await move(from, until);
    expect(await countTask(testCore.core).run(signal)).toBe('rest');
    expect(await countedUntil()).toBe(until);
    expect([await countMissing('2032_01'), await countMissing('2032_02')]).toEqual([0, 0]);
  });

  test('few events: nothing is entered, and autovacuum does it some time', async () => {
    await makeMonths('2032_01', '2032_02');
    await happen('2032-01-01T00:00:00Z');
    await happen('2032-01-31T23:59:30Z', 10);
    await move(from, until);
    expect(await countTask(testCore.core).run(signal)).toBe('rest');
    expect(await countedUntil()).toBe(until);
    expect(await countMissing('2032_01')).toBeGreaterThan(0);
  });

  test('a month without a partition, or with one whose index is not made yet, has nothing to enter, and is counted', async () => {
    await happen('2033-01-31T23:59:30Z', busy);
    await makeMonths('2033_02');
    await stalled.query('alter index events_2033_02_at_idx rename to of_another_name');
    await happen('2033-02-01T00:00:30Z', busy);
    await move('2033-01-31T23:59:00Z', '2033-02-01T00:01:00Z');
    expect(await countTask(testCore.core).run(signal)).toBe('rest');
    expect(await countedUntil()).toBe('2033-02-01T00:01:00.000Z');
    await stalled.query('alter index of_another_name rename to events_2033_02_at_idx');
  });

  // A minute, since without a bound of its own the wait has no end.
  test('whoever holds the table, as autovacuum does, is not waited for, and stops neither the count nor the task', async () => {
    await makeMonths('2032_01', '2032_02');
    await happen('2032-01-31T23:59:30Z');
    await move(from, until);
    // Nothing else ends a wait for a lock here.
    const backgroundPool = new pg.Pool({ connectionString: testCore.database.url, max: 1 });
    const { run } = countTask({ backgroundPool });
    await stalled.query('begin');
    await stalled.query('lock table events_2032_01 in share update exclusive mode');
    expect(await run(signal)).toBe('rest');
    await stalled.query('commit');
    expect(await countedUntil()).toBe(until);
    expect(await countMissing('2032_01')).toBeGreaterThan(0);
    await move(until, '2032-02-01T00:05:00Z');
    expect(await run(signal)).toBe('rest');
    expect(await countedUntil()).toBe('2032-02-01T00:05:00.000Z');
    await backgroundPool.end();
  }, 60_000);
});

test('where stretches are shorter than what is gathered, because there is so much, all that is settled is counted and indexed', async () => {
  const rules = { firstMillis: 1_000, leastMillis: 1_000, mostMillis: 1_000, wantedEvents: 1_000 };
  const stride = makeStride({ ...rules, gatherMillis: 4_000, busyEvents: 1 });
  const kept = await stalled.query('select * from settled_events, counted_events');
  const move = (settled: string, counted: string) =>
    stalled.query(
      `with s as (update settled_events set settled_until = $1) update counted_events set counted_until = $2`,
      [settled, counted],
    );
  await stalled.query(`select create_event_partitions('2031-07-10', 1)`);
  await stalled.query(
    `insert into events (tenant_id, deck_id, pos, rev, at, kind, redemptions, fence, actor)
      select 1, 1000000, pos, 1, '2031-07-02 10:00Z'::timestamptz + pos * interval '1 ms', 7, 0, 0, 'test'
      from generate_series(0, 1999) pos`,
  );
  const until = async () => (await stalled.query('select counted_until as until from counted_events')).rows[0].until;
  await move('2031-07-02 10:00:01Z', '2031-07-02 10:00Z');
  expect(await countEvents(testCore.core, stride)).toBe('rest');
  await move('2031-07-02 10:00:02Z', '2031-07-02 10:00:01Z');
  expect(await countEvents(testCore.core, stride)).toBe('rest');
  const reached = await until();
  await stalled.query('delete from events where deck_id = 1000000');
  await move(kept.rows[0].settled_until, kept.rows[0].counted_until);
  expect(reached).toEqual(new Date('2031-07-02T10:00:02Z'));
});

test('another process that holds the row is not waited for', async () => {
  await stalled.query('begin');
  await stalled.query('select from settled_events, counted_events for update');
  expect(await settle()).toBeNull();
  expect(await countEvents(testCore.core)).toBe('rest');
  await stalled.query('rollback');
});

test('a stretch of events is found by its time, and the others of the month are not read for it', async () => {
  const { backgroundPool } = testCore.core;
  const kept = await stalled.query('select * from settled_events, counted_events');
  await stalled.query(`select create_event_partitions('2031-05-10', 1)`);
  await stalled.query(
    `insert into events (tenant_id, deck_id, pos, rev, at, kind, redemptions, fence, actor)
      select 1, 1000000, pos, 1, '2031-05-02'::timestamptz + pos * interval '1 second', 7, 0, 0, 'test'
      from generate_series(1, 100000) pos`,
  );
  await stalled.query(`select brin_summarize_new_values('events_2031_05_at_idx')`);
  await stalled.query('analyze events');
  const move = (settled: string, counted: string) =>
    stalled.query(
      `with s as (update settled_events set settled_until = $1) update counted_events set counted_until = $2`,
      [settled, counted],
    );
  await move('2031-05-02 10:10Z', '2031-05-02 10:00Z');
  const { rows: before } = await backgroundPool.query('select pg_stat_reset()');
  expect(before).toHaveLength(1);
  expect(await countEvents({ backgroundPool })).toBe('rest');
  // Of this backend alone, and of the statements that it has run so far.
  const read = async () => {
    const { rows } = await stalled.query<{ scans: number; read: number }>(
      `select (select idx_scan::int from pg_stat_user_indexes where indexrelname = 'events_2031_05_at_idx') as scans,
        (select idx_scan::int from pg_stat_user_indexes where indexrelname = 'events_2031_05_pkey') as read`,
    );
    return rows[0]!;
  };
  let seen = await read();
  for (let tries = 0; tries < 600 && seen.scans + seen.read === 0; tries += 1) {
    await backgroundPool.query('select pg_stat_force_next_flush()');
    await stalled.query('select pg_sleep(0.1), pg_stat_clear_snapshot()');
    seen = await read();
  }
  expect(seen).toEqual({ scans: 1, read: 0 });
  await stalled.query('delete from events where deck_id = 1000000');
  await move(kept.rows[0].settled_until, kept.rows[0].counted_until);
});

const stallSeconds = process.env.QURABLE_TEST_LONG === '1' ? 30 : 2;
test(
  `a transaction that stays open for ${stallSeconds} s with an event in it delays the moment, and neither its event nor anybody's beside it is lost`,
  async () => {
    const { pool } = testCore.core;
    const { code } = (await assign('patient')).body;
    await stalled.query('begin');
    await stalled.query('select from coupons where code = $1 for no key update', [code]);
    const { rows } = await stalled.query<{ at: Date }>(`select date_trunc('milliseconds', clock_timestamp()) as at`);
    const at = rows[0]!.at;
    // A lock, as a batch writes one.
    await stalled.query(
      `with locked as (
          update coupons set rev = rev + 1, fence = fence + 1, lock_expires_at = $2::timestamptz + interval '1 minute 1 microsecond'
          where code = $1 returning *)
        insert into events (tenant_id, deck_id, pos, rev, at, kind, holder_id, redemptions, fence, lock_expires_at, actor)
        select tenant_id, deck_id, pos, rev, $2, 2, holder_id, redemptions, fence, lock_expires_at, 'root' from locked`,
      [code, at],
    );
    let beside = 0;
    while ((await clock()) - at.getTime() < stallSeconds * 1_000) {
      await Promise.all([0, 1, 2, 3].map((n) => patiently(() => assign(`beside-${beside}-${n}`))));
      beside += 1;
      expect((await settle())!.getTime()).toBeLessThanOrEqual(at.getTime());
      await count();
      const { rows: reached } = await pool.query<{ until: Date }>('select counted_until as until from counted_events');
      expect(reached[0]!.until.getTime()).toBeLessThanOrEqual(at.getTime());
      await sleep(100);
    }
    await stalled.query('commit');
    await settleAll(testCore.core);
    await count();
    const sums = await pool.query(
      `select sum(assigned)::int as assigned, sum(locked)::int as locked from event_counts
        union all
        select count(*) filter (where kind = 1)::int, count(*) filter (where kind = 2)::int from events`,
    );
    expect(sums.rows[0]).toEqual(sums.rows[1]);
    expect(sums.rows[0].locked).toBe(1);
    const ofBook = await readReport(testCore.core, admin, bookId, { step: 'hour' });
    expect(ofBook.data.reduce((sum, { locked }) => sum + locked, 0)).toBe(1);
    expect(Date.parse(ofBook.settledUntil)).toBeGreaterThan(at.getTime());
  },
  60_000 + stallSeconds * 1_000,
);
