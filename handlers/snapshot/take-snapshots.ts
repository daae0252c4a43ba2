import type { Log } from '../../core/index.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import { type SnapshotReport, type SnapshotRun, takeSnapshot } from './take-snapshot.ts';

/**
 * Takes a run's snapshot in every store. One that fails doesn't keep the others from theirs.
 * @throws Error naming each store that failed and why, after all have been tried
 */
export async function takeSnapshots(
  stores: readonly SnapshotStore[],
  run: SnapshotRun,
  log: Log,
): Promise<Record<string, SnapshotReport>> {
  const report: Record<string, SnapshotReport> = {};
  const failures: string[] = [];
  for (const store of stores) {
    try {
      report[store.what] = await takeSnapshot(store, run, log);
    } catch (error) {
      failures.push(`${store.what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (failures.length > 0) throw new Error(`no snapshot of the ${failures.join('; ')}`);
  return report;
}
