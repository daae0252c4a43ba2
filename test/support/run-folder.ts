import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryFolder } from './memory-folder.ts';

/** Where a test run and everything that it starts put what nobody needs after it. */
export interface RunFolder {
  path: string;
  /** Deletes it with all that is in it. May be called twice. */
  remove(): void;
}

/**
 * Makes a folder for this run and says so in this process's environment, from where Jest's workers inherit it and
 * `bareEnvironment` hands it on. It stands in for /tmp, so that nothing is left there, even by programs that never
 * clean up. In it are also the caches that make starts cheap and must not outlive the sources that they came from:
 * Node's, of what it has compiled, and the Serverless Framework's, of its schema. It is gone when this process ends.
 */
export function openRunFolder(): RunFolder {
  const path = mkdtempSync(join(memoryFolder() ?? tmpdir(), 'qurable-run-'));
  const compileCache = join(path, 'compile-cache');
  mkdirSync(compileCache);
  // As /tmp is: some tests run programs as another user.
  for (const folder of [path, compileCache]) chmodSync(folder, 0o1777);
  process.env.TMPDIR = path;
  process.env.QURABLE_TEST_RUN = path;
  process.env.NODE_COMPILE_CACHE = compileCache;
  process.env.SLS_SCHEMA_CACHE_BASE_DIR = path;
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', remove);
  return { path, remove };
}
