import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { hasHugePages } from '../database/huge-pages.ts';
import { postgresSettings } from '../database/postgres-settings.ts';
import { runProgram } from '../load/run-program.ts';
import { median } from './median.ts';

/** What the figures were measured on. */
export interface Machine {
  processor: string;
  processors: number;
  memoryGigabytes: number;
  kernel: string;
  node: string;
  postgres: string;
  wrk: string;
  /** Milliseconds to write 8 kB and flush them to the disk that the database is on. */
  flushMillis: number;
  /** Runnable processes of the last minute, at the start of the run: above the processors, others were busy too. */
  loadAtStart: number;
  settings: Record<string, string>;
}

/**
 * Describes the machine.
 * @param postgresPid of the server's first process
 * @param directory lies on the database's disk
 */
export async function describeMachine(client: Client, postgresPid: number, directory: string): Promise<Machine> {
  const version = await client.query<{ server_version: string }>('show server_version');
  const wrk = await runProgram(['wrk', '-v']).catch((error: Error) => ({ output: error.message }));
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    postgres: version.rows[0]!.server_version,
    wrk: /wrk \S*?(\d[\w.]*)/.exec(wrk.output)?.[1] ?? 'unknown',
    flushMillis: measureFlush(directory),
    loadAtStart: loadavg()[0]!,
    settings: { ...postgresSettings, 'pages of shared memory': hasHugePages(postgresPid) ? '2MB' : '4kB' },
  };
}

function measureFlush(directory: string): number {
  const path = join(directory, 'flush');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(8_192, 1);
  const millis = Array.from({ length: 50 }, () => {
    const began = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  rmSync(path);
  return median(millis);
}
