import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A TypeScript file of the product with the project's own files that it imports. */
interface Source {
  path: string;
  text: string;
  imports: string[];
}

const roots = ['core', 'containers', 'handlers', 'operations'];
const sources = roots.flatMap(readSources);
const byPath = new Map(sources.map((source) => [source.path, source]));

function readSources(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
    .map((entry) => {
      const path = relative(root, join(entry.parentPath, entry.name));
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, imports: importsOf(path, text) };
    });
}

function importsOf(path: string, text: string): string[] {
  const pattern = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g;
  const named = [...text.matchAll(pattern)].map((match) => match[1]!);
  const byUrl = [...text.matchAll(/new URL\('(\.[^']+\.(?:ts|js))', import\.meta\.url\)/g)].map((match) => match[1]!);
  return [...named, ...byUrl].map((name) => relative(root, resolve(root, dirname(path), name)));
}

const isCore = (path: string) => path.startsWith('core/');
const isRules = (path: string) => /-rules\.ts$|^core\/.*\/rules\//.test(path);
/** What rules may import: other rules, bounds, errors, and types of the things they decide about. */
const isForRules = (path: string) => isRules(path) || /^core\/(.*\/.*-limits|limits|errors|random)\.ts$/.test(path);

describe('the house', () => {
  test('containers and handlers come into the core by its door alone', () => {
    const byWindow = sources
      .filter(({ path }) => !isCore(path))
      .flatMap(({ path, imports }) => imports.filter(isCore).map((name) => `${path} imports ${name}`))
      .filter((line) => !line.endsWith(' core/index.ts'));
    expect(byWindow).toEqual([]);
  });

  test('the core knows no container, no handler and no web framework', () => {
    const outward = sources.filter(({ path }) => isCore(path)).filter(({ imports }) => !imports.every(isCore));
    expect(outward.map(({ path }) => path)).toEqual([]);
    const framework = /from '(fastify|@fastify\/|@middy\/|@aws-|aws-lambda)/;
    expect(sources.filter(({ path, text }) => isCore(path) && framework.test(text)).map(({ path }) => path)).toEqual(
      [],
    );
  });

  test('rules run no SQL and import nothing that runs', () => {
    const wrong = sources
      .filter(({ path }) => isRules(path))
      .flatMap(({ path, text }) => {
        const values = [...text.matchAll(/^import (?!type )[^;]*?from '(\.[^']+)'/gms)]
          .map((match) => relative(root, resolve(root, dirname(path), match[1]!)))
          .filter((name) => !isForRules(name) && !/-state\.ts$/.test(name));
        return values.map((name) => `${path} imports ${name}`);
      });
    expect(wrong).toEqual([]);
  });

  test('time and randomness are injected everywhere in the core', () => {
    const banned = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(/;
    const allowed = new Set(['core/clock.ts', 'core/random.ts']);
    const callers = sources.filter(({ path, text }) => isCore(path) && !allowed.has(path) && banned.test(text));
    expect(callers.map(({ path }) => path)).toEqual([]);
  });

  test('only config.ts and a command read the environment in the core', () => {
    const readers = sources.filter(({ path, text }) => isCore(path) && /\bprocess\.env\b/.test(text));
    expect(readers.map(({ path }) => path).filter((path) => !path.endsWith('-command.ts'))).toEqual([]);
  });

  test('no file is dead: each is an entry point or is imported by a living one', () => {
    const entries = sources
      .map(({ path }) => path)
      .filter((path) =>
        /^core\/(index\.ts|.*-command\.ts)$|^operations\/.*-command\.ts$|^containers\/[a-z]+\/(main|start|run-command)\.ts$|^handlers\/[a-z-]+\.ts$/.test(
          path,
        ),
      );
    const alive = new Set<string>();
    const queue = [...entries];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (alive.has(path)) continue;
      alive.add(path);
      queue.push(...(byPath.get(path)?.imports ?? []));
    }
    expect(sources.map(({ path }) => path).filter((path) => !alive.has(path))).toEqual([]);
  });

  test('imports go in no circle, but for types', () => {
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, trail: string[]) => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      if (trail.includes(path) || done.has(path)) return;
      for (const name of valueImports(path)) visit(name, [...trail, path]);
      done.add(path);
    };
    for (const { path } of sources) visit(path, []);
    expect(circles).toEqual([]);
  });

  test('what goes through the queues does not load what runs behind them', () => {
    const verbs = sources.filter(
      ({ path, text }) => /^core\/coupons\/[^/]+\.ts$/.test(path) && /\bbatches\b/.test(text),
    );
    expect(verbs.map(({ path }) => path)).toContain('core/coupons/redeem-coupon.ts');
    const loaded = verbs.flatMap(({ path }) => {
      const behind = reachedByValue(path).filter((name) => name.startsWith('core/coupons/engine/'));
      return behind.map((name) => `${path} loads ${name}`);
    });
    expect(loaded).toEqual([]);
  });
});

/** A file, and all that it loads by its imports and theirs. */
function reachedByValue(path: string): string[] {
  const reached = new Set<string>();
  const queue = [path];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    queue.push(...valueImports(name));
  }
  return [...reached];
}

function valueImports(path: string): string[] {
  const source = byPath.get(path);
  if (source === undefined) return [];
  const runtime = source.text.replace(/^import type [^;]*;/gms, '').replace(/^export type \{[^;]*;/gms, '');
  return importsOf(path, runtime);
}
