import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const project = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(project, path), 'utf8');
const { version, scripts } = JSON.parse(read('package.json')) as { version: string; scripts: Record<string, string> };

/** A folder with some of the project's files, for scripts that must be tried on other contents. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qurable-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a newcomer', () => {
  test('who has not installed anything is told to in one line, by every script that runs the project’s own', () => {
    const own = Object.values(scripts).filter((command) => command.startsWith('node '));
    expect(own.length).toBeGreaterThan(10);
    cpSync(join(project, 'containers/local/require-node-24.js'), join(folder, 'containers/local/require-node-24.js'));
    cpSync(join(project, 'package.json'), join(folder, 'package.json'));
    for (const command of own) {
      expect(command).toMatch(/^node --import \.\/containers\/local\/require-node-24\.js \S+\.ts/);
    }
    // What is imported first ends it, before the program is looked for: one command shows it for all.
    const [, ...args] = scripts.start!.split(' ');
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    expect(stderr).toMatch(/^Run "npm ci" first.*\n$/);
    expect(status).toBe(1);
  });

  test.each(['README.md', 'CONTRIBUTING.md', 'docs/architecture.md'])('finds every script that %s names', (page) => {
    const named = [...read(page).matchAll(/npm run ([a-z:-]+)/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(2);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });

  test.each(['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: project }).sort()])(
    'comes somewhere by every link of %s',
    (page) => {
      const links = [...read(page).matchAll(/\]\(([\w./-]+)(?:#[\w-]+)?\)/g)].map(([, path]) => path!);
      for (const path of links) expect(() => read(join(page, '..', path))).not.toThrow();
    },
  );
});

describe('the decisions', () => {
  const pages = readdirSync(join(project, 'docs/decisions')).filter((name) => name !== 'README.md');

  test('are numbered without a gap, and each is in the list', () => {
    expect(pages.map((name) => Number(name.slice(0, 4)))).toEqual(pages.map((_, before) => before + 1));
    for (const name of pages) {
      expect(read('docs/decisions/README.md')).toContain(`| [${Number(name.slice(0, 4))}](${name}) |`);
    }
  });

  test.each(pages)('%s has a title, a status with a day, context, decision and consequences', (name) => {
    const text = read(`docs/decisions/${name}`);
    expect(text).toMatch(new RegExp(`^# ${Number(name.slice(0, 4))}\\. .+\n\nStatus: .+ · \\d{4}-\\d\\d-\\d\\d\n`));
    const heads = [...text.matchAll(/^## (.+)$/gm)].map(([, head]) => head);
    expect(heads).toEqual(['Context', 'Decision', 'Consequences']);
  });
});

describe('a release', () => {
  const notes = (tag: string, cwd: string) =>
    spawnSync(process.execPath, [join(project, '.github/scripts/release-notes.mjs'), tag], { cwd, encoding: 'utf8' });

  test('of this version has a section of the changelog, with a day', () => {
    const { status, stdout, stderr } = notes(`v${version}`, project);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('### ');
    expect(read('CHANGELOG.md')).toMatch(/^## \[Unreleased\]$/m);
  });

  test('is refused where tag, package and changelog do not agree, or nothing is said of it', () => {
    const why = (tag: string, changelog: string) => {
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ version: '1.2.3' }));
      writeFileSync(join(folder, 'CHANGELOG.md'), changelog);
      const { status, stdout, stderr } = notes(tag, folder);
      expect([status, stdout]).toEqual([1, '']);
      return stderr;
    };
    const good =
      '# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2030-01-02\n\n- More.\n\n## [1.2.2] - 2030-01-01\n\n- Old.\n';
    expect(why('v1.2.4', good)).toContain('the tag is v1.2.4, and package.json has the version 1.2.3');
    expect(why('v1.2.3', good.replace('[1.2.3]', '[1.2.4]'))).toContain('has no section [1.2.3]');
    expect(why('v1.2.3', good.replace(' - 2030-01-02', ''))).toContain('has no day');
    expect(why('v1.2.3', good.replace('- More.', ''))).toContain('is empty');
    writeFileSync(join(folder, 'CHANGELOG.md'), good);
    expect(notes('v1.2.3', folder).stdout).toBe('- More.\n');
  });
});

describe('what the hosting site reads', () => {
  test('is well-formed: forms of issues, the bot of dependencies, the owners', () => {
    for (const path of globSync('.github/ISSUE_TEMPLATE/*.yml', { cwd: project })) {
      const form = parse(read(path)) as { name?: string; description?: string; body?: { type: string; id?: string }[] };
      if (basename(path) === 'config.yml') continue;
      expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
      for (const { type, id } of form.body!) expect(type === 'markdown' || id !== undefined).toBe(true);
    }
    const bot = parse(read('.github/dependabot.yml')) as { version: number; updates: { directory: string }[] };
    expect(bot.version).toBe(2);
    for (const { directory } of bot.updates) expect(readdirSync(join(project, directory)).length).toBeGreaterThan(0);
  });

  test('names files and folders that are there as owned', () => {
    const owned = read('.github/CODEOWNERS').match(/^\/\S+/gm)!;
    expect(owned.length).toBeGreaterThan(0);
    for (const path of owned) expect(globSync(path.slice(1), { cwd: project })).toHaveLength(1);
  });
});
