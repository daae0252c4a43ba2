import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A user and a group of this machine. */
export type Account = { uid: number; gid: number };

/** `nobody` on every Linux that the PostgreSQL binaries run on: it owns nothing else. */
const nobody: Account = { uid: 65534, gid: 65534 };

/**
 * Chooses the account of a server. PostgreSQL refuses to run as root, so under root it is the owner of the data, and
 * for new data `nobody`.
 *
 * @param dataDirectory an absolute path that need not exist yet; left out for a server without data.
 * @returns undefined when this process is not root and the server simply runs as the same user.
 */
export function chooseAccount(dataDirectory?: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (dataDirectory === undefined || !existsSync(dataDirectory)) return nobody;
  const { uid, gid } = statSync(dataDirectory);
  return uid === 0 ? nobody : { uid, gid };
}

/**
 * Says whether an account may enter a directory and all directories above it, by their mode bits. For a missing path
 * the nearest directory that exists is looked at.
 *
 * @param account undefined: this process's own user, for whom the answer is always yes.
 */
export function canEnter(account: Account | undefined, directory: string): boolean {
  if (account === undefined) return true;
  const parent = dirname(directory);
  if (parent !== directory && !canEnter(account, parent)) return false;
  if (!existsSync(directory)) return true;
  const { mode, uid, gid } = statSync(directory);
  if (uid === account.uid) return (mode & 0o100) !== 0;
  return gid === account.gid ? (mode & 0o010) !== 0 : (mode & 0o001) !== 0;
}
