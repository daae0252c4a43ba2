import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Reads a file with a secret, after making it with mode 0600 if it is missing. It gets its name once it is complete and
 * never replaces another file: two starts at once use the same content.
 *
 * @param make gives the content of a new file.
 * @returns the file's content.
 */
export function createFileOnce(file: string, make: () => string): string {
  if (!existsSync(file)) {
    const unfinished = `${file}.${randomBytes(4).toString('hex')}`;
    writeFileSync(unfinished, make(), { mode: 0o600, flag: 'wx' });
    try {
      linkSync(unfinished, file);
    } catch (error) {
      if (!existsSync(file)) throw error;
    } finally {
      rmSync(unfinished);
    }
  }
  return readFileSync(file, 'utf8');
}
