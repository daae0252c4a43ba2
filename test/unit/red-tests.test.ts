import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';

/** Test files by name, each with what makes it red. */
const redFiles: Readonly<Record<string, string>> = {
  hang: `jest.setTimeout(200); test('hangs', () => new Promise(() => {}));`,
  'hook-hang': `beforeAll(() => new Promise(() => {}), 200); test('is behind it', () => {});`,
  'hook-before': `beforeAll(() => { throw new Error('before'); }); test('is behind it', () => {});`,
  'hook-after': `afterAll(() => { throw new Error('after'); }); test('is before it', () => {});`,
  'not-there': `await import('./nothing.ts'); test('is not reached', () => {});`,
  'nobody-waits': `test('rejects', () => { Promise.reject(new Error('late')); return new Promise((r) => setTimeout(r, 50)); });`,
  ends: `test('ends the process', () => process.exit(0));`,
  'no-test': '',
};
/** Their order is that of their sizes: the one that changes what is shared comes first. */
const greenFiles: Readonly<Record<string, string>> = {
  changes: `const { shared } = await import('./shared.js'); setForFile(shared, { limit: 2 });
    test('sees what it has set', () => expect(shared.limit).toBe(2));`,
  'changes-nothing': `const { shared } = await import('./shared.js'); test('sees 1', () => expect(shared.limit).toBe(1));`,
};

const root = resolve(import.meta.dirname, '../..');
const { default: config } = createRequire(import.meta.url)('../../jest.config.js') as {
  default: { runner: [string, object]; setupFiles: string[]; transform: object };
};
const folder = mkdtempSync(join(tmpdir(), 'red-tests-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs files as the project's own are run, and says of each how it ended. */
function run(files: Readonly<Record<string, string>>, maxWorkers: number): Record<string, string> {
  const rootDir = join(folder, String(maxWorkers));
  mkdirSync(rootDir);
  writeFileSync(join(rootDir, 'shared.js'), 'export const shared = { limit: 1 };');
  const imports = `import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
    import { setForFile } from '${root}/test/support/set-for-file.ts';\n`;
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(rootDir, `${name}.test.ts`), text === '' ? '' : imports + text);
  const outputFile = join(rootDir, 'report.json');
  const { runner, setupFiles, transform } = config;
  const own = {
    rootDir,
    runner: [fileURLToPath(import.meta.resolve(runner[0])), runner[1]],
    setupFiles: setupFiles.map((path) => path.replace('<rootDir>', root)),
    transform,
    testMatch: ['<rootDir>/*.test.ts'],
    maxWorkers,
  };
  const args = ['--no-warnings', join(root, 'node_modules/jest/bin/jest.js'), '--config', JSON.stringify(own)];
  spawnSync(process.execPath, [...args, '--json', `--outputFile=${outputFile}`], { stdio: 'ignore', timeout: 120_000 });
  const { testResults } = JSON.parse(readFileSync(outputFile, 'utf8')) as {
    testResults: { name: string; status: string }[];
  };
  return Object.fromEntries(testResults.map(({ name, status }) => [basename(name, '.test.ts'), status]));
}

test('what hangs, fails in a hook, can’t be loaded, is not waited for or ends the process is red', () => {
  const all = Object.keys(redFiles).map((name) => [name, 'failed']);
  expect(run(redFiles, 2)).toEqual(Object.fromEntries(all));
});

test('what a file sets of a shared object for itself, the next one in the same process does not see', () => {
  expect(run(greenFiles, 1)).toEqual({ changes: 'passed', 'changes-nothing': 'passed' });
});
