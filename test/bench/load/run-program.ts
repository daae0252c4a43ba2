import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cpuSecondsOfEndedChildren } from '../figures/cpu-seconds.ts';

/** What a program left behind. */
export interface ProgramEnd {
  output: string;
  /** Wall clock. */
  seconds: number;
  /** CPU of the program alone, as long as nothing else that this process started ended meanwhile. */
  cpuSeconds: number;
}

/** How a program is started. */
export interface ProgramOptions {
  environment?: Record<string, string>;
  /** Processors to stay on, as `taskset -c` takes them; null: all. */
  processors?: string | null;
}

/** Whether the PATH holds a program. */
export function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Runs a program to its end. It ends with this process however that ends, kill -9 included, where the machine has
 * setpriv. Rejects with everything that it wrote when its exit code is not 0.
 */
export async function runProgram(command: string[], options: ProgramOptions = {}): Promise<ProgramEnd> {
  const leash = hasProgram('setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : [];
  const pin = options.processors ? ['taskset', '-c', options.processors] : [];
  const [file, ...args] = [...leash, ...pin, ...command];
  const cpuBefore = cpuSecondsOfEndedChildren();
  const began = performance.now();
  const child = spawn(file!, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, LC_ALL: 'C', ...options.environment },
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  process.off('exit', kill);
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${output.slice(-2_000)}`);
  return {
    output,
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: cpuSecondsOfEndedChildren() - cpuBefore,
  };
}
