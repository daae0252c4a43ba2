import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build, stop } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Every function: each file of handlers/ but the one that reads their variables. */
const names = readdirSync(join(root, 'handlers'))
  .filter((file) => file.endsWith('.ts') && file !== 'environment.ts')
  .map((file) => file.slice(0, -3));
const allowedBytes = 1_000_000;
/**
 * Lambda gives the initialisation ten seconds; an import takes a third of a second of a processor, most of it the SDK.
 * What else the machine does meanwhile is not counted.
 */
const allowedMillis = 5_000;
const run = promisify(execFile);
let directory: string;

/**
 * Bundles the functions as serverless.yml does, beside the runtime's SDK and nothing else of node_modules. All at once:
 * most of what goes into each of them is the same, and is read once so.
 */
async function bundleAll(): Promise<void> {
  await build({
    entryPoints: names.map((name) => join(root, 'handlers', `${name}.ts`)),
    outdir: join(directory, 'task'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    keepNames: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['@aws-sdk/*', 'pg-native'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}

/** Milliseconds of a processor that a fresh Node takes to import a module, as a cold start does. */
async function importMillis(file: string): Promise<number> {
  const program = `const start = process.cpuUsage(); const m = await import(${JSON.stringify(pathToFileURL(file).href)});
    if (typeof m.handler !== 'function') throw new Error('no handler'); 
    const { user, system } = process.cpuUsage(start); console.log((user + system) / 1000); process.exit(0);`;
  const env = { AWS_REGION: 'us-east-1' };
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { env });
  return Number(stdout.trim().split('\n').at(-1));
}

describe('a function that starts cold', () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'qurable-bundles-'));
    mkdirSync(join(directory, 'node_modules'));
    symlinkSync(join(root, 'node_modules/@aws-sdk'), join(directory, 'node_modules/@aws-sdk'));
    await bundleAll();
  });

  afterAll(async () => {
    await stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test.each(names)(
    '%s: its bundle is below 1 MB and a fresh Node imports it, with only the SDK beside it',
    async (name) => {
      const file = join(directory, 'task', `${name}.mjs`);
      let best = await importMillis(file);
      for (let again = 0; again < 2 && best >= allowedMillis; again += 1)
        best = Math.min(best, await importMillis(file));
      process.stderr.write(
        `${name}: ${Math.round(statSync(file).size / 1024)} KiB, imported in ${Math.round(best)} ms\n`,
      );
      expect(statSync(file).size).toBeLessThan(allowedBytes);
      expect(best).toBeLessThan(allowedMillis);
    },
  );
});
