import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What tells one run of a process from a later one that was given the same id. */
export type InspectedProcess = {
  /** The command with its arguments, separated by single spaces. */
  commandLine: string;
  /** When the process began, in the operating system's own notation: only good for comparing. */
  startedAt: string;
};

/**
 * Looks at a running process of this machine.
 *
 * @param pid the process's id.
 * @returns null when there is no such process, when it has ended and only waits to be collected by its parent, or where
 * the operating system offers neither /proc nor ps.
 */
export function inspectProcess(pid: number): InspectedProcess | null {
  try {
    return process.platform === 'linux' ? inspectThroughProc(pid) : inspectThroughPs(pid);
  } catch {
    return null;
  }
}

function inspectThroughProc(pid: number): InspectedProcess | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  // The start time is field 22 of proc(5); `rest` begins with field 4.
  const startedAt = rest[18];
  if (startedAt === undefined) return null;
  const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  return { commandLine, startedAt };
}

function inspectThroughPs(pid: number): InspectedProcess | null {
  const line = execFileSync('ps', ['-ww', '-o', 'lstart=,command=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
  // `lstart` in the C locale is always 24 characters: "Mon Nov 24 03:42:07 2025".
  const startedAt = line.slice(0, 24);
  const commandLine = line.slice(24).trim();
  return commandLine === '' ? null : { commandLine, startedAt };
}
