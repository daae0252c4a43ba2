import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

const run = promisify(execFile);
const project = resolve(import.meta.dirname, '../..');
const isThere = (program: string) => !spawnSync(program, ['--version']).error;
const describeWithClient = requireOrSkip('PostgreSQL’s client', ['psql', 'pg_dump', 'pg_restore'].every(isThere));

/** Runs a script of package.json without npm's own lines. */
async function npmRun(name: string, args: string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await run('npm', ['run', '--silent', name, '--', ...args], {
    cwd: project,
    env: { ...process.env, ...environment },
  });
  return stdout;
}

describeWithClient('the commands on the database', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await createTestDatabase('commands');
    folder = mkdtempSync(join(tmpdir(), 'qurable-commands-'));
  });
  afterAll(async () => {
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const psql = (statement: string) =>
    npmRun('psql', ['--quiet', '--no-align', '--tuples-only', '--command', statement], { DATABASE_URL: database.url });
  const slugs = async () => (await psql('select slug from tenants order by slug')).trim().split('\n');

  test('a restored backup has what was there, and nothing that came after it', async () => {
    const file = join(folder, 'qurable.dump');
    await psql(`insert into tenants (id, slug, name, created_at) values (gen_random_uuid(), 'before', 'B', now())`);
    await npmRun('backup', [`--file=${file}`], { DATABASE_URL: database.url });
    await psql(`insert into tenants (id, slug, name, created_at) values (gen_random_uuid(), 'after', 'A', now())`);
    // A second time too: what a restore leaves can be restored over.
    for (let time = 0; time < 2; time += 1) {
      await npmRun('restore', [file], { DATABASE_URL: database.url });
      expect(await slugs()).toEqual(['before', 'default']);
    }
    await npmRun('migrate', [], { DATABASE_URL: database.url });
  });

  test('a backup that breaks off changes nothing', async () => {
    const file = join(folder, 'whole.dump');
    await npmRun('backup', [`--file=${file}`], { DATABASE_URL: database.url });
    await psql(`insert into tenants (id, slug, name, created_at) values (gen_random_uuid(), 'kept', 'K', now())`);
    const before = await slugs();
    expect(before).toContain('kept');
    const broken = join(folder, 'broken.dump');
    const bytes = readFileSync(file);
    for (const share of [0.5, 0.99]) {
      writeFileSync(broken, bytes.subarray(0, Math.floor(share * bytes.length)));
      await expect(npmRun('restore', [broken], { DATABASE_URL: database.url })).rejects.toThrow('Command failed');
      expect(await slugs()).toEqual(before);
    }
  });
});

describe('the command of the house', () => {
  test('prints a table of figures, and names what it counted', async () => {
    const printed = await npmRun('measure', ['--list']);
    expect(printed).toMatch(/^\| measure \| now \|\n/);
    expect(printed).toMatch(/^\| core\/db \| \d+, \d+ \|$/m);
    expect(printed).toContain('files that name a field of a book (maxCodesPerUser):\n  ');
  });
});
