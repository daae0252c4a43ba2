import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin, stop } from 'esbuild';
import { claimFile } from './claim-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const api = 'containers/api/main.ts';
/** Commands that tests start so often that it pays to bundle them as well. */
const commands = [
  'core/db/migrate-command.ts',
  'core/db/sql-command.ts',
  'core/restore/after-restore-command.ts',
  'operations/events/export-events-command.ts',
  'operations/events/import-events-command.ts',
  'operations/events/reconcile-command.ts',
  'operations/events/verify-events-command.ts',
] as const;

/** Packages of many modules, and what imports these. All others stay in their place: some look for files beside it. */
const bundled = [
  '@fastify/type-provider-typebox',
  'close-with-grace',
  'ioredis',
  'ipaddr.js',
  'jose',
  'kysely',
  'openid-client',
  'pg',
  'pg-copy-streams',
  'temporal-polyfill',
  'typebox',
  'undici',
];

/**
 * The API's program, for tests of what it does rather than of how it is started: its 1,900 modules in a few files. That
 * halves the processor's time of each start. The first of a test run that asks makes them, in the run's own folder.
 * Outside of one it is the program itself.
 */
export function apiProgram(): Promise<string> {
  return bundledProgram(api);
}

/** The same for a command: most of its time was the start. */
export function commandProgram(command: (typeof commands)[number]): Promise<string> {
  return bundledProgram(command);
}

async function bundledProgram(source: string): Promise<string> {
  const run = process.env.QURABLE_TEST_RUN;
  if (run === undefined) return join(root, source);
  const folder = join(run, 'api-bundle');
  const program = join(folder, 'made', source.replace(/\.ts$/, '.mjs'));
  for (;;) {
    if (existsSync(program)) return program;
    // It stays: nobody has to do it again.
    if (claimFile(`${folder}.claim`)) await bundleInto(folder);
    else await sleep(100);
  }
}

async function bundleInto(folder: string): Promise<void> {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object };
  // What a killed process has left of it.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const made = mkdtempSync(join(folder, 'making-'));
  await build({
    entryPoints: [api, ...commands],
    absWorkingDir: root,
    outbase: root,
    outdir: made,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    // Code compares the names of errors.
    keepNames: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: [...Object.keys(dependencies).filter((name) => !bundled.includes(name)), 'pg-native'],
    // Packages of CommonJS call require() for Node's own modules.
    banner: {
      js: "import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url);",
    },
    plugins: [ownAddresses],
    logLevel: 'error',
  });
  // Else esbuild's process would keep this one from ending.
  await stop();
  renameSync(made, join(folder, 'made'));
}

/** What a source finds by its own address, such as the migrations, it goes on to find. */
const ownAddresses: Plugin = {
  name: 'own addresses',
  setup({ onLoad }) {
    onLoad({ filter: /\/(core|containers|operations)\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const address = JSON.stringify(pathToFileURL(path).href);
      return { contents: text.replaceAll('import.meta.url', address), loader: 'ts' };
    });
  },
};
