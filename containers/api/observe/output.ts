import { type Line, LineQueue } from './line-queue.ts';

/**
 * Text on its way to standard output or standard error. Nobody waits for it: a terminal that is gone or stopped, a full
 * disk and a reader that has stopped reading hold up neither a request nor the end of the process.
 */
export interface Output {
  /** Queues whole lines. They are dropped, and counted, while the queue is full. Never throws. */
  write(lines: string): void;
  /**
   * Queues a line, for which the queue has some room beyond its bound. Resolves once it has been handed to the
   * operating system, or within 100 ms where that does not happen. Never rejects.
   */
  writeNow(line: string): Promise<void>;
  /** Writes what is queued. Resolves once that is done, or has failed, or after a second. Never rejects. */
  flush(): Promise<void>;
  /** Lines dropped since the beginning. */
  droppedLines(): number;
  /** Whether a person is looking. */
  readonly isTerminal: boolean;
}

/**
 * Hands bytes to the operating system without waiting for it on this thread, and tells how many it took and what went
 * wrong. It need not ever tell, as when a reader stopped reading.
 */
export type Sink = (bytes: Buffer, done: (error: Error | null, written: number) => void) => void;

/** A disk gets space back, and a terminal never comes back: neither is worth asking more often. */
const retryMillis = 500;
const waitMaxMillis = 100;
const flushMaxMillis = 1_000;

/**
 * Opens a queue in front of a sink. What could not be written is kept and tried again; once the queue is full, lines
 * are dropped until half of it is written, and the notice stands in their place.
 * @param noticeOf the line that tells how many were dropped; without it nothing tells
 */
export function openOutput(sink: Sink, isTerminal: boolean, noticeOf?: (dropped: number) => string): Output {
  const queue = new LineQueue(noticeOf);
  let isWriting = false;
  let isScheduled = false;
  /** The last write failed or took too long: nobody waits for another until one succeeds. */
  let isDead = false;
  let retry: { timer: NodeJS.Timeout; now: () => void } | null = null;
  let onSettled: (() => void)[] = [];

  /** Returns whether there was room. Lines of one turn of the event loop share a write. */
  function enqueue(text: string, settle: Line['settle']): boolean {
    if (!queue.add(text, settle)) return false;
    if (!isWriting && !isScheduled) {
      isScheduled = true;
      setImmediate(() => {
        isScheduled = false;
        next();
      });
    }
    return true;
  }

  function next(): void {
    if (isWriting) return;
    const lines = queue.take();
    if (lines.length === 0) {
      tellSettled();
      return;
    }
    isWriting = true;
    attempt(Buffer.from(lines.map(({ text }) => text).join('')), lines);
  }

  function attempt(bytes: Buffer, lines: Line[]): void {
    retry = null;
    sink(bytes, (error, written) => {
      const rest = bytes.subarray(written);
      if (error !== null) return fail(rest, lines);
      if (rest.length > 0) return attempt(rest, lines);
      isWriting = false;
      isDead = false;
      queue.release(lines);
      next();
    });
  }

  function fail(rest: Buffer, lines: Line[]): void {
    isDead = true;
    queue.giveUpWaiting(lines);
    const now = () => attempt(rest, lines);
    retry = { timer: setTimeout(now, retryMillis).unref(), now };
    tellSettled();
  }

  function tellSettled(): void {
    const waiting = onSettled;
    onSettled = [];
    for (const settle of waiting) settle();
  }

  function writeNow(line: string): Promise<void> {
    const onTimeUp = () => {
      isDead = true;
    };
    return within(waitMaxMillis, onTimeUp, (settle) => {
      if (!enqueue(line, settle) || isDead) settle();
    });
  }

  function flush(): Promise<void> {
    if (!isWriting && queue.isEmpty) return Promise.resolve();
    return within(flushMaxMillis, null, (settle) => {
      onSettled.push(settle);
      if (retry === null) next();
      else {
        clearTimeout(retry.timer);
        retry.now();
      }
    });
  }

  return {
    isTerminal,
    droppedLines: () => queue.droppedLines,
    write: (lines) => void enqueue(lines, null),
    writeNow,
    flush,
  };
}

/** Resolves once what is begun has settled, or after so many milliseconds. */
function within(millis: number, onTimeUp: (() => void) | null, begin: (settle: () => void) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    onTimeUp?.();
    resolve();
  }, millis);
  begin(() => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}
