import { chownSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import type { Account } from '../../containers/local/machine/choose-account.ts';

/** What a base backup does not take: what is of the running server alone, or is made anew. */
const leftOut = new Set(['postmaster.pid', 'postmaster.opts', 'pg_wal', 'pg_replslot']);

/**
 * Copies a running server's files into an empty directory, as pg_basebackup does: between pg_backup_start and
 * pg_backup_stop, while it is written to. The write-ahead log that makes it whole is in the archive.
 * @param client one session for both ends
 */
export async function takeBaseBackup(client: pg.Client, dataDirectory: string, backup: string): Promise<void> {
  await client.query("select pg_backup_start('drill', true)");
  mkdirSync(backup, { mode: 0o700 });
  for (const name of readdirSync(dataDirectory)) {
    if (leftOut.has(name)) continue;
    // A file may vanish while its directory is copied: replaying the log makes up for it.
    copyWhatIsThere(join(dataDirectory, name), join(backup, name));
  }
  mkdirSync(join(backup, 'pg_wal'), { mode: 0o700 });
  mkdirSync(join(backup, 'pg_replslot'), { mode: 0o700 });
  const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(true)');
  writeFileSync(join(backup, 'backup_label'), rows[0]!.labelfile, { mode: 0o600 });
}

function copyWhatIsThere(from: string, to: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      cpSync(from, to, { recursive: true, preserveTimestamps: true });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 5) throw error;
      if (!existsSync(from)) return;
      rmSync(to, { recursive: true, force: true });
    }
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
