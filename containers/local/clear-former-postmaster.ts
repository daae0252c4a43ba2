import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readClusterOwner } from './cluster-owner.ts';
import { EmbeddedStartError } from './embedded-start-error.ts';
import { inspectProcess } from './inspect-process.ts';
import { readPostmasterFile } from './postmaster-file.ts';

/** The supervisor of a start that was killed needs a moment to notice and to stop the server. */
const graceMs = 3_000;
/** A fast shutdown writes at most shared_buffers to disk; after this long something is wrong, and recovery is safe. */
const fastShutdownMs = 30_000;
const immediateShutdownMs = 40_000;
const pollMs = 50;

/**
 * Makes sure that no PostgreSQL of an earlier start runs on the data directory. One whose owner is alive is left alone
 * and refused; one that was left behind is waited for and then stopped; a file that speaks of a process that is gone, or
 * of one that is no PostgreSQL of this directory, stands in nobody's way.
 *
 * @throws EmbeddedStartError when another start is using the data, or when the old server does not stop.
 */
export async function clearFormerPostmaster(dataDirectory: string, log: (line: string) => void): Promise<void> {
  const began = Date.now();
  const sent = new Set<NodeJS.Signals>();
  for (let pid = runningPostmaster(dataDirectory); pid !== null; pid = runningPostmaster(dataDirectory)) {
    refuseLiveOwner(dataDirectory);
    const waitedMs = Date.now() - began;
    if (waitedMs > immediateShutdownMs) {
      throw new EmbeddedStartError(
        `The PostgreSQL of an earlier start (process ${pid}) does not stop; end it and start again.`,
      );
    }
    const signal = waitedMs > fastShutdownMs ? 'SIGQUIT' : 'SIGINT';
    if (waitedMs > graceMs && !sent.has(signal)) {
      log(`Stopping the PostgreSQL that an earlier start left behind (process ${pid}).`);
      sent.add(signal);
      signalServer(pid, signal);
    }
    await delay(pollMs);
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

/** Returns the id of the PostgreSQL that really runs on the directory, and removes a file that lies about it. */
function runningPostmaster(dataDirectory: string): number | null {
  const file = readPostmasterFile(dataDirectory);
  if (file === null) return null;
  const running = inspectProcess(file.pid);
  // A dead process's file is left to PostgreSQL, which also looks for children of it that still hold the memory.
  if (running === null) return null;
  if (running.commandLine.includes('postgres') && running.commandLine.includes(dataDirectory)) return file.pid;
  // PostgreSQL itself would take the stranger that was given the same id for its predecessor, and refuse to start.
  rmSync(join(dataDirectory, 'postmaster.pid'), { force: true });
  return null;
}
