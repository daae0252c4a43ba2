/** More than a minute's lines at a usual pace; a task has a hundred times as much memory. */
const queueMaxChars = 2_000_000;
/** Room for lines that somebody waits for, in a queue that is full of others. */
const reservedChars = 200_000;
/** What a pipe holds. A failed write is repeated from where it ended, so a larger one would gain nothing. */
const chunkMaxChars = 65_536;

/** One or several whole lines. */
export interface LogLine {
  readonly text: string;
  /** Called once the line is written or given up; null where nobody waits for it. */
  settle: (() => void) | null;
}

/**
 * Lines that wait to be written. Once their room is used up, lines are dropped until half of it is free again; a notice
 * of how many there were stands in their place.
 */
export class LineQueue {
  readonly #noticeOf: ((dropped: number) => string) | undefined;
  #lines: LogLine[] = [];
  /** Of the lines that are being written, too. */
  #chars = 0;
  /** Lines in the queue that somebody waits for. */
  #awaited = 0;
  #isFull = false;
  #untold = 0;
  #dropped = 0;

  /** @param noticeOf the line that tells how many were dropped; without it nothing tells */
  constructor(noticeOf?: (dropped: number) => string) {
    this.#noticeOf = noticeOf;
  }

  /** Lines dropped since the beginning. */
  get droppedLines(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** Whether somebody waits for a line, or there are as many as go into one write. */
  get isUrgent(): boolean {
    return this.#awaited > 0 || this.#chars > chunkMaxChars;
  }

  /**
   * Adds a line, or drops it.
   * @param settle of a line that somebody waits for, which has some room beyond the bound
   * @returns whether there was room
   */
  add(text: string, settle: LogLine['settle']): boolean {
    const isAwaited = settle !== null;
    if (this.#chars + text.length > queueMaxChars + (isAwaited ? reservedChars : 0)) this.#isFull = true;
    else if (isAwaited || !this.#isFull) {
      this.#append({ text, settle });
      return true;
    }
    this.#dropped += 1;
    this.#untold += 1;
    return false;
  }

  #append(line: LogLine): void {
    this.#lines.push(line);
    this.#chars += line.text.length;
    if (line.settle !== null) this.#awaited += 1;
  }

  /** Takes out as many lines as go into one write; they use their room until `release`. */
  take(): LogLine[] {
    if (this.#isFull && this.#chars <= queueMaxChars / 2) this.#tellDropped();
    let chars = 0;
    const after = this.#lines.findIndex(({ text }) => {
      chars += text.length;
      return chars > chunkMaxChars;
    });
    const taken = this.#lines.splice(0, after === -1 ? this.#lines.length : Math.max(1, after));
    this.#awaited -= taken.filter(({ settle }) => settle !== null).length;
    return taken;
  }

  #tellDropped(): void {
    this.#isFull = false;
    const notice = this.#noticeOf?.(this.#untold) ?? '';
    this.#untold = 0;
    this.#append({ text: notice, settle: null });
  }

  /** Gives back the room of lines that were written, and tells who waits for them. */
  release(lines: readonly LogLine[]): void {
    for (const { text, settle } of lines) {
      this.#chars -= text.length;
      settle?.();
    }
  }

  /** Tells whoever waits for one of these lines, or for one in the queue, to wait no longer. */
  giveUpWaiting(lines: readonly LogLine[]): void {
    for (const line of [...lines, ...this.#lines]) {
      line.settle?.();
      line.settle = null;
    }
    this.#awaited = 0;
  }
}
