import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a PostgreSQL server writes about itself into its data directory. */
export type PostmasterFile = { pid: number; port: number; ready: boolean };

/**
 * Reads postmaster.pid: line 1 is the process id, line 4 the port, line 8 the state ("starting", "ready", "stopping").
 * The server writes it in steps, so everything after the first line may still be missing.
 *
 * @returns null when there is no such file or it holds no process id.
 */
export function readPostmasterFile(dataDirectory: string): PostmasterFile | null {
  let text: string;
  try {
    text = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8');
  } catch {
    return null;
  }
  const lines = text.split('\n');
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return { pid, port: Number.parseInt(lines[3] ?? '', 10), ready: lines[7]?.trim() === 'ready' };
}
