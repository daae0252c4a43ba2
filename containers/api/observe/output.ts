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
  #isScheduled = false;
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

  /** Returns whether there was room. Lines of one turn of the event loop share a write. */
  #enqueue(text: string, settle: LogLine['settle']): boolean {
    if (!this.#queue.add(text, settle)) return false;
    if (!this.#isWriting && !this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.#next();
      });
    }
    return true;
  }

  #next(): void {
    if (this.#isWriting) return;
    const lines = this.#queue.take();
    if (lines.length === 0) {
      this.#tellSettled();
      return;
    }
    this.#isWriting = true;
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
      this.#next();
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
