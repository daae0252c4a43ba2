import { LineQueue, type LogLine } from './line-queue.ts';

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

/**
 * How long lines are gathered behind a write, unless somebody waits for one of them. A write costs as much as the
 * making of some ten lines.
 */
const gatherMillis = 20;
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
  return new QueuedOutput(sink, isTerminal, noticeOf);
}

class QueuedOutput implements Output {
  readonly isTerminal: boolean;
  readonly #sink: Sink;
  readonly #queue: LineQueue;
  #isWriting = false;
  /** The write that is to come. */
  #planned: { isSoon: boolean; cancel: () => void } | null = null;
  #lastWroteAt = Number.NEGATIVE_INFINITY;
  /** The last write failed or took too long: nobody waits for another until one succeeds. */
  #isDead = false;
  #retry: { timer: NodeJS.Timeout; now: () => void } | null = null;
  #onSettled: (() => void)[] = [];

  constructor(sink: Sink, isTerminal: boolean, noticeOf?: (dropped: number) => string) {
    this.#sink = sink;
    this.isTerminal = isTerminal;
    this.#queue = new LineQueue(noticeOf);
  }

  droppedLines(): number {
    return this.#queue.droppedLines;
  }

  write(lines: string): void {
    this.#enqueue(lines, null);
  }

  writeNow(line: string): Promise<void> {
    const onTimeUp = () => {
      this.#isDead = true;
    };
    return within(waitMaxMillis, onTimeUp, (settle) => {
      if (!this.#enqueue(line, settle) || this.#isDead) settle();
    });
  }

  flush(): Promise<void> {
    if (!this.#isWriting && this.#queue.isEmpty) return Promise.resolve();
    return within(flushMaxMillis, null, (settle) => {
      this.#onSettled.push(settle);
      if (this.#retry === null) this.#next();
      else {
        clearTimeout(this.#retry.timer);
        this.#retry.now();
      }
    });
  }

  /** Returns whether there was room. */
  #enqueue(text: string, settle: LogLine['settle']): boolean {
    if (!this.#queue.add(text, settle)) return false;
    if (!this.#isWriting) this.#plan();
    return true;
  }

  /**
   * Plans a write at the end of this turn of the event loop, so that its lines share it; or, where nobody waits, after
   * the lines that come soon.
   */
  #plan(): void {
    if (this.#planned?.isSoon) return;
    const wait = this.#isUrgent ? 0 : this.#lastWroteAt + gatherMillis - performance.now();
    if (this.#planned !== null && wait > 0) return;
    this.#planned?.cancel();
    const write = () => this.#next();
    if (wait > 0) {
      const timer = setTimeout(write, wait);
      this.#planned = { isSoon: false, cancel: () => clearTimeout(timer) };
    } else {
      const immediate = setImmediate(write);
      this.#planned = { isSoon: true, cancel: () => clearImmediate(immediate) };
    }
  }

  get #isUrgent(): boolean {
    return this.#queue.isUrgent || this.#onSettled.length > 0;
  }

  #next(): void {
    if (this.#isWriting) return;
    this.#planned?.cancel();
    this.#planned = null;
    const lines = this.#queue.take();
    if (lines.length === 0) {
      this.#tellSettled();
      return;
    }
    this.#isWriting = true;
    this.#lastWroteAt = performance.now();
    this.#attempt(Buffer.from(lines.map(({ text }) => text).join('')), lines);
  }

  #attempt(bytes: Buffer, lines: LogLine[]): void {
    this.#retry = null;
    this.#sink(bytes, (error, written) => {
      const rest = bytes.subarray(written);
      if (error !== null) return this.#fail(rest, lines);
      if (rest.length > 0) return this.#attempt(rest, lines);
      this.#isWriting = false;
      this.#isDead = false;
      this.#queue.release(lines);
      if (this.#queue.isEmpty || this.#isUrgent) this.#next();
      else this.#plan();
    });
  }

  #fail(rest: Buffer, lines: LogLine[]): void {
    this.#isDead = true;
    this.#queue.giveUpWaiting(lines);
    const now = () => this.#attempt(rest, lines);
    this.#retry = { timer: setTimeout(now, retryMillis).unref(), now };
    this.#tellSettled();
  }

  #tellSettled(): void {
    const waiting = this.#onSettled;
    this.#onSettled = [];
    for (const settle of waiting) settle();
  }
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
