import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = '/sys/fs/cgroup';
/** As container runtimes set it. */
const periodMicros = 100_000;

/**
 * Gives a process a share of one processor, as a task of a container service has it: what it has not used by the end of
 * a period is lost, and when it has used all it stands still until the next one.
 * @param share of one processor, above 0
 * @returns what takes the limit away, once the process has ended; null where this machine does not let us set one
 */
export function limitProcessor(pid: number, share: number): (() => void) | null {
  const quotaMicros = Math.round(share * periodMicros);
  const isUnified = existsSync(join(root, 'cgroup.controllers'));
  const directory = join(root, isUnified ? '' : 'cpu', `qurable-bench-${pid}`);
  try {
    if (isUnified) writeFileSync(join(root, 'cgroup.subtree_control'), '+cpu');
    mkdirSync(directory, { recursive: true });
    const limits = isUnified
      ? { 'cpu.max': `${quotaMicros} ${periodMicros}` }
      : { 'cpu.cfs_period_us': String(periodMicros), 'cpu.cfs_quota_us': String(quotaMicros) };
    for (const [file, value] of Object.entries({ ...limits, 'cgroup.procs': String(pid) })) {
      writeFileSync(join(directory, file), value);
    }
    return removeOf(directory);
  } catch {
    removeOf(directory)();
    return null;
  }
}

/** A group's files go with its directory, which goes only when no process is in it. */
function removeOf(directory: string): () => void {
  return () => {
    if (existsSync(directory)) rmdirSync(directory);
  };
}
