import type { Log } from '../../core/index.ts';
import type { DrillInstances } from './drill-instances.ts';
import { sweepInstances } from './sweep-instances.ts';

/** What was begun. Moments are ISO 8601. */
export interface Begun {
  instance: string;
  beganAt: string;
  /** The newest moment that could be restored, and is. */
  restoreTo: string;
}

/** RDS takes a moment before the newest one, and not that itself. */
const beforeNewestMillis = 1_000;

/**
 * Deletes what earlier drills left, and has the newest moment of the stage's database restored into an instance of the
 * drill's own. The stage's instance is only read about. A repeat goes on with the instance that is being made.
 */
export async function beginDrill(
  instances: DrillInstances,
  drill: { instance: string; beganAt: number; nowMillis: number },
  log: Log,
): Promise<Begun> {
  await sweepInstances(instances, drill.nowMillis, log);
  const { restorableTo } = await instances.readSource();
  const restoreTo = restorableTo - beforeNewestMillis;
  await instances.restore(drill.instance, restoreTo, drill.beganAt);
  const begun = {
    instance: drill.instance,
    beganAt: new Date(drill.beganAt).toISOString(),
    restoreTo: new Date(restoreTo).toISOString(),
  };
  log.info(begun, 'a drill has begun to restore');
  return begun;
}
