import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';

const project = resolve(import.meta.dirname, '../..');
/** It is bundled: nothing that it imports is there when it runs. */
const consoleFolder = 'containers/console';
let lines: string[];
let copied: string[];

beforeAll(() => {
  const text = readFileSync(join(project, 'containers/api/Dockerfile'), 'utf8').replaceAll('\\\n', '');
  lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const copies = lines.filter((line) => line.startsWith('COPY ') && !line.includes('--from='));
  copied = copies.flatMap((line) => line.split(' ').slice(1, -1));
});

describe('containers/api/Dockerfile', () => {
  test('copies only what is there, and no tests, local start, secrets or history', () => {
    for (const path of copied) expect([path, existsSync(join(project, path))]).toEqual([path, true]);
    const expected = [
      'LICENSE',
      'containers/api',
      'containers/console',
      'core',
      'migrations',
      'operations/events',
      'package-lock.json',
      'package-lock.json',
      'package.json',
      'package.json',
      'package.json',
    ];
    expect([...copied].sort()).toEqual(expected);
  });

  test('runs as an ordinary user, checks its own health without curl, and starts a file that it holds', () => {
    expect(lines.filter((line) => line.startsWith('USER '))).toEqual(['USER 1000:1000']);
    expect(lines.find((line) => line.startsWith('HEALTHCHECK '))).toContain('"node", "-e"');
    expect(lines.at(-1)).toBe('CMD ["node", "containers/api/main.ts"]');
    expect(existsSync(join(project, 'containers/api/main.ts'))).toBe(true);
  });

  test('holds every file and every package that its files import', () => {
    const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(importsOf('containers/api/server.ts')).toContain('../../core/index.ts');
    const missing = copied
      .filter((path) => path !== consoleFolder)
      .flatMap(sourcesIn)
      .flatMap((file) => importsOf(file).filter((name) => !isHeld(file, name, dependencies)));
    expect(missing).toEqual([]);
  });

  test('builds the console of the packages that it imports, and leaves them out of the image', () => {
    const install = lines.find((line) => line.includes('devDependencies'))!;
    const installed = [...install.matchAll(/'([^']+)'/g)].map((match) => match[1]!);
    const sources = sourcesIn(consoleFolder).map((file) => importsOf(file));
    const imported = new Set(
      sources
        .flat()
        .filter((name) => !name.startsWith('.') && !isBuiltin(name))
        .map(packageOf),
    );
    expect([...imported].filter((name) => !installed.includes(name))).toEqual([]);
    expect(imported).toContain('preact');
    expect(lines.filter((line) => line.includes('--from=console'))).toEqual([
      'COPY --from=console /app/containers/console/dist containers/console/dist/',
    ]);
  });
});

function sourcesIn(path: string): string[] {
  if (!statSync(join(project, path)).isDirectory()) return [];
  const names = readdirSync(join(project, path), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.tsx?$/.test(name)).map((name) => join(path, name));
}

/** The modules that are there when the program runs: imports of types alone are gone by then. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(project, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)(?! type)[^;]*?from '([^']+)';|^import '([^']+)';/gm)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
}

function isHeld(file: string, name: string, dependencies: Record<string, string>): boolean {
  if (name.startsWith('.')) {
    const target = relative(project, resolve(project, dirname(file), name));
    return existsSync(join(project, target)) && copied.some((path) => target === path || target.startsWith(`${path}/`));
  }
  return isBuiltin(name) || packageOf(name) in dependencies;
}

function packageOf(name: string): string {
  return name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : name.split('/')[0]!;
}
