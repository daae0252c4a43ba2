import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory, and those above it that are missing, each with the mode. Node's own recursive mkdir never ends
 * where a file system says that there is no such directory though its parent exists, as /proc does.
 *
 * @param directory an absolute path.
 * @returns whether the directory is new.
 * @throws Error of the file system, which names the directory that could not be made.
 */
export function makeDirectory(directory: string, mode: number): boolean {
  if (existsSync(directory)) return false;
  makeDirectory(dirname(directory), mode);
  try {
    mkdirSync(directory, { mode });
    return true;
  } catch (error) {
    // Another start may have made it in between. A link that leads nowhere is no directory either.
    if (existsSync(directory)) return false;
    throw error;
  }
}
