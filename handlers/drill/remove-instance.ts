import type { DrillInstances } from './drill-instances.ts';

/**
 * Has the drill's instance deleted, whether its drill went well or not. A repeat changes nothing.
 * @throws Error where RDS can't delete it yet, as while it is being made
 */
export async function removeInstance(instances: DrillInstances, name: string): Promise<{ removed: string | null }> {
  const found = await instances.find(name);
  if (found === null) return { removed: null };
  if (found.status !== 'deleting') await instances.remove(name);
  return { removed: name };
}
