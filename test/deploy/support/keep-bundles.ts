import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuildOptions } from 'esbuild';
import { claimFile } from '../../support/claim-file.ts';
import { isServerless } from './pack-modules.ts';

/**
 * Loaded before the Serverless Framework (`node --import`): what esbuild made of a function is taken again by the next
 * packaging in the same test run, if it is asked with the same options and every file that went into it is as it was. A
 * run packages the same functions some eighty times, with other parameters, of which the functions know nothing. What
 * another process is making now is waited for.
 */
const load = createRequire(import.meta.url);
const kept = join(tmpdir(), 'kept-bundles');

/** What esbuild puts in the place of names. */
type Definitions = Readonly<Record<string, string>>;

type Esbuild = typeof import('esbuild');

if (isServerless) keepBundles();

function keepBundles(): void {
  const file = load.resolve('esbuild');
  const esbuild = load(file) as Esbuild;
  /** As much of an esbuild context as serverless-esbuild asks for. */
  const context = async (options: BuildOptions) => ({
    rebuild: () => rebuild(esbuild, options),
    dispose: async () => {},
  });
  load.cache[file]!.exports = { ...esbuild, context };
}

async function rebuild(esbuild: Esbuild, options: BuildOptions): Promise<object> {
  const { outdir, define = {}, ...asked } = options;
  const question = hashOf([JSON.stringify(asked, functionsToo), ...['package.json', 'tsconfig.json'].map(read)]);
  mkdirSync(kept, { recursive: true });
  const claim = join(kept, `${question}.claim`);
  for (;;) {
    const former = keptFor(question, define);
    if (former !== null) {
      cpSync(former, outdir!, { recursive: true });
      break;
    }
    if (claimFile(claim)) {
      try {
        keep(question, define, await esbuild.build({ ...options, metafile: true }));
      } finally {
        rmSync(claim, { force: true });
      }
      break;
    }
    await sleep(100);
  }
  return { errors: [], warnings: [] };
}

/** The folder of what was made when the same was asked and the files were as they are now; null: there is none. */
function keptFor(question: string, define: Definitions): string | null {
  const list = join(kept, `${question}.json`);
  if (!existsSync(list)) return null;
  const inputs = JSON.parse(readFileSync(list, 'utf8')) as string[];
  const folder = folderOf(question, define, inputs);
  return existsSync(folder) ? folder : null;
}

/** Keeps what was made. Another process may do the same at the same time: each moves whole things into place. */
function keep(question: string, define: Definitions, { metafile }: Awaited<ReturnType<Esbuild['build']>>): void {
  const inputs = Object.keys(metafile!.inputs);
  const made = mkdtempSync(join(kept, 'made-'));
  for (const output of Object.keys(metafile!.outputs)) cpSync(output, join(made, basename(output)));
  try {
    renameSync(made, folderOf(question, define, inputs));
  } catch {
    // It is there already, and the same.
    rmSync(made, { recursive: true });
  }
  const list = join(kept, `${question}.json`);
  writeFileSync(`${list}.${process.pid}`, JSON.stringify(inputs));
  renameSync(`${list}.${process.pid}`, list);
}

/**
 * Files that are missing count as empty: what was made of them is not what is asked for. What is defined for all the
 * functions, such as the calendar of events, counts for those alone that have its name in a file.
 */
function folderOf(question: string, define: Definitions, inputs: string[]): string {
  const isNamed = (name: string) => inputs.some((path) => read(path).includes(name.split('.').at(-1)!));
  const defined = Object.entries(define).filter(([name]) => isNamed(name));
  return join(kept, hashOf([question, JSON.stringify(defined), ...inputs.flatMap((path) => [path, read(path)])]));
}

const texts = new Map<string, string>();
/** A file of the project, read once a process. */
function read(path: string): string {
  const known = texts.get(path) ?? (existsSync(path) ? readFileSync(path, 'utf8') : '');
  texts.set(path, known);
  return known;
}

function hashOf(texts: string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}\0`).update(text);
  return hash.digest('hex').slice(0, 32);
}

/** A plugin of esbuild is told apart by its text. */
function functionsToo(_name: string, value: unknown): unknown {
  return typeof value === 'function' ? String(value) : value;
}
