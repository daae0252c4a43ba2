/** Why a snapshot is made. Each kind is counted apart, so that many deployments push out no daily snapshot. */
export type SnapshotKind = 'daily' | 'deploy';

/** A snapshot, as far as the retention needs it. */
export interface Snapshot {
  name: string;
  /** Milliseconds since the Unix epoch; null while it has only been asked for. */
  createdMillis: number | null;
  /** Whether it is complete, so that it can be restored. */
  available: boolean;
  /** Whether it has the tag that only `snapshot` sets, with the value of this stack. */
  tagged: boolean;
}

/** How long snapshots are kept. */
export interface Retention {
  days: number;
  /** At least so many complete ones of a kind stay, however old they are. */
  keepLeast: number;
  /** At most so many stay, however new they are: an account has room for 100. */
  keepMost: number;
}

const dayMillis = 86_400_000;
/** ElastiCache's limit, the smaller one. */
const maxNameCharacters = 40;
const maxRunCharacters = 8;

/**
 * Names a snapshot by prefix, kind, date (UTC) and run, so that the same run always gives the same name.
 * @param prefix as in `qurable-prod`; a name of another prefix is never touched
 * @param run tells the runs of a day apart; only its small letters and digits are used
 * @throws Error when the name does not fit the services' rules
 */
export function snapshotName(prefix: string, kind: SnapshotKind, at: Date, run: string): string {
  const date = at.toISOString().slice(0, 10).replaceAll('-', '');
  const name = `${prefix}-${kind}-${date}-${runPart(run)}`;
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > maxNameCharacters) {
    throw new Error(
      `${name} is not a snapshot's name: small letters, digits and single hyphens, at most 40 characters`,
    );
  }
  return name;
}

/** Whether a snapshot is one of this prefix and kind that `snapshot` itself made. */
export function isOwn(snapshot: Snapshot, prefix: string, kind: SnapshotKind): boolean {
  const start = `${prefix}-${kind}-`;
  return (
    snapshot.tagged && snapshot.name.startsWith(start) && /^\d{8}-[a-z0-9]+$/.test(snapshot.name.slice(start.length))
  );
}

/** The snapshot that an earlier attempt of the same run made, also when midnight has passed since; null: none. */
export function findOfRun(own: readonly Snapshot[], run: string): Snapshot | null {
  return own.find((snapshot) => snapshot.name.endsWith(`-${runPart(run)}`)) ?? null;
}

/**
 * Chooses which of its own snapshots of one kind `snapshot` deletes. Only complete ones count and are deleted: a new
 * one that is still being made, and may fail, does not push out the last good one.
 */
export function chooseExpired(own: readonly Snapshot[], retention: Retention, nowMillis: number): string[] {
  return own
    .filter((snapshot) => snapshot.available && snapshot.createdMillis !== null)
    .sort((a, b) => (b.createdMillis ?? 0) - (a.createdMillis ?? 0))
    .filter(({ createdMillis }, index) => {
      if (index >= retention.keepMost) return true;
      return index >= retention.keepLeast && nowMillis - (createdMillis ?? 0) > retention.days * dayMillis;
    })
    .map((snapshot) => snapshot.name);
}

/** The part of a name that a run gives: its last characters, because ids differ there. */
function runPart(run: string): string {
  const part = run
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(-maxRunCharacters);
  if (part === '') throw new Error('a run must have letters or digits');
  return part;
}
