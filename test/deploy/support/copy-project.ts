import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A copy of the project that a test may change and deploy from. */
export type ProjectCopy = {
  directory: string;
  /** Writes a file of the copy, by its path in the project. */
  write(path: string, text: string): void;
  remove(path: string): void;
  /** Replaces a text of a file, wherever it stands there; it must be there. */
  edit(path: string, from: string, to: string): void;
  /** Deletes the copy. */
  dispose(): void;
};

const project = fileURLToPath(new URL('../../../', import.meta.url));
/** What a deployment is made of. */
const parts = [
  'core',
  'handlers',
  'containers/api',
  'containers/console',
  'migrations',
  'resources',
  '.github/scripts',
];
/** What the pipeline's own commands are made of. */
const commands = ['operations', 'containers/local/require-node-24.js'];
const files = ['package.json', 'package-lock.json', 'tsconfig.json', 'LICENSE', 'serverless.yml'];

/** Copies what is deployed; node_modules is the project's own, by a link. */
export function copyProject(): ProjectCopy {
  const directory = mkdtempSync(join(tmpdir(), 'qurable-project-'));
  for (const part of [...parts, ...commands, ...files])
    cpSync(join(project, part), join(directory, part), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(directory, 'node_modules'));
  const write = (path: string, text: string) => writeFileSync(join(directory, path), text);
  return {
    directory,
    write,
    edit: (path, from, to) => {
      const text = readFileSync(join(directory, path), 'utf8');
      if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
      write(path, text.replaceAll(from, to));
    },
    remove: (path) => rmSync(join(directory, path)),
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}
