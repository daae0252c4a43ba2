import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { decisiveTerms } from '../../core/books/book-terms.ts';
import { mutants } from '../faults/mutant-list.ts';
import { withoutDocstring } from '../measure/docstrings.ts';
import { functionsOf } from '../measure/functions.ts';
import { bounds } from '../measure/measure-house.ts';
import { wideComments } from '../measure/wide-comments.ts';
import {
  fileGraph,
  findCircles,
  grouped,
  partsList,
  reachable,
  roomOf,
  withoutArrowsTo,
} from '../support/import-graph.ts';
import { readSources, textsOf, walk } from '../support/read-sources.ts';
import { choicesMadeAgain } from '../support/repeated-choice.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = readSources(root, ['core', 'containers', 'handlers', 'operations']);
const files = withoutArrowsTo(partsList, fileGraph(sources, 'all'));
const rooms = grouped(files, roomOf);
const map = readFileSync(join(root, 'docs/architecture.md'), 'utf8');

const isCore = (path: string) => path.startsWith('core/');
/** Pure decisions: files that say so, and folders of nothing else. What reads rules from the database is none. */
const isRules = (path: string) => /^core\/(.*\/)?(rules\/.*|(?!read-)[a-z-]*-rules\.ts)$/.test(path);
/** What rules may import at run time: rules, refusals and bounds, and declarations of what they decide about. */
const isForRules = (path: string) =>
  isRules(path) ||
  /^core\/(errors|limits)\.ts$|-(limits|state|terms|inputs?)\.ts$|^core\/input\/shapes\.ts$/.test(path);
/**
 * What they may not even know the type of: a connection, a queue, a clock or all parts, as they would be handed one.
 */
const isForeignToRules = (path: string) =>
  /^core\/(db|redis|batching)\/|^core\/(core|clock|config|log)\.ts$/.test(path) || !isCore(path);
/** Packages that compute and do nothing else. */
const purePackages = /^(node:util|temporal-polyfill|typebox(\/.*)?)$/;

/** `path imports name` for each import of some files that should not be there. */
function wrongImports(isOf: (path: string) => boolean, isRight: (name: string, isType: boolean) => boolean): string[] {
  return sources
    .filter(({ path }) => isOf(path))
    .flatMap(({ path, imports }) =>
      imports.filter((entry) => !isRight(entry.path, entry.isType)).map((entry) => `${path} imports ${entry.path}`),
    );
}

/** The files, but for some, whose text has something in it. */
function filesWith(pattern: RegExp, isAsked: (path: string) => boolean): string[] {
  return sources.filter(({ path, text }) => isAsked(path) && pattern.test(text)).map(({ path }) => path);
}

describe('the house', () => {
  test('containers and handlers come into the core by its door alone', () => {
    expect(
      wrongImports(
        (path) => !isCore(path),
        (name) => !isCore(name) || name === 'core/index.ts',
      ),
    ).toEqual([]);
  });

  test('the core knows no container, no handler and no web framework', () => {
    expect(wrongImports(isCore, isCore)).toEqual([]);
    const framework = /^(fastify|@fastify\/.*|@middy\/.*|@aws-.*|aws-lambda)$/;
    const users = sources.filter(({ path, packages }) => isCore(path) && packages.some((name) => framework.test(name)));
    expect(users.map(({ path }) => path)).toEqual([]);
  });

  test('rules import rules only: no SQL, no clock, nothing that does anything', () => {
    expect(sources.some(({ path }) => isRules(path))).toBe(true);
    const isRight = (name: string, isType: boolean) => (isType ? !isForeignToRules(name) : isForRules(name));
    expect(wrongImports(isRules, isRight)).toEqual([]);
    const impure = sources
      .filter(({ path }) => isRules(path))
      .flatMap(({ path, packages }) =>
        packages.filter((name) => !purePackages.test(name)).map((name) => `${path} imports ${name}`),
      );
    expect(impure).toEqual([]);
  });

  test('the list of all parts holds types alone', () => {
    const { imports, tree } = sources.find(({ path }) => path === partsList)!;
    expect(imports.filter(({ isType }) => !isType)).toEqual([]);
    const made = [...walk(tree)].filter(({ type }) => /^(Function|Class|Variable)Declaration$/.test(type));
    expect(made).toEqual([]);
  });

  test('no file is dead: each is an entry point or is imported by a living one', () => {
    const isEntry = (path: string) =>
      /^core\/(index|.*-command)\.ts$|^operations\/.*-command\.ts$|^containers\/[a-z]+\/(main|start|run-command|first-paint)\.tsx?$|^containers\/.*-command\.ts$|^handlers\/[a-z-]+\.ts$/.test(
        path,
      );
    const paths = sources.map(({ path }) => path);
    // With the arrows to the list of parts, which is alive by them.
    const alive = reachable(fileGraph(sources, 'all'), ...paths.filter(isEntry), ...runByNpm(paths));
    expect(paths.filter((path) => !alive.has(path))).toEqual([]);
  });

  test('what goes through the queues does not load what runs behind them', () => {
    const verbs = sources.filter(
      ({ path, text }) => /^core\/coupons\/[^/]+\.ts$/.test(path) && /\bbatches\b/.test(text),
    );
    expect(verbs.map(({ path }) => path)).toContain('core/coupons/redeem-coupon.ts');
    const loads = fileGraph(sources, 'values');
    const loaded = verbs.flatMap(({ path }) =>
      [...reachable(loads, path)]
        .filter((name) => name.startsWith('core/coupons/engine/'))
        .map((name) => `${path} loads ${name}`),
    );
    expect(loaded).toEqual([]);
  });

  test('files import one another in no circle, types counted', () => {
    expect(findCircles(fileGraph(sources, 'all'))).toEqual([]);
  });

  test('folders import one another in no circle, types counted, nor does one and a folder in it', () => {
    expect(findCircles(rooms)).toEqual([]);
  });
});

/** Files that the scripts of package.json run, as those before the program itself. */
function runByNpm(paths: readonly string[]): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const commands = Object.values(scripts).join(' ');
  return paths.filter((path) => commands.includes(path));
}

describe('what the sources hold', () => {
  const isOutside =
    (...allowed: string[]) =>
    (path: string) =>
      isCore(path) && !allowed.includes(path) && !path.endsWith('-command.ts');

  test('time and randomness are injected everywhere in the core', () => {
    const banned =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\b(randomBytes|randomInt|randomUUID|getRandomValues)\(/;
    expect(filesWith(banned, (path) => isCore(path) && !/^core\/(clock|random)\.ts$/.test(path))).toEqual([]);
  });

  test('only config.ts and a command read the environment, end the process or write to its console in the core', () => {
    expect(filesWith(/\bprocess\.env\b/, isOutside())).toEqual([]);
    expect(filesWith(/\bprocess\.exit(Code)?\b|\bconsole\.\w/, isOutside('core/restore/print-restore.ts'))).toEqual([]);
  });

  test('a statement that changes or deletes a number of rows chooses them once, and so never goes beyond it', () => {
    const old = 'select id from jobs limit 5 for update skip locked';
    expect(choicesMadeAgain(`delete from jobs where id in (${old})`)).toEqual([`(${old})`]);
    expect(choicesMadeAgain(`update jobs j set step = 1 from (${old}) as old where j.id = old.id`)).toHaveLength(1);
    expect(choicesMadeAgain(`delete from jobs where id = any(array(${old}))`)).toEqual([]);
    expect(choicesMadeAgain(`with old as materialized (${old}) delete from jobs using old`)).toEqual([]);
    const statements = sources.flatMap(({ path, tree }) => textsOf(tree).map((text) => ({ path, text })));
    for (const path of globSync('{migrations,core}/**/*.sql', { cwd: root }))
      statements.push({ path, text: readFileSync(join(root, path), 'utf8') });
    expect(statements.filter(({ text }) => /skip locked/.test(text)).length).toBeGreaterThan(5);
    const again = statements.flatMap(({ path, text }) => choicesMadeAgain(text).map((part) => `${path}: ${part}`));
    expect(again).toEqual([]);
  });

  test('no file of the product switches a check of the compiler or of the linter off', () => {
    expect(filesWith(/@ts-(ignore|expect-error|nocheck)|biome-ignore/, () => true)).toEqual([]);
  });

  test('no comment is wider than a line that the formatter makes, in tests and examples neither', () => {
    const others = globSync('{test,examples}/**/*.{ts,js}', { cwd: root }).map((path) => {
      return { path, text: readFileSync(join(root, path), 'utf8') };
    });
    expect([...sources, ...others].flatMap(wideComments)).toEqual([]);
  });

  test('no file and, but for components of the console, no function is beyond the bounds of the house', () => {
    const isComponent = (path: string) => path.endsWith('.tsx');
    const functions = sources.filter(({ path }) => !isComponent(path)).flatMap(functionsOf);
    expect(functions.filter(({ lines }) => lines > bounds.functionLines)).toEqual([]);
    const files = sources.filter(({ text }) => text.split('\n').length - 1 > bounds.fileLines);
    expect(files.map(({ path }) => path)).toEqual([]);
  });

  test('every exported name has a docstring, or as a schema of the API a description', () => {
    const others = sources.filter(({ path }) => !path.startsWith('containers/api/schemas/'));
    expect(others.flatMap(withoutDocstring)).toEqual([]);
  });

  test('every term of a book that decisions are handed is read by one; the others are in termsForPeople', () => {
    const isRead = (term: string) =>
      filesWith(new RegExp(`\\b${term}\\b`), (path) => path.startsWith('core/coupons/')).length > 0;
    expect(decisiveTerms.filter((term) => !isRead(term))).toEqual([]);
  });

  test('every mutant finds what it takes out, once, and its file of tests', () => {
    const unfit = mutants.flatMap(({ file, edits, testFile }) => {
      const text = readFileSync(join(root, file), 'utf8');
      const lost = edits.filter(({ find }) => text.split(find).length !== 2);
      return [...lost.map(({ find }) => `${file}: ${find}`), ...(existsSync(join(root, testFile)) ? [] : [testFile])];
    });
    expect(unfit).toEqual([]);
  });

  test('no test is left to run alone or not at all', () => {
    const left = globSync('test/**/*.test.ts', { cwd: root }).filter((path) =>
      /\b(test|describe|it)\.(only|todo)\b|\b(test|it)\.skip\(\s*['"`]/.test(readFileSync(join(root, path), 'utf8')),
    );
    expect(left).toEqual([]);
  });
});

describe('the map in docs/architecture.md', () => {
  /** The first column of the table of folders, from above to below. */
  const named = [...map.matchAll(/^\| `((?:core|containers|handlers|operations)(?:\/[a-z-]+)*)\/` \|/gm)].map(
    ([, name]) => name!,
  );
  const folders = [...new Set(sources.map(({ path }) => dirname(path)))].sort();

  test('names each folder of core, containers, handlers and operations once, and none that is not there', () => {
    expect([...named].sort()).toEqual(folders);
  });

  test('has each folder above all that it imports from', () => {
    const place = new Map(named.map((name, at) => [name, at]));
    const upward = [...rooms].flatMap(([from, to]) =>
      [...to]
        .filter((name) => place.has(from) && place.has(name) && place.get(from)! > place.get(name)!)
        .map((name) => `${from} stands below ${name} and imports from it`),
    );
    expect(upward).toEqual([]);
  });
});

// The changelog alone may name what is gone.
test.each(globSync(['*.md', 'docs/**/*.md'], { cwd: root, exclude: ['CHANGELOG.md'] }).sort())(
  'every file of the project that %s names is there',
  (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const paths = [
      ...text.matchAll(/`((?:core|containers|handlers|operations|migrations|test|docs|resources)\/[\w./-]+)`/g),
    ];
    expect(paths.map(([, path]) => path!).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  },
);
