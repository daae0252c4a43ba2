import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { silentLog } from '../../core/log.ts';
import { readRetention, readRun } from '../../handlers/snapshot/read-run.ts';
import {
  chooseExpired,
  findOfRun,
  isOwn,
  type Snapshot,
  snapshotName,
} from '../../handlers/snapshot/snapshot-rules.ts';
import type { SnapshotStore } from '../../handlers/snapshot/snapshot-store.ts';
import { takeSnapshots } from '../../handlers/snapshot/take-snapshots.ts';

const day = 86_400_000;
const now = Date.parse('2026-11-27T06:00:00Z');
const prefix = 'qurable-prod';

function snapshot(age: number, changes: Partial<Snapshot> = {}): Snapshot {
  const at = new Date(now - age * day);
  return {
    name: snapshotName(prefix, 'daily', at, `run${age}`),
    createdMillis: at.getTime(),
    available: true,
    tagged: true,
    ...changes,
  };
}

describe('a snapshot’s name', () => {
  test('says stage, kind, day and run, and is the same for every attempt of a run', () => {
    const id = '7f0c1c9e-41f2-4b6e-9d7b-0a1b2c3d4e5f';
    expect(snapshotName(prefix, 'deploy', new Date(now), id)).toBe('qurable-prod-deploy-20261127-2c3d4e5f');
    expect(snapshotName(prefix, 'deploy', new Date(now + 1), id)).toBe(
      snapshotName(prefix, 'deploy', new Date(now), id),
    );
  });

  test.each(['a_b', 'Qurable', 'qurable--prod', '-qurable', 'qurable-prod-with-a-very-long-name'])(
    'that ElastiCache would refuse is refused: prefix %s',
    (bad) => expect(() => snapshotName(bad, 'daily', new Date(now), 'run')).toThrow('at most 40 characters'),
  );
});

describe('what snapshot takes for its own', () => {
  test.each([
    ['without its tag', snapshot(1, { tagged: false })],
    ['of another stage', snapshot(1, { name: 'qurable-dev-daily-20261126-run1' })],
    ['of a stage whose name begins alike', snapshot(1, { name: 'qurable-prod2-daily-20261126-run1' })],
    ['of another kind', snapshot(1, { name: 'qurable-prod-deploy-20261126-run1' })],
    ['named otherwise', snapshot(1, { name: 'qurable-prod-daily-before-the-move' })],
  ])('is nothing %s', (_what, foreign) => expect(isOwn(foreign, prefix, 'daily')).toBe(false));

  test('is what carries its tag and its kind of name', () => expect(isOwn(snapshot(1), prefix, 'daily')).toBe(true));
});

describe('the retention', () => {
  const retention = { days: 14, keepLeast: 3, keepMost: 20 };

  test('deletes what is older than its days, but for the newest three', () => {
    const own = [1, 2, 15, 16, 17].map((age) => snapshot(age));
    expect(chooseExpired(own, retention, now)).toEqual([own[3]!.name, own[4]!.name]);
  });

  test('keeps the last three however old they are', () => {
    expect(
      chooseExpired(
        [100, 200, 300].map((age) => snapshot(age)),
        retention,
        now,
      ),
    ).toEqual([]);
  });

  test('keeps no more than the account has room for, the newest ones', () => {
    const own = Array.from({ length: 25 }, (_, index) => snapshot(index / 100));
    expect(chooseExpired(own, retention, now)).toHaveLength(5);
  });

  test('neither counts nor deletes a snapshot that is not complete', () => {
    const making = snapshot(0, { available: false });
    const own = [making, ...[20, 21, 22].map((age) => snapshot(age))];
    expect(chooseExpired(own, retention, now)).toEqual([]);
  });

  test('of any set leaves min(all, three) complete ones at least and keepMost at most', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 60 }), (ages) => {
        const own = ages.map((age, index) => snapshot(age, { name: `n${index}` }));
        const left = own.length - chooseExpired(own, retention, now).length;
        expect(left).toBeGreaterThanOrEqual(Math.min(own.length, 3));
        expect(left).toBeLessThanOrEqual(20);
      }),
    );
  });
});

describe('a run', () => {
  /** A store in memory, which says what was asked of it. */
  function store(what: string, list: Snapshot[], calls: string[], failing = ''): SnapshotStore {
    const doing = (verb: string) => async (name: string) => {
      calls.push(`${what} ${verb} ${name}`);
      if (verb === failing) throw new Error(`${verb} refused`);
    };
    return {
      what,
      holdsHints: what === 'cache',
      list: async () => list,
      create: doing('create'),
      remove: doing('remove'),
    };
  }

  const run = {
    kind: 'daily',
    run: 'today',
    prefix,
    retention: { days: 14, keepLeast: 1, keepMost: 20 },
    nowMillis: now,
  } as const;

  test('makes its snapshot and deletes the expired ones, but nobody else’s', async () => {
    const calls: string[] = [];
    const list = [snapshot(1), snapshot(15), snapshot(16, { tagged: false })];
    const report = await takeSnapshots([store('database', list, calls)], run, silentLog);
    expect(calls).toEqual(['database create qurable-prod-daily-20261127-today', `database remove ${list[1]!.name}`]);
    expect(report).toEqual({ database: { name: 'qurable-prod-daily-20261127-today', deleted: [list[1]!.name] } });
  });

  test('that is repeated makes nothing more, also after midnight', async () => {
    const calls: string[] = [];
    const made = snapshot(0, { name: 'qurable-prod-daily-20261127-today', available: false });
    const report = await takeSnapshots([store('cache', [made], calls)], { ...run, nowMillis: now + day }, silentLog);
    expect(calls).toEqual([]);
    expect(report).toMatchObject({ cache: { name: made.name } });
    expect(findOfRun([made], 'today')).toBe(made);
  });

  test('whose snapshot is refused deletes nothing there, still serves the other store, and fails saying where and why', async () => {
    const calls: string[] = [];
    const old = [snapshot(1), snapshot(15)];
    const stores = [store('database', old, calls, 'create'), store('cache', [], calls)];
    await expect(takeSnapshots(stores, run, silentLog)).rejects.toThrow('no snapshot of the database: create refused');
    expect(calls).toEqual([
      'database create qurable-prod-daily-20261127-today',
      'cache create qurable-prod-daily-20261127-today',
    ]);
  });

  test('whose snapshot of the cache is refused goes on with a warning: it holds hints', async () => {
    const calls: string[] = [];
    const warned: unknown[] = [];
    const log = { ...silentLog, warn: (fields: object) => void warned.push(fields) };
    const stores = [store('cache', [], calls, 'create'), store('database', [], calls)];
    expect(await takeSnapshots(stores, run, log)).toEqual({
      cache: { failed: 'create refused' },
      database: { name: 'qurable-prod-daily-20261127-today', deleted: [] },
    });
    expect(warned).toEqual([{ store: 'cache', failed: 'create refused' }]);
  });

  test('that can not delete an expired snapshot goes on', async () => {
    const calls: string[] = [];
    const report = await takeSnapshots(
      [store('database', [snapshot(1), snapshot(15)], calls, 'remove')],
      run,
      silentLog,
    );
    expect(report).toMatchObject({ database: { deleted: [] } });
  });
});

describe('what a run is told', () => {
  test('comes from the event, from CloudFormation’s properties, or is Lambda’s request, which a retry repeats', () => {
    expect(readRun({ kind: 'deploy', run: 'abc' }, 'request')).toEqual({ kind: 'deploy', run: 'abc' });
    const properties = { ResourceProperties: { Kind: 'deploy', Run: 'abc' } };
    expect(readRun(properties, 'request')).toEqual({ kind: 'deploy', run: 'abc' });
    expect(readRun({}, 'request')).toEqual({ kind: 'daily', run: 'request' });
    expect(() => readRun({ kind: 'weekly' }, 'request')).toThrow('kind must be daily or deploy');
  });

  test('of the retention is refused where it is not a number in its range', () => {
    expect(readRetention({})).toEqual({ days: 14, keepLeast: 3, keepMost: 20 });
    expect(() => readRetention({ SNAPSHOT_KEEP_LEAST: '0' })).toThrow('SNAPSHOT_KEEP_LEAST');
    expect(() => readRetention({ SNAPSHOT_RETENTION_DAYS: '1e3' })).toThrow('SNAPSHOT_RETENTION_DAYS');
  });
});
