import type { Clock } from '../clock.ts';
import { loggable } from '../db/sql-errors.ts';
import type { Log } from '../log.ts';
import { addFailures, type Failures } from './failure-rules.ts';
import type { FailureMark, FailureSide } from './failure-side.ts';
import type { RecentLookUps } from './recent-look-ups.ts';
import { type FailureKind, failureBudgets, throttleLimits } from './throttle-limits.ts';

/**
 * The failures of a key as this process knows them: those that all tasks have counted, and its own that are not shared
 * yet.
 */
export interface FailureEntry {
  kind: FailureKind;
  tenantId: number;
  keyHash: string;
  failures: Failures;
  /** What all tasks had counted when that was last read; null: nothing was. */
  learned: Failures | null;
  /** Failures of this process that the others don't know of yet. */
  unsent: number;
  /** For a token whose failures are close to a flood; else null, since it needs some memory. */
  recent: RecentLookUps | null;
}

/** Tells all tasks what this one has counted, and learns what they have. */
export interface FailureSharing {
  /** The entry of a key that waits to be shared. */
  waitingEntry(key: string): FailureEntry | undefined;
  /** Has the entry shared next time; beyond pendingMaxKeys it waits for its next failure. */
  add(key: string, entry: FailureEntry): void;
  /** Shares what was added. Resolves when that is done, or after noteMaxWaitMillis; never rejects. */
  share(): Promise<void>;
}

/**
 * Opens the sharing over `sides`. Each time they are tried in their order, so that the first one is used again as soon
 * as it answers. One sharing runs at a time; what is added meanwhile is gathered for the next.
 * @param sides at least one; the last never rejects
 */
export function openFailureSharing(sides: readonly FailureSide[], clock: Clock, log: Log): FailureSharing {
  let gathered = emptyGathering();
  let isSharing = false;
  let sideInUse = sides[0]!.name;

  async function shareAll(): Promise<void> {
    isSharing = true;
    while (gathered.entries.size > 0) {
      const { entries: batch, shared } = gathered;
      gathered = emptyGathering();
      await shareBatch([...batch.values()]);
      shared.resolve();
    }
    isSharing = false;
  }

  async function shareBatch(batch: readonly FailureEntry[]): Promise<void> {
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
    waitingEntry: (key) => gathered.entries.get(key),
    add(key, entry) {
      if (gathered.entries.size < throttleLimits.pendingMaxKeys) gathered.entries.set(key, entry);
    },
    async share() {
      const { promise } = gathered.shared;
      if (!isSharing) void shareAll();
      await settledWithin(promise, throttleLimits.noteMaxWaitMillis);
    },
  };
}

/** Entries with failures that the other tasks don't know of yet, and the moment when they do. */
interface Gathering {
  entries: Map<string, FailureEntry>;
  shared: PromiseWithResolvers<void>;
}

function emptyGathering(): Gathering {
  return { entries: new Map(), shared: Promise.withResolvers<void>() };
}

function addUnsent(entry: FailureEntry, now: number): Failures {
  return entry.unsent === 0
    ? entry.learned!
    : addFailures(entry.learned, entry.unsent, failureBudgets[entry.kind], now);
}

/** Milliseconds since 1970 without their fraction, as the sides count. */
export function wholeNow(clock: Clock): number {
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
