import { describe, expect, test } from '@jest/globals';
import { silentLog } from '../../core/log.ts';
import type { RestoredAnswers } from '../../core/restore/ask-restored.ts';
import { beginDrill } from '../../handlers/drill/begin-drill.ts';
import type { DrillInstances, Instance } from '../../handlers/drill/drill-instances.ts';
import { lookAtRestore } from '../../handlers/drill/look-at-restore.ts';
import { makeDrillReport } from '../../handlers/drill/make-report.ts';
import { instanceName, readStep } from '../../handlers/drill/read-step.ts';
import { removeInstance } from '../../handlers/drill/remove-instance.ts';
import { sweepInstances } from '../../handlers/drill/sweep-instances.ts';
import { watchDrills } from '../../handlers/drill/watch-drills.ts';

const hour = 3_600_000;
const now = Date.parse('2026-12-08T07:00:00Z');
const drill = { instance: 'qurable-prod-drill-0a1b', beganAt: now, nowMillis: now };

/** An account with these instances. It keeps what it was asked to do. */
function accountOf(...there: Instance[]): DrillInstances & { done: string[] } {
  const done: string[] = [];
  return {
    done,
    readSource: async () => ({ createdAt: now - 24 * hour, restorableTo: now - 240_000 }),
    restore: async (name, to) => void done.push(`restore ${name} ${new Date(to).toISOString()}`),
    find: async (name) => there.find((instance) => instance.name === name) ?? null,
    list: async () => there,
    remove: async (name) => {
      if (there.find((instance) => instance.name === name)?.status === 'creating')
        throw new Error('InvalidDBInstanceState');
      done.push(`remove ${name}`);
    },
  };
}

function instance(name: string, ageHours: number, status = 'available'): Instance {
  return { name, status, address: { host: 'copy.example', port: 5432 }, drillBeganAt: now - ageHours * hour };
}

describe('a step', () => {
  test('is read as the state machine and the schedule say it', () => {
    expect(readStep({ step: 'watch' })).toMatchObject({ name: 'watch', state: {} });
    expect(readStep({ step: 'look', run: 'a', beganAt: '2026-12-08T07:00:00.123Z', state: {} })).toMatchObject({
      name: 'look',
      beganAt: now + 123,
    });
  });

  test.each([[null], [{}], [{ step: 'restore' }], [{ step: 'begin' }], [{ step: 'begin', run: 'a', beganAt: 'soon' }]])(
    'that makes no sense is refused: %j',
    (event) => {
      expect(() => readStep(event)).toThrow(/^(step|run and beganAt) must be/);
    },
  );

  test('names one instance for all of its run, as RDS takes names, whatever the execution is called', () => {
    for (const run of ['7f0c1c9e-41f2-4b6e-9d7b-0a1b2c3d4e5f', 'By hand_ - 1', 'x'.repeat(80)]) {
      const name = instanceName('qurable-prod-drill-', run);
      expect(name).toMatch(/^[a-z](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$/);
      expect(instanceName('qurable-prod-drill-', run)).toBe(name);
    }
    expect(instanceName('a-', 'one')).not.toBe(instanceName('a-', 'two'));
  });
});

describe('a drill', () => {
  test('restores a moment that RDS has, and sweeps what an earlier one left', async () => {
    const account = accountOf(instance('qurable-prod-drill-old', 25));
    expect(await beginDrill(account, drill, silentLog)).toEqual({
      instance: drill.instance,
      beganAt: '2026-12-08T07:00:00.000Z',
      restoreTo: '2026-12-08T06:55:59.000Z',
    });
    expect(account.done).toEqual([
      'remove qurable-prod-drill-old',
      `restore ${drill.instance} 2026-12-08T06:55:59.000Z`,
    ]);
  });

  test('waits for what is being made, and says where it is', async () => {
    const looked = (status: string, nowMillis = now) =>
      lookAtRestore(accountOf(instance(drill.instance, 0, status)), { ...drill, nowMillis });
    expect(await looked('creating')).toEqual({ status: 'creating', isReady: false, host: null, port: null });
    expect(await looked('backing-up')).toMatchObject({ isReady: false });
    expect(await looked('available')).toEqual({ status: 'available', isReady: true, host: 'copy.example', port: 5432 });
    await expect(looked('incompatible-parameters')).rejects.toThrow('RDS says incompatible-parameters');
    await expect(looked('creating', now + 7 * hour)).rejects.toThrow('is not restored after six hours');
    await expect(lookAtRestore(accountOf(), drill)).rejects.toThrow('is not there');
  });

  test('deletes its instance once, and says so where it can’t yet, so that it is tried again', async () => {
    const account = accountOf(instance(drill.instance, 0));
    expect(await removeInstance(account, drill.instance)).toEqual({ removed: drill.instance });
    expect(account.done).toEqual([`remove ${drill.instance}`]);
    const going = accountOf(instance(drill.instance, 0, 'deleting'));
    await removeInstance(going, drill.instance);
    expect(going.done).toEqual([]);
    expect(await removeInstance(accountOf(), drill.instance)).toEqual({ removed: null });
    await expect(removeInstance(accountOf(instance(drill.instance, 0, 'creating')), drill.instance)).rejects.toThrow();
  });
});

describe('the sweep', () => {
  test('deletes what is a day old, leaves what may be in use, and goes on where one can’t be deleted', async () => {
    const account = accountOf(
      instance('stuck', 30, 'creating'),
      instance('old', 24),
      instance('running', 23),
      instance('going', 48, 'deleting'),
      { ...instance('unmarked', 48), drillBeganAt: null },
    );
    expect(await sweepInstances(account, now, silentLog)).toEqual(['old']);
    expect(account.done).toEqual(['remove old']);
  });
});

describe('the days since a good drill', () => {
  const metricsInto = (kept: [string, number][]): Parameters<typeof watchDrills>[4] => ({
    addMetric(name, _unit, value) {
      kept.push([name, value]);
      return this as never;
    },
  });

  test('are those of the newest report that says yes; before the first, those of the database', async () => {
    const kept: [string, number][] = [];
    const reports = (newest: number | null) => ({ keep: async () => '', readNewestGood: async () => newest });
    await watchDrills(accountOf(), reports(now - 41 * 24 * hour), now, silentLog, metricsInto(kept));
    await watchDrills(accountOf(), reports(null), now, silentLog, metricsInto(kept));
    expect(kept).toEqual([
      ['DaysSinceGoodDrill', 41],
      ['DaysSinceGoodDrill', 1],
    ]);
  });
});

describe('the report', () => {
  const begun = {
    instance: drill.instance,
    beganAt: '2026-12-08T07:00:00.000Z',
    restoreTo: '2026-12-08T06:55:59.000Z',
  };
  const asked: RestoredAnswers = {
    answeredAt: now + 1_200_000,
    schemaVersion: 11,
    neededSchemaVersion: 11,
    newestEventAt: '2026-12-08T06:55:58.000Z',
    marks: {
      lines: 20,
      missing: 0,
      from: '2026-12-08T06:41:00.000Z',
      to: '2026-12-08T07:05:00.000Z',
      compared: 3,
      beyond: 0,
    },
    invariants: { asked: 44, broken: [], unanswered: [], leftOut: [], next: null },
  };
  const report = (state: object) => makeDrillReport({ ...drill, run: 'a', state });

  test('says yes where nothing speaks against it, and how long it took and how far behind it was', () => {
    expect(report({ begun, asked })).toMatchObject({ good: true, against: [], rpoSeconds: 241, rtoSeconds: 1200 });
  });

  test('says no where a promise is broken, a step failed, the instance is left, or nothing was asked', () => {
    const failed = { Error: 'Error', Cause: '{"errorType":"Error","errorMessage":"RDS says failed","trace":["x"]}' };
    const invariants = { ...asked.invariants, broken: [{ name: '3d', rows: 2 }] };
    expect(report({ begun, asked: { ...asked, invariants } }).against).toEqual(['broken by 2 rows: 3d']);
    expect(report({ begun, failed })).toMatchObject({ good: false, against: ['RDS says failed'], rtoSeconds: null });
    expect(report({ failed: { Error: 'States.Timeout' } }).against).toEqual(['States.Timeout']);
    expect(report({ begun, asked, notRemoved: failed }).against).toEqual([
      `the instance ${drill.instance} is not deleted: RDS says failed`,
    ]);
    expect(report({}).against).toEqual(['nothing was asked']);
  });
});
