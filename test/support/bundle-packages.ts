import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const lockFile = join(modules, '../package-lock.json');

/**
 * What is imported, here or by another package, of packages that are made of very many modules. Jest loads every module
 * anew for each test file, and these were most of what it loaded.
 */
const imports = [
  'kysely',
  'kysely/migration',
  'typebox',
  'typebox/compile',
  'typebox/error',
  'typebox/format',
  'typebox/guard',
  'typebox/schema',
  'typebox/system',
  'typebox/type',
  'typebox/value',
];

/**
 * Bundles them into a few files, in a fifth of a second, unless that has been done for these versions before.
 * @returns Jest's `moduleNameMapper` for them: the tests import the same code, in fewer files
 */
export async function bundlePackages(): Promise<Record<string, string>> {
  const asked = createHash('sha256')
    .update(readFileSync(lockFile))
    .update(readFileSync(import.meta.filename));
  const folder = join(modules, '.cache/qurable-tests', asked.digest('hex').slice(0, 16));
  if (!existsSync(folder)) await bundleInto(folder);
  return { '^((kysely|typebox)(/.+)?)$': join(folder, '$1.mjs') };
}

/** Another run may do the same at the same time: each moves a whole folder into place. */
async function bundleInto(folder: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const made = mkdtempSync(`${folder}-`);
  await build({
    entryPoints: imports.map((name) => ({ in: name, out: name })),
    absWorkingDir: dirname(modules),
    outdir: made,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    tsconfigRaw: {},
    logLevel: 'error',
  });
  try {
    renameSync(made, folder);
  } catch {
    // It is there already, and the same.
    rmSync(made, { recursive: true });
  }
}
