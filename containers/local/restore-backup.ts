import { type ChildProcess, spawn } from 'node:child_process';

/**
 * What comes before a backup's own statements. `pg_restore --clean` can't do it: it drops the key of each partition of
 * a table by itself, which PostgreSQL refuses.
 */
const emptying = `set client_min_messages = warning;
begin;
drop schema public cascade;
create schema public;
grant usage on schema public to public;
`;

/**
 * Replaces all that is in a database by a backup, in one transaction: where the backup can't be read to its end, or a
 * statement of it fails, everything is as it was.
 * @param args for pg_restore: the backup's file
 * @param environment names the database, in libpq's variables
 * @returns an exit code; both programs tell on the standard error what went wrong
 * @throws Error where one of the programs can't be run
 */
export async function restoreBackup(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const options = { env: environment };
  const reader = spawn('pg_restore', ['--no-owner', '--file=-', ...args], {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const writer = spawn('psql', ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1'], {
    ...options,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const written = exitOf(writer).finally(() => reader.kill());
  // One that has ended by a statement that failed reads no more; its exit code tells.
  writer.stdin.on('error', () => {});
  writer.stdin.write(emptying);
  reader.stdout.pipe(writer.stdin, { end: false });
  const read = exitOf(reader);
  // The transaction is committed by this alone.
  const ended = read.then(
    (code) => writer.stdin.end(code === 0 ? 'commit;\n' : 'rollback;\n'),
    () => writer.stdin.end('rollback;\n'),
  );
  const codes = await Promise.all([read, written, ended]);
  return codes[0] === 0 ? codes[1] : 1;
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    child.once('close', (code) => done(code ?? 1));
    child.once('error', fail);
  });
}
