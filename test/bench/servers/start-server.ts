import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../../../containers/local/machine/find-free-port.ts';
import { testSecrets } from '../../support/open-test-core.ts';
import { hasProgram, runProgram } from '../load/run-program.ts';

/** A server in a process of its own, which ends with this process however that ends. */
export interface BenchServer {
  readonly address: string;
  readonly pid: number;
  /** Seconds from its start to its first 200. */
  readonly readyAfterSeconds: number;
  stop(): Promise<void>;
}

/** What a server is started with. */
export interface ServerOptions {
  /** `api`: the product. `echo` and `redis`: the same server with other operations, see replace-operations.ts. */
  kind: 'api' | 'echo' | 'redis';
  environment: Record<string, string>;
  /** The checkout whose server it is, if not this one's. */
  checkout?: string;
  processors?: string | null;
  /** More arguments for Node, such as `--cpu-prof`. */
  nodeFlags?: string[];
}

const readyWithinSeconds = 30;
const thisCheckout = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Starts a server with the product's defaults: its log, a line a request, is made and written, to nowhere.
 */
export async function startServer(options: ServerOptions): Promise<BenchServer> {
  const port = await findFreePort();
  const address = `http://127.0.0.1:${port}`;
  const file = options.kind === 'api' ? 'api-process.ts' : 'reference-process.ts';
  const nowhere = openSync('/dev/null', 'w');
  const began = performance.now();
  const child = fork(join(options.checkout ?? thisCheckout, 'test/bench/servers', file), [options.kind], {
    execArgv: options.nodeFlags ?? [],
    stdio: ['ignore', nowhere, 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: String(port),
      ...testSecrets,
      ...options.environment,
    },
  });
  const path = options.kind === 'api' ? '/ready' : '/health';
  await waitUntilReady(child, `${address}${path}`);
  const readyAfterSeconds = (performance.now() - began) / 1000;
  if (options.processors && hasProgram('taskset')) {
    await runProgram(['taskset', '-a', '-c', '-p', options.processors, String(child.pid)]);
  }
  return { address, pid: child.pid!, readyAfterSeconds, stop: () => stop(child) };
}

async function waitUntilReady(child: ChildProcess, url: string): Promise<void> {
  const giveUpAt = performance.now() + readyWithinSeconds * 1000;
  while (performance.now() < giveUpAt) {
    if (child.exitCode !== null) throw new Error(`a server ended with ${child.exitCode} before it was ready`);
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return;
    await sleep(10);
  }
  throw new Error(`${url} was not ready within ${readyWithinSeconds} s`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
}
