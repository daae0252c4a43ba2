import { BoundedMap } from '../bounded-map.ts';
import type { Clock } from '../clock.ts';
import { loggable } from '../db/sql-errors.ts';
import type { Log } from '../log.ts';
import { addFailures, type Failures, type FailureView, failuresLeft } from './failure-rules.ts';
import type { FailureMark, FailureSide } from './failure-side.ts';
import { RecentLookUps } from './recent-look-ups.ts';
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

/** A key in this process: what all tasks had counted, and what they don't know yet. */
interface Entry {
  kind: FailureKind;
  tenantId: number;
  keyHash: string;
  failures: Failures;
  learned: Failures | null;
  unsent: number;
  /** For a token whose failures are close to a flood; else null, since it needs some memory. */
  recent: RecentLookUps | null;
}

/**
 * Keeps failures in memory and shares them through `sides`. Each time they are tried in their order, so that the first
 * one is used again as soon as it answers. One sharing runs at a time; what fails meanwhile is gathered for the next.
 * @param sides at least one; the last never rejects
 * @param hash makes a name that can't be read back, for what leaves the process
 */
export function openKnownFailures(
  sides: readonly FailureSide[],
  hash: (kind: FailureKind, name: string) => string,
  clock: Clock,
  log: Log,
): KnownFailures {
  const entries = new BoundedMap<string, Entry>(throttleLimits.knownMaxEntries);
  let gathered = emptyGathering();
  let sharing = false;
  let sideInUse = sides[0]!.name;

  /** The entry of a key that still has failures. An empty one is dropped. */
  function live(key: string, now: number): Entry | undefined {
    const entry = entries.get(key);
    if (entry === undefined || entry.failures.emptyAt > now) return entry;
    entries.delete(key);
    return undefined;
  }

  function count({ kind, tenantId, name, key }: FailureName, userId: string | null, now: number): void {
    // An entry that became empty or was dropped while it waits to be shared is still the key's only entry.
    let entry = live(key, now) ?? gathered.entries.get(key);
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
    if (gathered.entries.size < throttleLimits.pendingMaxKeys) gathered.entries.set(key, entry);
  }

  /** Starts to watch a token's look-ups once its users have the smaller budget, which is before a flood. */
  function watch(entry: Entry, now: number): void {
    if (entry.recent !== null || entry.kind !== 'token') return;
    const budget = failureBudgets[entry.kind];
    if (failuresLeft(entry.failures, budget, now) >= budget.tightensAtFailures!) entry.recent = new RecentLookUps();
  }

  async function shareAll(): Promise<void> {
    sharing = true;
    while (gathered.entries.size > 0) {
      const { entries: batch, shared } = gathered;
      gathered = emptyGathering();
      await share([...batch.values()]);
      shared.resolve();
    }
    sharing = false;
  }

  async function share(batch: readonly Entry[]): Promise<void> {
    const marks = batch.map(({ tenantId, keyHash, kind, unsent, learned }) => {
      return { tenantId, keyHash, kind, count: unsent, known: learned };
    });
    for (const entry of batch) entry.unsent = 0;
    const answers = await record(marks, wholeNow(clock));
    if (answers === null) return;
    const now = wholeNow(clock);
    batch.forEach((entry, index) => {
      entry.learned = answers[index]!;
      entry.failures = addUnsent(entry, now);
    });
  }

  /**
   * Asks the sides in turn. Null only if the last one rejects too, which leaves the entries as they were counted here.
   */
  async function record(marks: readonly FailureMark[], now: number): Promise<Failures[] | null> {
    for (const side of sides) {
      try {
        const answers = await side.record(marks, now);
        if (side.name !== sideInUse)
          log.info({ side: side.name, before: sideInUse }, 'failed look-ups are counted elsewhere');
        sideInUse = side.name;
        return answers;
      } catch (error) {
        if (side.name === sideInUse)
          log.warn({ side: side.name, error: loggable(error) }, 'failed look-ups can’t be counted here');
      }
    }
    return null;
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
      const { promise } = gathered.shared;
      if (!sharing) void shareAll();
      await settledWithin(promise, throttleLimits.noteMaxWaitMillis);
    },
  };
}

/** Entries with failures that the other tasks don't know of yet, and the moment when they do. */
interface Gathering {
  entries: Map<string, Entry>;
  shared: PromiseWithResolvers<void>;
}

function emptyGathering(): Gathering {
  return { entries: new Map(), shared: Promise.withResolvers<void>() };
}

function addUnsent(entry: Entry, now: number): Failures {
  return entry.unsent === 0
    ? entry.learned!
    : addFailures(entry.learned, entry.unsent, failureBudgets[entry.kind], now);
}

/** The sides count in whole milliseconds. */
function wholeNow(clock: Clock): number {
  return Math.floor(clock.now());
}

/** Waits for `work`, but no longer than `millis`. */
async function settledWithin(work: Promise<void>, millis: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, millis);
  });
  await Promise.race([work, timeUp]);
  clearTimeout(timer);
}
