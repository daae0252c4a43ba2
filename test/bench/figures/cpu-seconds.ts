import { readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second on every Linux that Node runs on. */
const ticksPerSecond = 100;

interface Ticks {
  own: number;
  /** Of children that have ended and were waited for. */
  reaped: number;
}

function ticksOf(pid: number | 'self'): Ticks {
  try {
    // The program's name, in parentheses, may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ').map(Number);
    return { own: fields[11]! + fields[12]!, reaped: fields[13]! + fields[14]! };
  } catch {
    return { own: 0, reaped: 0 };
  }
}

/** CPU seconds that processes have used so far, their threads included; one that is gone counts as none. */
export function cpuSecondsOf(pids: number[]): number {
  return pids.reduce((sum, pid) => sum + ticksOf(pid).own, 0) / ticksPerSecond;
}

/** CPU seconds of a process, of its children, and of those that have ended: PostgreSQL with all its backends. */
export function cpuSecondsWithChildren(pid: number): number {
  const { own, reaped } = ticksOf(pid);
  return (own + reaped) / ticksPerSecond + cpuSecondsOf(childrenOf(pid));
}

/** CPU seconds of this process's children that have ended. */
export function cpuSecondsOfEndedChildren(): number {
  return ticksOf('self').reaped / ticksPerSecond;
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Resident bytes of a process. */
export function residentBytesOf(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}
