import type { Log } from '../../core/index.ts';
import type { DrillInstances } from './drill-instances.ts';

/** A drill is over by then: the state machine ends it after 23 hours (resources/drill.yml). */
const leftAfterMillis = 24 * 3_600_000;

/**
 * Deletes instances that drills have left behind: those with a drill's name and mark that began a day ago or longer.
 * One that can't be deleted now is left for the next time, with a warning. Returns the names of those that are deleted.
 */
export async function sweepInstances(instances: DrillInstances, nowMillis: number, log: Log): Promise<string[]> {
  const swept: string[] = [];
  for (const { name, status, drillBeganAt } of await instances.list()) {
    if (status === 'deleting' || drillBeganAt === null || nowMillis - drillBeganAt < leftAfterMillis) continue;
    try {
      await instances.remove(name);
      swept.push(name);
      log.warn({ name }, 'deleted an instance that a drill had left');
    } catch (error) {
      log.warn({ name, error: String(error) }, 'an instance that a drill has left can not be deleted now');
    }
  }
  return swept;
}
