import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { bareEnvironment } from './bare-environment.ts';
import { apiProgram } from './bundle-api.ts';
import { testSecrets } from './open-test-core.ts';

/** An API in a process of its own. */
export interface ApiProcess {
  /** Such as `http://127.0.0.1:41234`. */
  readonly address: string;
  readonly process: ChildProcess;
  /** Sends a signal and waits for the end; SIGTERM drains. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts `count` API processes on one database, each on a free port, and waits until they listen. */
export function startApiProcesses(
  databaseUrl: string,
  count: number,
  environment: Record<string, string> = {},
): Promise<ApiProcess[]> {
  return Promise.all(Array.from({ length: count }, () => startApiProcess(databaseUrl, environment)));
}

/** Starts one API process. Rejects with what it wrote when it ends before it listens. */
export async function startApiProcess(
  databaseUrl: string,
  environment: Record<string, string> = {},
): Promise<ApiProcess> {
  const child = spawn(process.execPath, [await apiProgram()], {
    env: {
      ...bareEnvironment(),
      DATABASE_URL: databaseUrl,
      HOST: '127.0.0.1',
      PORT: '0',
      ...testSecrets,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Whatever ends the tests ends the children: nothing may stay running.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const address = await waitForAddress(child);
  return {
    address,
    process: child,
    stop: async (signal = 'SIGKILL') => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

async function waitForAddress(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  child.stderr!.on('data', (data: Buffer) => said.push(data.toString()));
  const lines = createInterface({ input: child.stdout! });
  const listening = new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      said.push(line);
      if (said.length > 50) said.shift();
      const address = /"address":"(http:[^"]+)".*"listening"/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`an API process ended before it listened: ${said.join('\n')}`);
  });
  return Promise.race([listening, ended]);
}
