import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { BuildOptions } from 'esbuild';

const folder = fileURLToPath(new URL('..', import.meta.url));

/** Where the built console is, and where the API looks for it. */
export const builtConsole = join(folder, 'dist');

/** Where its pages find their files. */
const assetsPath = '/console/assets/';

/**
 * What a build is made of beside the console's own folder: the types that it shares with the API leave nothing in it,
 * but the packages do, and their versions stand in the lockfile.
 */
const lockFile = join(folder, '../../package-lock.json');

/**
 * Builds the console anew where a source is newer than what was built, in well under a second. Another process that
 * builds at the same time makes the same files, and the last one to finish puts its own in place.
 * @returns whether it built
 */
export async function buildConsoleIfStale(): Promise<boolean> {
  if (!isStale()) return false;
  await buildConsole();
  return true;
}

/**
 * Builds the console into `dist/`: every file named by what is in it, so that browsers may keep it for ever, with a
 * compressed copy for each way of compressing, and the page that names them.
 */
export async function buildConsole(): Promise<void> {
  // Loaded here alone: where the console is built already, there need be no esbuild.
  const { build, stop } = await import('esbuild');
  const shared = {
    absWorkingDir: folder,
    outdir: 'dist/assets',
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    target: ['es2023', 'chrome120', 'firefox121', 'safari17.5'],
    charset: 'utf8',
    legalComments: 'none',
    // What esbuild needs of it stands here already, and in the image there is none.
    tsconfigRaw: {},
    metafile: true as const,
    write: false as const,
  } satisfies BuildOptions;
  const results = await Promise.all([
    build({
      ...shared,
      entryPoints: {
        main: 'main.tsx',
        en: 'messages/en.ts',
        es: 'messages/es.ts',
        console: 'styles/console.css',
        icon: 'icon.svg',
      },
      // The languages, of which a browser needs one, share what they count with.
      format: 'esm',
      splitting: true,
      chunkNames: 'part-[hash]',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      loader: { '.svg': 'copy' },
      define: { 'process.env.NODE_ENV': '"production"' },
    }),
    // It must run before the page is drawn, so it is no module, and shares no file with one.
    build({ ...shared, entryPoints: { 'first-paint': 'first-paint.ts' }, format: 'iife' }),
  ]);
  // Its own process would stay as long as this one.
  await stop();
  const entries = results
    .flatMap(({ metafile }) => Object.entries(metafile.outputs))
    .filter(([path, { entryPoint }]) => entryPoint !== undefined && !basename(path).startsWith('part-'));
  // `main-K3J2.js` of `dist/assets/main-K3J2.js` is what the page calls `main.js`.
  const manifest = Object.fromEntries(entries.map(([path]) => [nameWithoutHash(basename(path)), basename(path)]));
  const files = results.flatMap(({ outputFiles }) => outputFiles);
  writeAll(files, manifest);
}

function nameWithoutHash(name: string): string {
  const ending = extname(name);
  return `${name.slice(0, name.lastIndexOf('-'))}${ending}`;
}

function writeAll(files: { path: string; contents: Uint8Array }[], manifest: Record<string, string>): void {
  const draft = `${builtConsole}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  for (const { path, contents } of files) writeCompressed(join(draft, 'assets', basename(path)), contents);
  const page = readFileSync(join(folder, 'index.html'), 'utf8')
    .split(/\{\{|\}\}/)
    // What stood in double braces is every other piece.
    .map((piece, at) => (at % 2 === 0 ? piece : assetsPath + nameIn(manifest, piece)))
    .join('');
  writeCompressed(join(draft, 'index.html'), Buffer.from(page));
  writeFileSync(join(draft, 'manifest.json'), JSON.stringify(manifest, null, 2));
  rmSync(builtConsole, { recursive: true, force: true });
  try {
    renameSync(draft, builtConsole);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Another process was faster, with the same files.
    if (isStale()) throw error;
  }
}

function nameIn(manifest: Record<string, string>, name: string): string {
  const hashed = manifest[name];
  if (hashed === undefined) throw new Error(`The console’s page names ${name}, which is not built`);
  return hashed;
}

function writeCompressed(path: string, content: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  const size = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params: size }));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}

function isStale(): boolean {
  const built = statSync(join(builtConsole, 'manifest.json'), { throwIfNoEntry: false });
  if (built === undefined) return true;
  const sources = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(builtConsole))
    .map((entry) => join(entry.parentPath, entry.name));
  return [...sources, lockFile].some(
    (path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > built.mtimeMs,
  );
}
