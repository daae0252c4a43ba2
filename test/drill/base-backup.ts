import { chownSync, type Dirent, readdirSync } from 'node:fs';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { Account } from '../../containers/local/machine/choose-account.ts';

/** What a base backup does not take: what is of the running server alone, or is made anew. */
const leftOut = new Set(['postmaster.pid', 'postmaster.opts', 'pg_wal', 'pg_replslot']);

/**
 * Copies a running server's files into a directory that is not there yet, as pg_basebackup does: between
 * pg_backup_start and pg_backup_stop, while it is written to. The write-ahead log that makes it whole is in the
 * archive. The process goes on with its other work meanwhile, such as the load on that server.
 * @param client one session for both ends
 * @param underLoad what must have happened before the backup ends
 */
export async function takeBaseBackup(
  client: pg.Client,
  dataDirectory: string,
  backup: string,
  underLoad: () => Promise<void>,
): Promise<void> {
  await client.query("select pg_backup_start('drill', true)");
  await mkdir(backup, { mode: 0o700 });
  for (const entry of await readdir(dataDirectory, { withFileTypes: true })) {
    if (!leftOut.has(entry.name)) await copyWhatIsThere(entry, dataDirectory, backup);
  }
  await mkdir(join(backup, 'pg_wal'), { mode: 0o700 });
  await mkdir(join(backup, 'pg_replslot'), { mode: 0o700 });
  await underLoad();
  const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(true)');
  await writeFile(join(backup, 'backup_label'), rows[0]!.labelfile, { mode: 0o600 });
}

/** A file or directory that vanishes meanwhile is left out: replaying the log makes up for it. */
async function copyWhatIsThere(entry: Dirent, from: string, to: string): Promise<void> {
  const [source, target] = [join(from, entry.name), join(to, entry.name)];
  try {
    if (!entry.isDirectory()) return await copyFile(source, target);
    const within = await readdir(source, { withFileTypes: true });
    await mkdir(target, { mode: 0o700 });
    for (const one of within) await copyWhatIsThere(one, source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/**
 * Makes the account of the server the owner of a directory and all that is in it; as nobody but root, it is already.
 */
export function giveTo(account: Account | undefined, directory: string): void {
  if (account === undefined) return;
  chownSync(directory, account.uid, account.gid);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true }))
    chownSync(join(entry.parentPath, entry.name), account.uid, account.gid);
}
