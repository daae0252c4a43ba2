import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bareEnvironment } from '../../support/bare-environment.ts';

/** How a command of the Serverless Framework ended. */
export type ServerlessRun = {
  ok: boolean;
  /** Everything that it printed. */
  output: string;
  seconds: number;
};

/** Half a minute on two busy cores: this only ends what hangs. */
const longestMillis = 900_000;

/**
 * Node's flag by which `sls` takes a function's bundle that the run has made before. What a test starts that runs `sls`
 * by itself gets it as NODE_OPTIONS.
 */
export const keepBundles = `--import=${new URL('keep-bundles.ts', import.meta.url).href}`;

/**
 * Runs `sls` in a directory, with an account's address and invented credentials, or without either.
 * @param endpointUrl the emulator's; null: nothing of AWS can be reached, not even by accident
 */
export async function runServerless(
  directory: string,
  args: string[],
  endpointUrl: string | null,
): Promise<ServerlessRun> {
  const started = performance.now();
  const sls = join(directory, 'node_modules/serverless/bin/serverless.js');
  const aws =
    endpointUrl === null
      ? { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_EC2_METADATA_DISABLED: 'true' }
      : { AWS_ENDPOINT_URL: endpointUrl, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const child = spawn(process.execPath, [keepBundles, sls, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestMillis,
    env: {
      ...bareEnvironment(),
      HOME: directory,
      CI: '1',
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
      // Each time it reads all the events of the stack.
      SLS_AWS_MONITORING_FREQUENCY: '1000',
      ...aws,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data.toString();
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { ok: code === 0, output, seconds: (performance.now() - started) / 1000 };
}
