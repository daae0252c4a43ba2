import { BoundedMap } from '../bounded-map.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { addFailures, type FailureView, failuresLeft } from './failure-rules.ts';
import type { FailureSide } from './failure-side.ts';
import { RecentLookUps } from './recent-look-ups.ts';
import { type FailureEntry, openFailureSharing, wholeNow } from './share-failures.ts';
import { type FailureKind, failureBudgets, throttleLimits } from './throttle-limits.ts';

/** One key whose failures are counted. */
export interface FailureName {
  kind: FailureKind;
  tenantId: number;
  /** The user's id, the token's actor or the address. It stays in this process. */
  name: string;
  /** All of these in one text: the key in this process's maps. */
  key: string;
}

/** Names a key. */
export function failureName(kind: FailureKind, tenantId: number, name: string): FailureName {
  return { kind, tenantId, name, key: `${kind} ${tenantId} ${name}` };
}

/** The failures that this process knows of. It shares them with all tasks. */
export interface KnownFailures {
  /** True if no key has failures. That is the usual state, and knowing it costs no look-up. */
  readonly isEmpty: boolean;
  /** The failures of a key, from memory alone; undefined where it has none left. */
  view(name: FailureName): FailureView | undefined;
  /** Notes that a look-up of the key found its code. Does nothing for a key without failures. */
  noteFound(name: FailureName, code: string, userId: string | null): void;
  /**
   * Counts one failure of each key: in this process at once, for all tasks soon after. Resolves when the shared count
   * is known, or after noteMaxWaitMillis; never rejects.
   * @param userId for whom it was looked up; null: for nobody in particular
   */
  note(names: readonly FailureName[], userId: string | null): Promise<void>;
}

/**
 * Keeps failures in memory and shares them with all tasks.
 * @param sides where they are shared, see openFailureSharing
 * @param hash makes a name that can't be read back, for what leaves the process
 */
export function openKnownFailures(
  sides: readonly FailureSide[],
  hash: (kind: FailureKind, name: string) => string,
  clock: Clock,
  log: Log,
): KnownFailures {
  const entries = new BoundedMap<string, FailureEntry>(throttleLimits.knownMaxEntries);
  const sharing = openFailureSharing(sides, clock, log);

  /** The entry of a key that still has failures. An empty one is dropped. */
  function live(key: string, now: number): FailureEntry | undefined {
    const entry = entries.get(key);
    if (entry === undefined || entry.failures.emptyAt > now) return entry;
    entries.delete(key);
    return undefined;
  }

  function count({ kind, tenantId, name, key }: FailureName, userId: string | null, now: number): void {
    // An entry that became empty or was dropped while it waits to be shared is still the key's only entry.
    let entry = live(key, now) ?? sharing.waitingEntry(key);
    if (entry === undefined) {
      const failures = { emptyAt: now, lastAt: now };
      entry = { kind, tenantId, keyHash: hash(kind, name), failures, learned: null, unsent: 0, recent: null };
    }
    entry.failures = addFailures(entry.failures, 1, failureBudgets[kind], now);
    entry.unsent += 1;
    watch(entry, now);
    entry.recent?.noteFailed(userId);
    // Written again, so that it is dropped last.
    entries.set(key, entry);
    sharing.add(key, entry);
  }

  return {
    get isEmpty() {
      return entries.size === 0;
    },
    noteFound({ key }, code, userId) {
      entries.get(key)?.recent?.noteFound(code, userId);
    },
    view({ key }) {
      const entry = live(key, clock.now());
      if (entry === undefined) return undefined;
      const { failures, recent } = entry;
      return { failures, lookups: recent?.total ?? 0, failedLookups: recent?.failed ?? 0 };
    },
    async note(names, userId) {
      const now = wholeNow(clock);
      for (const name of names) count(name, userId, now);
      await sharing.share();
    },
  };
}

/** Starts to watch a token's look-ups once its users have the smaller budget, which is before a flood. */
function watch(entry: FailureEntry, now: number): void {
  if (entry.recent !== null || entry.kind !== 'token') return;
  const budget = failureBudgets[entry.kind];
  if (failuresLeft(entry.failures, budget, now) >= budget.tightensAtFailures!) entry.recent = new RecentLookUps();
}
