import type { Log } from '../../core/index.ts';
import { chooseExpired, findOfRun, isOwn, type Retention, type SnapshotKind, snapshotName } from './snapshot-rules.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** One run, by the schedule or by a deployment. */
export interface SnapshotRun {
  kind: SnapshotKind;
  /** The same for every attempt of one run. */
  run: string;
  prefix: string;
  retention: Retention;
  /** Milliseconds since the Unix epoch. */
  nowMillis: number;
}

/** The result of a run in one store. */
export interface SnapshotReport {
  name: string;
  deleted: string[];
}

/**
 * Makes a run's snapshot, unless an earlier attempt of the run has, and then deletes those of the kind whose retention
 * is over. If the new snapshot could not be asked for, nothing is deleted. An old snapshot that can't be deleted now,
 * for example because it is being restored, is left for the next run.
 */
export async function takeSnapshot(store: SnapshotStore, run: SnapshotRun, log: Log): Promise<SnapshotReport> {
  const own = (await store.list()).filter((snapshot) => isOwn(snapshot, run.prefix, run.kind));
  const earlier = findOfRun(own, run.run);
  const name = earlier?.name ?? snapshotName(run.prefix, run.kind, new Date(run.nowMillis), run.run);
  if (earlier === null) await store.create(name);
  const deleted: string[] = [];
  for (const expired of chooseExpired(own, run.retention, run.nowMillis)) {
    if (expired === name) continue;
    try {
      await store.remove(expired);
      deleted.push(expired);
    } catch (error) {
      log.warn({ name: expired, error: String(error) }, 'a snapshot past its retention could not be deleted');
    }
  }
  log.info({ what: store.what, name, repeated: earlier !== null, deleted }, 'took a snapshot');
  return { name, deleted };
}
