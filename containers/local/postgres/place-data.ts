import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, lstatSync, readlinkSync, realpathSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Account, canEnter } from '../machine/choose-account.ts';
import { EmbeddedStartError } from '../machine/embedded-start-error.ts';
import { makeDirectory } from '../machine/make-directory.ts';

/**
 * Where root keeps what an unprivileged account must reach if the project is below a closed directory, such as root's
 * home. It is not below /tmp or /var/tmp: old files are removed there, and anyone can write.
 */
const sharedRoot = '/var/lib/qurable';

/**
 * Decides where the data is kept. That is the wanted place, unless the account cannot get there. Then it is a new
 * directory under /var/lib/qurable, and the wanted place becomes a symbolic link to it, so that the project can be
 * moved and never finds the data of another one.
 *
 * @param wanted an absolute path that need not exist; its parent is created with mode 0700.
 * @returns the absolute path without symbolic links; the directory itself need not exist yet.
 * @throws EmbeddedStartError when a link leads nowhere or no directory can be made.
 */
export function placeData(wanted: string, account: Account | undefined): string {
  makeOwnDirectory(dirname(wanted), 0o700);
  const parent = realpathSync(dirname(wanted));
  refuseForeignDirectory(parent);
  const entry = lstatSync(wanted, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink()) return followLink(wanted);
  if (entry !== undefined || canEnter(account, parent)) return join(parent, basename(wanted));
  const home = join(makeSharedRoot(), `data-${randomBytes(8).toString('hex')}`);
  makeOwnDirectory(home, 0o711);
  symlinkSync(join(home, 'postgres'), wanted);
  return join(home, 'postgres');
}

/**
 * Makes /var/lib/qurable when it is missing and checks that only root can change what is in it.
 *
 * @throws EmbeddedStartError when it cannot be made or is not safe.
 */
export function makeSharedRoot(): string {
  makeOwnDirectory(sharedRoot, 0o711);
  const { uid, mode } = lstatSync(sharedRoot);
  if (uid !== 0 || (mode & 0o022) !== 0 || !lstatSync(sharedRoot).isDirectory()) {
    throw new EmbeddedStartError(`${sharedRoot} must be a directory that only root can write to.`);
  }
  return sharedRoot;
}

function makeOwnDirectory(directory: string, mode: number): void {
  try {
    // The umask may have taken bits away that the server's account needs.
    if (makeDirectory(directory, mode)) chmodSync(directory, mode);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EmbeddedStartError(`The directory ${directory} cannot be made: ${why}`);
  }
}

function refuseForeignDirectory(directory: string): void {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new EmbeddedStartError(
      `${directory} belongs to another user; start as that user, or set QURABLE_HOME to a directory of yours.`,
    );
  }
}

function followLink(link: string): string {
  const target = readlinkSync(link);
  try {
    // The last part may be missing when an earlier start ended before the database was made.
    return join(realpathSync(dirname(target)), basename(target));
  } catch {
    throw new EmbeddedStartError(`${link} leads to ${target}, which is gone; delete the link to begin with no data.`);
  }
}
