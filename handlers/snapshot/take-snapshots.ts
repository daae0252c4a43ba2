import type { Log } from '../../core/index.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import { type SnapshotReport, type SnapshotRun, takeSnapshot } from './take-snapshot.ts';

/** A store whose snapshot failed, and what it said. */
export interface SnapshotFailure {
  failed: string;
}

/**
 * Takes a run's snapshot in every store. If one store fails, the others are still done. If all of its data may be lost,
 * the failure is a warning and stands in the report.
 * @throws Error naming each other store that failed and why, after all have been tried
 */
export async function takeSnapshots(
  stores: readonly SnapshotStore[],
  run: SnapshotRun,
  log: Log,
): Promise<Record<string, SnapshotReport | SnapshotFailure>> {
  const report: Record<string, SnapshotReport | SnapshotFailure> = {};
  const failures: string[] = [];
  for (const store of stores) {
    try {
      report[store.what] = await takeSnapshot(store, run, log);
    } catch (error) {
      const failed = error instanceof Error ? error.message : String(error);
      if (!store.holdsHints) failures.push(`${store.what}: ${failed}`);
      else {
        report[store.what] = { failed };
        log.warn({ store: store.what, failed }, 'no snapshot of what holds hints');
      }
    }
  }
  if (failures.length > 0) throw new Error(`no snapshot of the ${failures.join('; ')}`);
  return report;
}
