import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchDatabase } from '../database/bench-database.ts';
import { median } from '../figures/median.ts';
import { runProgram } from '../load/run-program.ts';
import type { Stage } from '../stage.ts';

/** A handler's bundle. */
export interface HandlerFigures {
  name: string;
  bundleBytes: number;
  /** From the start of Node to the end of the bundle's import; null where it can't be imported outside Lambda. */
  importMillis: number | null;
}

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Seconds from an API process's start to its first 200 of /ready. */
export async function measureStart(stage: Stage, database: BenchDatabase, repeats: number): Promise<number> {
  const seconds: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const server = await stage.startApi(database);
    seconds.push(server.readyAfterSeconds);
    await server.stop();
  }
  return median(seconds);
}

/** Bundles each Lambda entry point as a deployment would, and imports it in a fresh Node. Empty without handlers. */
export async function measureHandlers(stage: Stage, repeats: number): Promise<HandlerFigures[]> {
  const esbuild = join(root, 'node_modules/.bin/esbuild');
  const folder = join(root, 'handlers');
  if (!existsSync(esbuild) || !existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => /\.ts$/.test(entry.name) && entry.isFile(),
  );
  const out = join(stage.directory, 'handlers');
  mkdirSync(out, { recursive: true });
  const figures: HandlerFigures[] = [];
  for (const { name } of entries) {
    const bundle = join(out, name.replace(/\.ts$/, '.cjs'));
    const flags = ['--bundle', '--platform=node', '--target=node24', '--format=cjs', '--minify', `--outfile=${bundle}`];
    await runProgram([esbuild, join(folder, name), ...flags, '--log-level=error']);
    figures.push({ name, bundleBytes: statSync(bundle).size, importMillis: await importMillis(bundle, repeats) });
  }
  return figures;
}

async function importMillis(bundle: string, repeats: number): Promise<number | null> {
  const millis: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const end = await runProgram([process.execPath, '-e', `require(${JSON.stringify(bundle)}); process.exit(0)`]).catch(
      () => null,
    );
    if (end === null) return null;
    millis.push(end.seconds * 1000);
  }
  return median(millis);
}
