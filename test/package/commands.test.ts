import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { allIfLong } from '../support/long-run.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

const run = promisify(execFile);
const project = resolve(import.meta.dirname, '../..');
const isThere = (program: string) => !spawnSync(program, ['--version']).error;
const describeWithClient = requireOrSkip('PostgreSQL’s client', ['psql', 'pg_dump', 'pg_restore'].every(isThere));

const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Runs a script of package.json, with npm only where that is what is asked: it takes as long as the script. */
async function runScript(name: string, args: string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const [program, ...before] = scripts[name]!.split(' ');
  expect(program).toBe('node');
  return await runProgram(process.execPath, [...before, ...args], environment);
}

const runNpm = (name: string, args: string[], environment: NodeJS.ProcessEnv) =>
  runProgram('npm', ['run', '--silent', name, '--', ...args], environment);

async function runProgram(program: string, args: string[], environment: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await run(program, args, { cwd: project, env: { ...process.env, ...environment } });
  return stdout;
}

describeWithClient('the commands on the database', () => {
  let database: TestDatabase;
  let folder: string;
  /** What was there when there was one tenant beside the default one. */
  let backup: string;
  beforeAll(async () => {
    database = await createTestDatabase('commands');
    folder = mkdtempSync(join(tmpdir(), 'qurable-commands-'));
    backup = join(folder, 'qurable.dump');
    await makeTenant('before');
    await runScript('backup', [`--file=${backup}`], { DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function query(statement: string): Promise<{ slug: string }[]> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query<{ slug: string }>(statement)).rows;
    } finally {
      await client.end();
    }
  }
  const makeTenant = (slug: string) =>
    query(`insert into tenants (id, slug, name, created_at) values (gen_random_uuid(), '${slug}', 'T', now())`);
  const slugs = async () => (await query('select slug from tenants order by slug')).map(({ slug }) => slug);

  test('psql asks the database of the settings', async () => {
    const args = ['--quiet', '--no-align', '--tuples-only', '--command', 'select slug from tenants order by slug'];
    expect(await runNpm('psql', args, { DATABASE_URL: database.url })).toBe('before\ndefault\n');
  });

  test('a restored backup has what was there, and nothing that came after it', async () => {
    await makeTenant('after');
    // A second time too: what a restore leaves can be restored over.
    for (let time = 0; time < 2; time += 1) {
      await runScript('restore', [backup], { DATABASE_URL: database.url });
      expect(await slugs()).toEqual(['before', 'default']);
    }
    await runScript('migrate', [], { DATABASE_URL: database.url });
  });

  test('a backup that breaks off changes nothing', async () => {
    await makeTenant('kept');
    const before = await slugs();
    expect(before).toContain('kept');
    const broken = join(folder, 'broken.dump');
    const bytes = readFileSync(backup);
    // Near its end nearly all has been done that must not stay.
    for (const share of allIfLong([0.5, 0.99], (one) => one === 0.99)) {
      writeFileSync(broken, bytes.subarray(0, Math.floor(share * bytes.length)));
      await expect(runScript('restore', [broken], { DATABASE_URL: database.url })).rejects.toThrow('Command failed');
      expect(await slugs()).toEqual(before);
    }
  });
});

describe('the command of the house', () => {
  test('prints a table of figures, and names what it counted', async () => {
    const printed = await runScript('measure', ['--list']);
    expect(printed).toMatch(/^\| measure \| now \|\n/);
    expect(printed).toMatch(/^\| core\/db \| \d+, \d+ \|$/m);
    expect(printed).toContain('files that name a field of a book (maxCodesPerUser):\n  ');
  });
});
