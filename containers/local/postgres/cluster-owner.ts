import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { inspectProcess } from '../machine/inspect-process.ts';

type OwnerRecord = { pid: number; startedAt: string };

/**
 * Notes beside the data directory that this process uses its server. It is written only once the server is up: of two
 * starts at once PostgreSQL's own lock on the directory decides, and the loser must change nothing.
 */
export function writeClusterOwner(dataDirectory: string): void {
  const record: OwnerRecord = { pid: process.pid, startedAt: inspectProcess(process.pid)?.startedAt ?? '' };
  const unfinished = `${ownerFile(dataDirectory)}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(record), { mode: 0o600 });
  renameSync(unfinished, ownerFile(dataDirectory));
}

/**
 * Finds the process that uses the server on the data directory.
 *
 * @returns its process id, or null when it is gone (a later process with the same id does not count).
 */
export function readClusterOwner(dataDirectory: string): number | null {
  try {
    const record = JSON.parse(readFileSync(ownerFile(dataDirectory), 'utf8')) as OwnerRecord;
    return inspectProcess(record.pid)?.startedAt === record.startedAt ? record.pid : null;
  } catch {
    return null;
  }
}

function ownerFile(dataDirectory: string): string {
  return `${dataDirectory}.owner.json`;
}
