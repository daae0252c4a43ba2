import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalRedis } from '../../containers/local/local-redis.ts';

/** A Redis for tests. */
export type TestRedis = {
  url: string;
  port: number;
  /** Ends the server at once (SIGKILL), as a crash would, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops the server where it is: what is sent to it stays without an answer until `goOn`. */
  stall(): void;
  goOn(): void;
  /** Stops the server and deletes its log. May be called twice, and after `kill`. */
  stop(): Promise<void>;
};

/**
 * Starts a Redis of a test's own from the redis-server or valkey-server on the PATH. It is gone when this process ends,
 * however it ends.
 *
 * @param options `maxMemory` as Redis writes sizes ("6mb"), `policy` for when it is full (`allkeys-lru` when left out),
 * and `port` to come back where an earlier one was.
 * @returns null on a machine without either; say so with `requireOrSkip`.
 */
export async function startTestRedis(
  options: { maxMemory?: string; policy?: string; port?: number } = {},
): Promise<TestRedis | null> {
  const directory = mkdtempSync(join(tmpdir(), 'qurable-redis-'));
  const redis = await startLocalRedis({ ...options, logFile: join(directory, 'redis.log'), ephemeralRoot: directory });
  if (redis === null) {
    rmSync(directory, { recursive: true });
    return null;
  }
  const { url, port, pid, exited } = redis;
  const kill = async (): Promise<void> => {
    process.kill(pid, 'SIGKILL');
    await exited;
  };
  return {
    url,
    port,
    kill,
    stall: () => void process.kill(pid, 'SIGSTOP'),
    goOn: () => void process.kill(pid, 'SIGCONT'),
    stop: redis.stop,
  };
}
