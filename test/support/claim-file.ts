import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Claims work that several processes of a test run could do, so that one does it and the others wait for what comes of
 * it. Whoever has done it deletes the file; one that a killed process has left counts for nothing.
 *
 * @param path the same for all who could do the work; its folder must be there
 * @returns whether the claim is this process's own now. If not, look for the result, and ask again.
 */
export function claimFile(path: string): boolean {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Two may find it left at once, and the second then deletes the claim of the first: both do the work.
    if (!isHeld(path)) rmSync(path, { force: true });
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Whether the process that made a claim still runs; of one that is gone meanwhile that does not matter. */
function isHeld(path: string): boolean {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
