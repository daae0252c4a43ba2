import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const project = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(project, 'docs/strategy.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));

test('the table of the strategy has a row for each of its headings, and says how each stands', () => {
  const headings = rows.map(([, heading]) => heading!.split(/[ .,]/)[0]!);
  expect([...new Set(headings)]).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
  for (const [, heading, , stands] of rows) {
    expect([heading, stands]).toEqual([heading, expect.stringMatching(/^(done|partly|not)\b/)]);
  }
});

test('what is called done or partly done names a test, and each file that the page names is there', () => {
  for (const [, heading, , stands, , tests] of rows) {
    if (!stands!.startsWith('not')) expect([heading, tests]).toEqual([heading, expect.stringContaining('`test/')]);
  }
  const files = [...page.matchAll(/`((?:test|docs|resources|operations|core)\/[^`]+)`/g)].map(([, file]) => file!);
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => !existsSync(join(project, file)))).toEqual([]);
});

test('no command that the page names is one that the project has not', () => {
  const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { scripts: object };
  const named = [...page.matchAll(/`npm run ([\w:-]+)/g)].map(([, name]) => name!);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});
