import { fstatSync, write as writeFile } from 'node:fs';
import { isatty } from 'node:tty';

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

/** More than a minute's lines at a usual pace; a task has a hundred times as much memory. */
const queueMaxChars = 2_000_000;
/** Room for lines that somebody waits for, in a queue that is full of others. */
const reservedChars = 200_000;
/** What a pipe holds. A failed write is repeated from where it ended, so a larger one would gain nothing. */
const chunkMaxChars = 65_536;
/** A disk gets space back, and a terminal never comes back: neither is worth asking more often. */
const retryMillis = 500;
const waitMaxMillis = 100;
const flushMaxMillis = 1_000;

interface Line {
  text: string;
  /** Called once the line is written or given up. */
  settle: (() => void) | null;
}

/**
 * Opens a queue in front of a sink. What could not be written is kept and tried again; once the queue is full, lines
 * are dropped until half of it is written, and the notice stands in their place.
 * @param noticeOf the line that tells how many were dropped; without it nothing tells
 */
export function openOutput(sink: Sink, isTerminal: boolean, noticeOf?: (dropped: number) => string): Output {
  const queue: Line[] = [];
  let queuedChars = 0;
  let isWriting = false;
  let isScheduled = false;
  /** The last write failed or took too long: nobody waits for another until one succeeds. */
  let isDead = false;
  let isFull = false;
  let untold = 0;
  let dropped = 0;
  let retry: { timer: NodeJS.Timeout; now: () => void } | null = null;
  let onSettled: (() => void)[] = [];

  /** Returns whether there was room. */
  function enqueue(text: string, settle: Line['settle']): boolean {
    const isAwaited = settle !== null;
    if (queuedChars + text.length > queueMaxChars + (isAwaited ? reservedChars : 0)) isFull = true;
    else if (isAwaited || !isFull) {
      queue.push({ text, settle });
      queuedChars += text.length;
      schedule();
      return true;
    }
    dropped += 1;
    untold += 1;
    return false;
  }

  /** Lines of one turn of the event loop share a write. */
  function schedule(): void {
    if (isWriting || isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      next();
    });
  }

  function next(): void {
    if (isWriting) return;
    if (isFull && queuedChars <= queueMaxChars / 2) tellDropped();
    if (queue.length === 0) {
      tellSettled();
      return;
    }
    const lines = takeChunk();
    isWriting = true;
    attempt(Buffer.from(lines.map(({ text }) => text).join('')), lines);
  }

  function tellDropped(): void {
    isFull = false;
    const notice = noticeOf?.(untold) ?? '';
    untold = 0;
    queue.push({ text: notice, settle: null });
    queuedChars += notice.length;
  }

  function takeChunk(): Line[] {
    let chars = 0;
    const after = queue.findIndex(({ text }) => {
      chars += text.length;
      return chars > chunkMaxChars;
    });
    return queue.splice(0, after === -1 ? queue.length : Math.max(1, after));
  }

  function attempt(bytes: Buffer, lines: Line[]): void {
    retry = null;
    sink(bytes, (error, written) => {
      const rest = bytes.subarray(written);
      if (error !== null) return fail(rest, lines);
      if (rest.length > 0) return attempt(rest, lines);
      isWriting = false;
      isDead = false;
      for (const { text, settle } of lines) {
        queuedChars -= text.length;
        settle?.();
      }
      next();
    });
  }

  function fail(rest: Buffer, lines: Line[]): void {
    isDead = true;
    for (const line of [...lines, ...queue]) {
      line.settle?.();
      line.settle = null;
    }
    const now = () => attempt(rest, lines);
    retry = { timer: setTimeout(now, retryMillis).unref(), now };
    tellSettled();
  }

  function tellSettled(): void {
    const waiting = onSettled;
    onSettled = [];
    for (const settle of waiting) settle();
  }

  return {
    isTerminal,
    droppedLines: () => dropped,
    write: (lines) => void enqueue(lines, null),
    writeNow: (line) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(() => {
        isDead = true;
        resolve();
      }, waitMaxMillis);
      const settle = () => {
        clearTimeout(timer);
        resolve();
      };
      if (!enqueue(line, settle) || isDead) settle();
      return promise;
    },
    flush: () => {
      if (!isWriting && queue.length === 0) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, flushMaxMillis);
      onSettled.push(() => {
        clearTimeout(timer);
        resolve();
      });
      if (retry !== null) {
        clearTimeout(retry.timer);
        retry.now();
      } else next();
      return promise;
    },
  };
}

/**
 * Opens standard output (1) or standard error (2). A terminal and a pipe are written by the event loop, which never
 * sleeps in a write. A file is written by a thread: it always takes what it has space for, while a thread that wrote to
 * a full pipe would sleep there for ever, and the end of the process would wait for it.
 */
export function openStandardOutput(fd: 1 | 2, noticeOf?: (dropped: number) => string): Output {
  return openOutput(
    isSeekable(fd) ? fileSink(fd) : streamSink(fd === 1 ? process.stdout : process.stderr),
    isatty(fd),
    noticeOf,
  );
}

function isSeekable(fd: number): boolean {
  const stats = fstatSync(fd);
  return stats.isFile() || (stats.isCharacterDevice() && !isatty(fd));
}

function fileSink(fd: number): Sink {
  return (bytes, done) => writeFile(fd, bytes, 0, bytes.length, null, done);
}

function streamSink(stream: NodeJS.WriteStream): Sink {
  // A terminal's stream would sleep in its writes while somebody holds the output back by Ctrl-S.
  const { _handle: handle } = stream as { _handle?: { setBlocking?: (isBlocking: boolean) => unknown } };
  handle?.setBlocking?.(false);
  // Each write is told of its own error; without a listener the event would end the process.
  stream.on('error', () => {});
  return (bytes, done) => {
    stream.write(bytes, (error) => done(error ?? null, error ? 0 : bytes.length));
  };
}
