import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Finding, no, ok } from '../checklists/check.ts';
import { locksOfMigrations, type TableLock } from './rules/locks-of-migration.ts';

const project = resolve(import.meta.dirname, '../..');
const folder = join(project, 'migrations');
const taskMillis = 600_000;

/**
 * What a deployment of these files would do to the schema. A task is started beside the database to ask what it has.
 * @param areLocksFine whether a lock that grows with the table is meant
 */
export async function checkMigrations(
  stage: string,
  environment: NodeJS.ProcessEnv,
  areLocksFine: boolean,
): Promise<Finding> {
  const applied = await readApplied(stage, environment);
  const files = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  return judgeMigrations(
    applied,
    new Map(files.sort().map((name) => [name.slice(0, -4), () => textOf(name)])),
    areLocksFine,
  );
}

const textOf = (name: string) => readFileSync(join(folder, name), 'utf8');

/** Decides about the migrations that the database has and those that there are. */
export function judgeMigrations(
  applied: ReadonlySet<string>,
  files: ReadonlyMap<string, () => string>,
  areLocksFine: boolean,
): Finding {
  const pending = [...files].filter(([name]) => !applied.has(name));
  const unknown = [...applied].filter((name) => !files.has(name));
  if (pending.length === 0) {
    return ok(
      unknown.length === 0 ? 'none is pending' : `none is pending; the database is ahead by ${unknown.join(', ')}`,
    );
  }
  const locks = locksOfMigrations(pending.map(([, text]) => text()));
  const told = `${pending.map(([name]) => name).join(', ')} pending: ${tellLocks(locks)}`;
  if (areLocksFine || !locks.some(({ isLong }) => isLong)) return ok(told);
  return no(`${told}: wait for a quiet hour, or --accept-locks`);
}

function tellLocks(locks: TableLock[]): string {
  if (locks.length === 0) return 'nothing that is there is locked';
  const list = locks
    .map(({ table, stops }) => `${table} (${stops === 'writes' ? 'writes wait' : 'all wait'})`)
    .join(', ');
  return `locks ${list} ${locks[0]!.isLong ? 'for as long as its rows take' : 'for a moment'}`;
}

/** The names of the migrations that a stage's database has. */
function readApplied(stage: string, environment: NodeJS.ProcessEnv): Promise<Set<string>> {
  const args = [stage, 'sql', 'select name from kysely_migration order by name'];
  const options = { cwd: project, env: environment, timeout: taskMillis, encoding: 'utf8' as const };
  return new Promise((done, fail) => {
    execFile(join(project, '.github/scripts/operate.sh'), args, options, (error, stdout, stderr) => {
      const names = [...`${stdout}`.matchAll(/\{"name":"(\d{4}_\w+)"\}/g)].map(([, name]) => name!);
      if (error === null && names.length > 0) return done(new Set(names));
      const said = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
      fail(
        new Error(`the database can’t be asked: ${said}; .github/scripts/operate.sh names the rights that it takes`),
      );
    });
  });
}
