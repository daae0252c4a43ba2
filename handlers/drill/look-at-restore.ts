import type { DrillInstances } from './drill-instances.ts';

/** How a restore stands. */
export interface Restore {
  status: string;
  isReady: boolean;
  /** Null until it is ready. */
  host: string | null;
  port: number | null;
}

/** A restore that takes longer is given up: a terabyte is there in less. */
const restoreMaxMillis = 6 * 3_600_000;

/**
 * Looks whether the drill's instance can be asked.
 * @throws Error where it never will be: it is gone, RDS has given it up, or it takes longer than six hours
 */
export async function lookAtRestore(
  instances: DrillInstances,
  drill: { instance: string; beganAt: number; nowMillis: number },
): Promise<Restore> {
  const found = await instances.find(drill.instance);
  if (found === null) throw new Error(`the instance ${drill.instance} is not there`);
  const { status, address } = found;
  if (/^(failed|incompatible-.*|inaccessible-.*|storage-full|deleting|restore-error)$/.test(status))
    throw new Error(`the instance ${drill.instance} can not be restored: RDS says ${status}`);
  if (status === 'available' && address !== null) return { status, isReady: true, ...address };
  if (drill.nowMillis - drill.beganAt > restoreMaxMillis)
    throw new Error(`the instance ${drill.instance} is not restored after six hours: RDS says ${status}`);
  return { status, isReady: false, host: null, port: null };
}
