/**
 * Where exported events are kept: a folder, or a prefix in a bucket. Paths are like `2026-01/manifest.json`. Every call
 * throws ArchiveError where the place can't be used, saying how to mend it.
 */
export interface ArchiveStore {
  /** How people know it: a folder's path, or `s3://bucket/prefix`. */
  readonly name: string;
  /** Writes a file whole or not at all, and durably: once it resolves, it survives a crash. Replaces what was there. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** Reads a whole file; null where there is none. */
  get(path: string): Promise<Buffer | null>;
  /** Removes a file; one that is not there is removed already. */
  remove(path: string): Promise<void>;
  /** The paths of all files, in any order. */
  list(): Promise<string[]>;
}
