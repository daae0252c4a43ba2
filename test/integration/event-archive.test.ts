import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import type { ArchiveStore } from '../../core/archive/archive-store.ts';
import { dropMonth } from '../../core/archive/drop-month.ts';
import { type EventMonth, listEventMonths, settledMoment } from '../../core/archive/event-months.ts';
import { exportEvents } from '../../core/archive/export-events.ts';
import { importMonth } from '../../core/archive/import-month.ts';
import { readManifest } from '../../core/archive/manifest.ts';
import { verifyEvents } from '../../core/archive/verify-events.ts';
import { openPool } from '../../core/db/pool.ts';
import { makeArchive, makePastEvents } from '../support/event-archive.ts';
import { openTestCore, type TestCore } from '../support/open-test-core.ts';

/** Each test has a month of its own, so that none finds what another one left. */
let testCore: TestCore;
let pool: pg.Pool;
const archives: { remove(): void }[] = [];

beforeAll(async () => {
  testCore = await openTestCore('event archive');
  pool = openPool({ connectionString: testCore.database.url }, { max: 4, applicationName: 'test', onError: () => {} });
});
afterAll(async () => {
  for (const archive of archives) archive.remove();
  await pool.end();
  await testCore.close();
});

function archive() {
  const made = makeArchive();
  archives.push(made);
  return made;
}

function run(
  store: ArchiveStore,
  more: { keepMonths?: number; includesOpenMonth?: boolean; rowsOfFile?: number } = {},
) {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  return exportEvents(pool, store, { keepMonths: null, includesOpenMonth: false, rowsOfFile: 30, ...more, say }).then(
    () => said,
  );
}

async function rowsOf({ table }: EventMonth): Promise<string[]> {
  const { rows } = await pool.query<{ row: string }>(
    `select (to_jsonb(e) - 'reason')::text as row from ${table} e order by tenant_id, deck_id, pos, rev`,
  );
  return rows.map(({ row }) => row);
}

async function forget(...months: EventMonth[]) {
  for (const { table } of months) await pool.query(`drop table if exists ${table}`);
}

describe('the archive of events', () => {
  test('a month that is over is exported, removed and brought back as it was, to the microsecond', async () => {
    const { store } = archive();
    const month = await makePastEvents(pool, 5, 101);
    const before = await rowsOf(month);
    expect(await run(store)).toEqual([expect.stringContaining(`${month.month}: 101 events in 4 files`)]);
    expect(await run(store)).toEqual([]);
    expect(await run(store, { keepMonths: 4 })).toEqual([expect.stringContaining('removed from the database')]);
    expect((await listEventMonths(pool)).map(({ table }) => table)).not.toContain(month.table);
    expect(await importMonth(pool, store, month)).toBe(101);
    expect(await rowsOf(month)).toEqual(before);
    expect(await importMonth(pool, store, month)).toBe(0);
    await verifyEvents(pool, store, null, () => {});
    await forget(month);
  });

  test('months that are wanted stay, and without a number of months all do', async () => {
    const { store } = archive();
    const old = await makePastEvents(pool, 4, 10);
    const kept = await makePastEvents(pool, 3, 10);
    await run(store);
    expect((await listEventMonths(pool)).map(({ table }) => table)).toEqual(
      expect.arrayContaining([old.table, kept.table]),
    );
    await run(store, { keepMonths: 3 });
    const tables = (await listEventMonths(pool)).map(({ table }) => table);
    expect(tables).not.toContain(old.table);
    expect(tables).toContain(kept.table);
    await forget(kept);
  });

  test('a flipped bit, a lost file and a changed manifest are refused in one line, and nothing is brought back', async () => {
    const { folder, store } = archive();
    const month = await makePastEvents(pool, 6, 100);
    await run(store);
    await forget(month);
    const file = join(folder, month.month, '00002.ndjson.gz');
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[40]! ^= 1;
    const refused = async (words: RegExp) => {
      for (const work of [importMonth(pool, store, month), verifyEvents(pool, store, null, () => {})])
        await expect(work).rejects.toThrow(words);
      expect((await pool.query('select to_regclass($1) as there', [month.table])).rows).toEqual([{ there: null }]);
    };
    writeFileSync(file, bad);
    await refused(
      /^\S*00002\.ndjson\.gz is not what was exported: its checksum does not fit the manifest\. Put it back.*$/,
    );
    writeFileSync(file, good.subarray(0, 50));
    await refused(/00002\.ndjson\.gz is not what was exported/);
    const manifest = join(folder, month.month, 'manifest.json');
    const text = readFileSync(manifest, 'utf8');
    writeFileSync(file, good);
    writeFileSync(manifest, text.replace('"rows": 100', '"rows": 99'));
    await refused(/manifest\.json was changed after the export: its checksum does not fit/);
    writeFileSync(manifest, 'not JSON');
    await refused(/manifest\.json is no manifest/);
    writeFileSync(manifest, text);
    expect(await importMonth(pool, store, month)).toBe(100);
    await forget(month);
  });

  test('an export that is broken off goes on after its last file, and is complete only at its end', async () => {
    const { store } = archive();
    const month = await makePastEvents(pool, 7, 100);
    let files = 0;
    const written: string[] = [];
    const breaking: ArchiveStore = {
      ...store,
      async put(path, bytes) {
        if (path.endsWith('.gz') && ++files > 2) throw new Error('the machine went away');
        written.push(path);
        await store.put(path, bytes);
      },
    };
    await expect(run(breaking)).rejects.toThrow('went away');
    expect((await readManifest(store, month.month))!.complete).toBe(false);
    await expect(verifyEvents(pool, store, month.month, () => {})).rejects.toThrow('was broken off');
    await expect(dropMonth(pool, store, month)).rejects.toThrow('was broken off');
    const went = await run({
      ...store,
      put: (path, bytes) => {
        written.push(path);
        return store.put(path, bytes);
      },
    });
    expect(went).toEqual([expect.stringContaining('goes on after 60 events'), expect.stringContaining('100 events')]);
    expect(written.filter((path) => path.endsWith('.gz'))).toHaveLength(4);
    await forget(month);
  });

  test('a month is not removed if its export lacks an event, or differs in one', async () => {
    const { store } = archive();
    const month = await makePastEvents(pool, 8, 40);
    await run(store);
    await pool.query(`update ${month.table} set redemptions = 7 where pos = 3 and rev = 1`);
    await expect(run(store, { keepMonths: 3 })).rejects.toThrow(`is not what the database has of ${month.month}`);
    await pool.query(`update ${month.table} set redemptions = 0 where pos = 3 and rev = 1`);
    await pool.query(`delete from ${month.table} where pos = 19 and rev = 2`);
    await expect(run(store, { keepMonths: 3 })).rejects.toThrow(`is not what the database has of ${month.month}`);
    expect(await rowsOf(month)).toHaveLength(39);
    await forget(month);
  });

  test('a removal that was broken off is finished by the next run', async () => {
    const { store } = archive();
    const month = await makePastEvents(pool, 9, 10);
    await run(store);
    await pool.query(`alter table events detach partition ${month.table}`);
    expect(await run(store)).toEqual([expect.stringContaining('the removal that was broken off is finished')]);
    expect((await pool.query('select to_regclass($1) as there', [month.table])).rows).toEqual([{ there: null }]);
  });

  test('no reason that somebody wrote is in the archive', async () => {
    const { folder, store } = archive();
    const month = await makePastEvents(pool, 10, 20);
    await run(store);
    const files = readdirSync(join(folder, month.month)).filter((name) => name.endsWith('.gz'));
    const text = files.map((name) => gunzipSync(readFileSync(join(folder, month.month, name))).toString()).join('');
    expect(text.split('\n')).toHaveLength(21);
    expect(text).not.toContain('reason');
    await forget(month);
  });

  test('the month that is not over is exported up to a settled moment, in place of its last such export', async () => {
    const { folder, store } = archive();
    await pool.query(
      `insert into events (tenant_id, deck_id, pos, rev, at, kind, redemptions, fence, actor)
        select 1, 2, n, 1, clock_timestamp() - interval '1 second', 1, 0, 0, 'root' from generate_series(1, 50) n`,
    );
    await run(store, { includesOpenMonth: true });
    await run(store, { includesOpenMonth: true });
    const open = join(folder, 'open');
    for (const month of readdirSync(open)) {
      const manifest = (await readManifest(store, `open/${month}`))!;
      expect(readdirSync(join(open, month)).sort()).toEqual(
        [...manifest.files.map(({ path }) => path.split('/').at(-1)!), 'manifest.json'].sort(),
      );
    }
    await verifyEvents(pool, store, null, () => {});
    await pool.query('delete from events where deck_id = 2');
  });

  test('events of a transaction that is still running hold an export up, and it says so', async () => {
    const writer = await pool.connect();
    await writer.query('begin');
    await writer.query('select pg_current_xact_id()');
    const waiting = await settledMoment(pool, 300).catch((error: unknown) => error);
    await writer.query('commit');
    writer.release();
    expect(waiting).toMatchObject({ message: expect.stringContaining('a transaction has been running for a minute') });
    // Transactions of other tests' databases hold it up as well.
    await expect(settledMoment(pool, 240_000)).resolves.toMatch(/^\d{4}-/);
  });

  test('the export of another database is refused', async () => {
    const { store } = archive();
    const month = await makePastEvents(pool, 11, 10);
    await run(store);
    const other = await openTestCore('event archive other');
    await other.core.pool.query('update tenants set id = gen_random_uuid()');
    const otherPool = openPool(
      { connectionString: other.database.url },
      { max: 2, applicationName: 'test', onError: () => {} },
    );
    await expect(importMonth(otherPool, store, month)).rejects.toThrow('are of another database');
    await otherPool.end();
    await other.close();
    await forget(month);
  });

  test('events of a month without a partition are told, and neither exported nor removed', async () => {
    const { store } = archive();
    const at = '2001-01-31T00:00:00Z';
    await pool.query(
      `insert into events (tenant_id, deck_id, pos, rev, at, kind, redemptions, fence, actor)
        select 1, 1, pos, 1, $1, 1, 0, 0, 'root' from generate_series(1, 3) as pos`,
      [at],
    );
    const said = await run(store, { keepMonths: 3 });
    expect(said[0]).toBe(
      '3 events lie outside of every month (events_default): a clock was off, or their month had no partition when they were written. They are neither exported nor removed',
    );
    expect((await store.list()).filter((path) => path.startsWith('2001'))).toEqual([]);
    expect((await pool.query('delete from events where at = $1', [at])).rowCount).toBe(3);
  });

  test('of two exports at a time, one is refused', async () => {
    const { store } = archive();
    const results = await Promise.allSettled([run(store), run(store)]);
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused.map((result) => (result as PromiseRejectedResult).reason.message)).toEqual(
      refused.map(() => expect.stringContaining('another export of events is running')),
    );
    expect(refused.length).toBeLessThan(2);
  });
});
