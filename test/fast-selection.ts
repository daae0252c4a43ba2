import { spawnSync } from 'node:child_process';

/** One walk through a coupon's life over HTTP, which nearly everything is a part of. */
const smoke = 'test/http/coupon-flow.test.ts';
/** Reads all sources and the map in docs/architecture.md, so that no import leads to it. */
const house = 'test/unit/architecture.test.ts';
/** Tests of these folders start nothing but the database that every run has. */
const quick = ['<rootDir>/test/unit/**/*.test.ts', `<rootDir>/${smoke}`];
/** Tests with a list that what is added has to be in, by the files to which it is added. */
const listKeepers: [RegExp, string][] = [
  [/^migrations\//, 'test/integration/schema.test.ts'],
  [/^containers\/api\/routes\/|^core\/errors\.ts$/, 'test/http/openapi.test.ts'],
  [/^containers\/api\/routes\//, 'test/http/authorisation.test.ts'],
];

/**
 * What Jest is told for a change that is still being made: the unit tests that anything of it reaches, the test files
 * that it changes itself, the tests with a list that it has to be in, the rules of the house, and the smoke test.
 */
export function fastSelection(root: string): string[] {
  const paths = changedFiles(root);
  const changed = paths.filter((path) => /^(core|containers|handlers|operations|test)\/.*\.[jt]s$/.test(path));
  const keepers = listKeepers.filter(([files]) => paths.some((path) => files.test(path))).map(([, test]) => test);
  const tests = [...changed.filter((path) => path.endsWith('.test.ts')), ...keepers].map((path) => `<rootDir>/${path}`);
  const matches = [...quick, ...tests].map((match) => `--testMatch=${match}`);
  return ['--findRelatedTests', ...changed, ...keepers, house, smoke, ...matches];
}

/** Files that differ from where this branch left main, whether committed, staged, or new to git; none that is gone. */
function changedFiles(root: string): string[] {
  const base = git(root, 'merge-base', 'HEAD', 'origin/main')[0] ?? git(root, 'merge-base', 'HEAD', 'main')[0];
  const changed = git(root, 'diff', '--name-only', '--diff-filter=d', base ?? 'HEAD');
  return [...new Set([...changed, ...git(root, 'ls-files', '--others', '--exclude-standard')])];
}

/** The lines of git's answer; none where it has none, as outside a repository. */
function git(root: string, ...args: string[]): string[] {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.split('\n').filter((line) => line !== '') : [];
}
