import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { ArchiveError, type ArchiveStore } from '../../core/index.ts';

/** What the system's errors mean for whoever reads them. */
const causes: Record<string, string> = {
  EACCES: 'this account may not use it: give it the right, or choose another folder by EVENTS_ARCHIVE',
  EPERM: 'this account may not use it: give it the right, or choose another folder by EVENTS_ARCHIVE',
  EROFS: 'it can only be read: choose another folder by EVENTS_ARCHIVE',
  ENOSPC: 'the disk is full: make room, then run it again, which goes on',
  ENOTDIR: 'a part of its path is a file: choose another folder by EVENTS_ARCHIVE',
};

/** Keeps exported events in a folder of this machine. What it throws says how to mend it: an ArchiveError, mostly. */
export function openFolderArchive(folder: string): ArchiveStore {
  const inFolder = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const cause = causes[(error as NodeJS.ErrnoException).code ?? ''];
      throw cause === undefined ? error : new ArchiveError(`${folder} can't be used: ${cause}`);
    }
  };
  return {
    name: folder,
    put: (path, bytes) => inFolder(() => putFile(join(folder, path), bytes)),
    get: (path) => inFolder(() => readFile(join(folder, path)).catch(nullIfMissing)),
    remove: (path) => inFolder(() => rm(join(folder, path), { force: true })),
    list: () =>
      inFolder(async () => {
        const entries = (await readdir(folder, { recursive: true, withFileTypes: true }).catch(nullIfMissing)) ?? [];
        return entries
          .filter((entry) => entry.isFile())
          .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
      }),
  };
}

/** Under another name first, and flushed: a file that has its name is whole, whatever happens to the machine. */
async function putFile(path: string, bytes: Uint8Array): Promise<void> {
  const parent = dirname(path);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const unfinished = `${path}.unfinished`;
  await withFile(unfinished, 'w', async (file) => {
    await file.writeFile(bytes);
    await file.sync();
  });
  await rename(unfinished, path);
  // Windows can't flush a folder, and need not.
  if (process.platform !== 'win32') await withFile(parent, 'r', (opened) => opened.sync());
}

async function withFile(path: string, flags: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await work(file);
  } finally {
    await file.close();
  }
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
