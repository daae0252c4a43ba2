import type { Snapshot } from './snapshot-rules.ts';

/** The tag that marks what `snapshot` made; its value is the prefix. */
export const madeByTag = 'qurable:snapshots-of';

/** A service that keeps snapshots: the same three operations for RDS and ElastiCache. */
export interface SnapshotStore {
  /** As in logs and reports: `database` or `cache`. */
  what: string;
  /** Whether all that is in it may be lost. Then a failed snapshot is only a warning and stops no deployment. */
  holdsHints: boolean;
  /** All manual snapshots whose names begin with the prefix, whoever made them. */
  list(): Promise<Snapshot[]>;
  /** Asks for a snapshot. If there is one of that name already, from an earlier try, that is a success. */
  create(name: string): Promise<void>;
  /** Deletes a snapshot. If it is gone already, that is a success. */
  remove(name: string): Promise<void>;
}

/** Runs a call and treats one error, given by its name, as success. */
export async function acceptError(name: string, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== name) throw error;
  }
}
