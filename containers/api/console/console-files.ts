import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the built console, in the ways in which it can be sent. */
export interface ConsoleFile {
  type: string;
  plain: Buffer;
  /** Compressed copies by the name of their coding in Accept-Encoding; the smallest first. */
  codings: ReadonlyMap<string, Buffer>;
}

/** The built console. */
export interface ConsoleFiles {
  /** What is sent for every address that is no file: the views are the browser's to find. */
  page: ConsoleFile;
  /** By name. Each name has a hash of the content in it. */
  assets: ReadonlyMap<string, ConsoleFile>;
}

const built = fileURLToPath(new URL('../../console/dist/', import.meta.url));

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Reads the built console into memory: some hundred kilobytes, so that no request touches the disk.
 * @returns null where it has not been built
 */
export function readConsoleFiles(): ConsoleFiles | null {
  try {
    const folder = join(built, 'assets');
    const names = readdirSync(folder).filter((name) => extname(name) in types);
    const assets = new Map(names.map((name) => [name, readFile(join(folder, name))]));
    return { page: readFile(join(built, 'index.html')), assets };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function readFile(path: string): ConsoleFile {
  return {
    type: types[extname(path)]!,
    plain: readFileSync(path),
    codings: new Map([
      ['br', readFileSync(`${path}.br`)],
      ['gzip', readFileSync(`${path}.gz`)],
    ]),
  };
}
