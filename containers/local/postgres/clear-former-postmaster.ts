import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedStartError } from '../machine/embedded-start-error.ts';
import { inspectProcess } from '../machine/inspect-process.ts';
import { readClusterOwner } from './cluster-owner.ts';
import { readPostmasterFile } from './postmaster-file.ts';

/** A process that was just killed may look alive until the kernel has freed its memory. */
const dyingMillis = 300;
/** The supervisor of a start that was killed needs a moment to notice and to stop the server. */
const graceMillis = 3_000;
/** A fast shutdown writes at most shared_buffers to disk. After this time something is wrong, and recovery is safe. */
const fastShutdownMillis = 30_000;
const immediateShutdownMillis = 40_000;
const pollMillis = 50;

/**
 * Makes sure that no PostgreSQL of an earlier start runs on the data directory. If its owner is alive, this start is
 * refused. If it was left behind, it is waited for and then stopped. A file about a process that is gone, or that is no
 * PostgreSQL of this directory, is removed.
 *
 * @throws EmbeddedStartError when another start is using the data, or when the old server does not stop.
 */
export async function clearFormerPostmaster(dataDirectory: string, log: (line: string) => void): Promise<void> {
  const began = performance.now();
  const sent = new Set<NodeJS.Signals>();
  for (let pid = runningPostmaster(dataDirectory); pid !== null; pid = runningPostmaster(dataDirectory)) {
    const waitedMillis = performance.now() - began;
    if (waitedMillis > dyingMillis) refuseLiveOwner(dataDirectory);
    if (waitedMillis > immediateShutdownMillis) {
      throw new EmbeddedStartError(
        `The PostgreSQL of an earlier start (process ${pid}) does not stop; end it and start again.`,
      );
    }
    const signal = waitedMillis > fastShutdownMillis ? 'SIGQUIT' : 'SIGINT';
    if (waitedMillis > graceMillis && !sent.has(signal)) {
      log(`Stopping the PostgreSQL that an earlier start left behind (process ${pid}).`);
      sent.add(signal);
      signalServer(pid, signal);
    }
    await delay(pollMillis);
  }
}

function refuseLiveOwner(dataDirectory: string): void {
  const owner = readClusterOwner(dataDirectory);
  if (owner !== null) {
    throw new EmbeddedStartError(`Qurable is already running on ${dataDirectory} (process ${owner}); stop it first.`);
  }
}

function signalServer(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return;
    throw new EmbeddedStartError(
      `The PostgreSQL of an earlier start (process ${pid}) runs as another user; end it first.`,
    );
  }
}

/** Returns the id of the PostgreSQL that really runs on the directory. Removes a file that names another process. */
function runningPostmaster(dataDirectory: string): number | null {
  const file = readPostmasterFile(dataDirectory);
  if (file === null) return null;
  const running = inspectProcess(file.pid);
  if (running?.commandLine.includes('postgres') && running.commandLine.includes(dataDirectory)) return file.pid;
  // PostgreSQL takes any process with this id for its predecessor and refuses to start, even another program or a
  // zombie. Whether the predecessor's children still use its memory it finds out by itself.
  if (isIdTaken(file.pid)) rmSync(join(dataDirectory, 'postmaster.pid'), { force: true });
  return null;
}

function isIdTaken(pid: number): boolean {
  // Without /proc and ps nobody can tell whose id it is, so the file is left to PostgreSQL.
  if (process.platform === 'win32') return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
