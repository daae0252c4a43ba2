import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Reads a file that holds a secret, after making it with mode 0600 when it is missing. It gets its name only when it is
 * complete and never replaces one: of two starts at once both go on with the same content.
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
