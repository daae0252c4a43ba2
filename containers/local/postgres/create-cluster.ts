import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from '../machine/choose-account.ts';
import { EmbeddedStartError } from '../machine/embedded-start-error.ts';
import { inspectProcess } from '../machine/inspect-process.ts';

/** The superuser of the embedded cluster. */
export const clusterUser = 'qurable';

/** What a new cluster is made from. */
export type NewCluster = {
  /** Absolute path of the initdb program. */
  initdb: string;
  /** Where the cluster is to be; its parent must exist. */
  dataDirectory: string;
  account: Account | undefined;
  /** The superuser's password. */
  password: string;
  /** False: nothing is flushed to disk, for data that may be lost. */
  durable: boolean;
};

/**
 * Makes an empty PostgreSQL cluster, unless there is one. It is made under another name and renamed last, so that a
 * start that was interrupted leaves no half-made cluster. With the C locale text is compared by bytes, and the files do
 * not depend on the machine's locale library.
 *
 * @throws EmbeddedStartError when initdb fails, with its last line.
 */
export async function createCluster(cluster: NewCluster): Promise<void> {
  if (existsSync(join(cluster.dataDirectory, 'PG_VERSION'))) return;
  removeUnfinished(cluster.dataDirectory);
  const unfinished = `${cluster.dataDirectory}.new-${process.pid}`;
  const passwordFile = `${unfinished}.password`;
  makeEntries(unfinished, passwordFile, cluster);
  try {
    await runInitdb(unfinished, passwordFile, cluster);
    renameSync(unfinished, cluster.dataDirectory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Of two starts at once one makes the cluster; the other one finds its server a moment later.
    if (!existsSync(join(cluster.dataDirectory, 'PG_VERSION'))) throw error;
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function makeEntries(directory: string, passwordFile: string, { account, password }: NewCluster): void {
  mkdirSync(directory, { mode: 0o700 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (account === undefined) return;
  for (const path of [directory, passwordFile]) chownSync(path, account.uid, account.gid);
}

async function runInitdb(directory: string, passwordFile: string, cluster: NewCluster): Promise<void> {
  const args = [`--pgdata=${directory}`, `--username=${clusterUser}`, `--pwfile=${passwordFile}`];
  args.push('--auth=scram-sha-256', '--locale=C', '--encoding=UTF8', '--no-instructions');
  if (!cluster.durable) args.push('--no-sync');
  const options = { cwd: dirname(cluster.initdb), env: { PATH: process.env.PATH, LC_ALL: 'C' }, ...cluster.account };
  try {
    await promisify(execFile)(cluster.initdb, args, options);
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    const lines = (said || String(error)).split('\n').filter((line) => /error|fatal|could not/i.test(line));
    throw new EmbeddedStartError(`initdb made no database: ${lines[0] ?? String(error).split('\n')[0]}`);
  }
}

/** Removes half-made clusters of starts that are over. The number in the name is the id of the process that made it. */
function removeUnfinished(dataDirectory: string): void {
  const prefix = `${basename(dataDirectory)}.new-`;
  for (const name of readdirSync(dirname(dataDirectory))) {
    if (!name.startsWith(prefix)) continue;
    const maker = Number.parseInt(name.slice(prefix.length), 10);
    if (maker !== process.pid && inspectProcess(maker) !== null) continue;
    rmSync(join(dirname(dataDirectory), name), { recursive: true, force: true });
  }
}
