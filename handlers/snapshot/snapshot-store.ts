import type { Snapshot } from './snapshot-rules.ts';

/** The tag that marks what `snapshot` made; its value is the prefix. */
export const madeByTag = 'qurable:snapshots-of';

/** A service that keeps snapshots: the same three verbs for RDS and ElastiCache. */
export interface SnapshotStore {
  /** As in logs and reports: `database` or `cache`. */
  what: string;
  /** Whether all that is in it can be lost: then a snapshot that fails is a warning, and keeps no deployment from beginning. */
  holdsHints: boolean;
  /** All manual snapshots whose names begin with the prefix, made by whomever. */
  list(): Promise<Snapshot[]>;
  /** Asks for a snapshot. One of that name that is there already, by a retry, is as good. */
  create(name: string): Promise<void>;
  /** Deletes a snapshot. One that is gone already is as good. */
  remove(name: string): Promise<void>;
}

/** Runs a call and takes one error, told by its name, for success. */
export async function acceptError(name: string, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== name) throw error;
  }
}
