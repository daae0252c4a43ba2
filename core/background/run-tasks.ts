import type { Clock } from '../clock.ts';
import { loggable } from '../db/sql-errors.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';

/** Something that a process does beside requests, a bounded piece at a time. */
export interface BackgroundTask {
  /** For the log. One name a process. */
  readonly name: string;
  /**
   * How long it rests once a piece found nothing more to do. Some spread is added, so that processes don't go in step.
   */
  readonly restMillis: number;
  /**
   * Does one piece, of a second at most where it can. Every process runs every task, so pieces of different processes
   * must agree by locks or leases in the database. Whatever it throws is logged, and it is tried again after a rest.
   * @param signal aborted when the process is to end: the piece under way is waited for
   * @returns whether there is more to do at once
   */
  run(signal: AbortSignal): Promise<'more' | 'rest'>;
}

/** How a task fares. */
export interface TaskState {
  readonly name: string;
  /** Since it last succeeded. */
  readonly failuresInARow: number;
  /** Milliseconds since the Unix epoch; null: it has not failed since the process began. */
  readonly lastFailedAt: number | null;
}

/** Tasks that are running. */
export interface RunningTasks {
  /** How they fare, in their order. */
  states(): readonly TaskState[];
  /** Ends the rest of the task of that name, if it rests: there is something to do. Unknown names do nothing. */
  wake(name: string): void;
  /** Starts no further piece, and resolves once the pieces that are under way have ended. Safe to call twice. */
  close(): Promise<void>;
}

/** After failures a task rests longer each time, up to this. */
const restAfterFailureMaxMillis = 60_000;

/**
 * Runs each task by itself, piece after piece, until it is closed. One that is slow, or fails, delays no other. Nothing
 * of it keeps the process alive.
 */
export function runTasks(
  tasks: readonly BackgroundTask[],
  parts: { log: Log; random: Random; clock: Pick<Clock, 'now'> },
): RunningTasks {
  const ending = new AbortController();
  const wakers = new Map<string, () => void>();
  const rest = (name: string, millis: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, millis);
      timer.unref();
      wakers.set(name, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  const states = tasks.map(({ name }) => ({ name, failuresInARow: 0, lastFailedAt: null }));
  const runs = tasks.map((task, index) => repeat(task, states[index]!, rest, ending.signal, parts));
  const wake = (name: string) => wakers.get(name)?.();
  return {
    states: () => states.map((state) => ({ ...state })),
    wake,
    async close() {
      ending.abort();
      for (const { name } of tasks) wake(name);
      await Promise.all(runs);
    },
  };
}

async function repeat(
  { name, restMillis, run }: BackgroundTask,
  state: { -readonly [Field in keyof TaskState]: TaskState[Field] },
  rest: (name: string, millis: number) => Promise<void>,
  signal: AbortSignal,
  { log, random, clock }: { log: Log; random: Random; clock: Pick<Clock, 'now'> },
): Promise<void> {
  while (!signal.aborted) {
    try {
      const found = await run(signal);
      state.failuresInARow = 0;
      if (found === 'more') continue;
    } catch (error) {
      state.failuresInARow += 1;
      state.lastFailedAt = clock.now();
      log.warn({ task: name, error: loggable(error) }, 'a background task failed and goes on later');
    }
    if (signal.aborted) return;
    await rest(name, spread(restOf(restMillis, state.failuresInARow), random));
  }
}

/** Twice as long after each failure in a row. */
function restOf(restMillis: number, failures: number): number {
  return failures === 0 ? restMillis : Math.max(restMillis, Math.min(restAfterFailureMaxMillis, 1_000 * 2 ** failures));
}

/** 90 to 110 % of it. */
function spread(millis: number, random: Random): number {
  return millis * (0.9 + 0.2 * (random.below(1_000) / 1_000));
}
