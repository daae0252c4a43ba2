import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openLog } from '../../containers/api/observe/log.ts';
import { type Output, openOutput, type Sink } from '../../containers/api/observe/output.ts';

/** A sink of the test's own: what it was handed waits until the test answers for the operating system. */
class Disk {
  readonly asked: { text: string; done: Parameters<Sink>[1] }[] = [];
  written = '';
  readonly sink: Sink = (bytes, done) => void this.asked.push({ text: bytes.toString(), done });

  /** Answers the oldest question: takes so many bytes, all unless said, and fails where an error is given. */
  answer({ bytes, error = null }: { bytes?: number; error?: Error | null } = {}): void {
    const { text, done } = this.asked.shift()!;
    const taken = error === null ? (bytes ?? text.length) : (bytes ?? 0);
    this.written += text.slice(0, taken);
    done(error, taken);
  }

  answerAll(): void {
    while (this.asked.length > 0) this.answer();
  }
}

const full = new Error('ENOSPC: no space left on device, write');
const notice = (dropped: number) => `${dropped} dropped\n`;

let disk: Disk;
let output: Output;
beforeEach(() => {
  jest.useFakeTimers();
  disk = new Disk();
  output = openOutput(disk.sink, false, notice);
});
afterEach(() => {
  jest.useRealTimers();
});
const turn = () => jest.advanceTimersByTime(0);
/** As long as lines are gathered behind a write. */
const gatherMillis = 20;

/** Answers every write, of lines that are gathered too. */
function writeAll(): void {
  do {
    disk.answerAll();
    jest.advanceTimersByTime(gatherMillis);
  } while (disk.asked.length > 0);
}

/** Whether a promise is settled after everything that is due now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await Promise.resolve();
  await Promise.resolve();
  return settled;
}

describe('lines', () => {
  test('of one turn go out in one write, in their order', () => {
    output.write('one\n');
    output.write('two\n');
    turn();
    expect(disk.asked.map(({ text }) => text)).toEqual(['one\ntwo\n']);
  });

  test('behind a write are gathered for 20 ms, and then share a write', () => {
    output.write('one\n');
    turn();
    disk.answerAll();
    output.write('two\n');
    jest.advanceTimersByTime(gatherMillis - 1);
    output.write('three\n');
    expect(disk.asked).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(disk.asked.map(({ text }) => text)).toEqual(['two\nthree\n']);
  });

  test('that are gathered go out at once with one that somebody waits for, and once they fill a write', () => {
    output.write('one\n');
    turn();
    disk.answerAll();
    output.write('two\n');
    void output.writeNow('mark\n');
    turn();
    expect(disk.asked.map(({ text }) => text)).toEqual(['two\nmark\n']);
    disk.answerAll();
    output.write(`${'x'.repeat(65_536)}\n`);
    turn();
    expect(disk.asked).toHaveLength(1);
  });

  test('that came while a write was under way are gathered behind it', () => {
    output.write('one\n');
    turn();
    output.write('two\n');
    disk.answerAll();
    turn();
    expect(disk.asked).toEqual([]);
    jest.advanceTimersByTime(gatherMillis);
    expect(disk.asked.map(({ text }) => text)).toEqual(['two\n']);
  });

  test('that could not be written are written later, whole, from where the write ended', () => {
    output.write('first line\n');
    output.write('second line\n');
    turn();
    disk.answer({ bytes: 15, error: full });
    output.write('third line\n');
    turn();
    expect(disk.asked).toEqual([]);
    jest.advanceTimersByTime(500);
    disk.answer({ bytes: 3 });
    writeAll();
    expect(disk.written).toBe('first line\nsecond line\nthird line\n');
    expect(output.droppedLines()).toBe(0);
  });

  test('beyond two million characters are dropped and counted, and a notice stands where they are missing', () => {
    const line = `${'x'.repeat(999)}\n`;
    for (let count = 0; count < 2_500; count += 1) output.write(line);
    turn();
    disk.answer({ error: full });
    expect(output.droppedLines()).toBe(500);
    jest.advanceTimersByTime(500);
    writeAll();
    output.write('after\n');
    turn();
    writeAll();
    const lines = disk.written.split('\n');
    const at = lines.indexOf('500 dropped');
    expect(at).toBeGreaterThan(0);
    expect(lines.slice(0, at)).toEqual(Array(at).fill(line.trimEnd()));
    expect([lines.length, lines.at(-2), disk.written.match(/dropped/g)?.length]).toEqual([2_003, 'after', 1]);
  });
});

describe('a line that somebody waits for', () => {
  test('resolves once it and the lines before it are with the operating system, not sooner', async () => {
    output.write('before\n');
    const written = output.writeNow('mark\n');
    turn();
    expect(await isSettled(written)).toBe(false);
    writeAll();
    expect([await isSettled(written), disk.written]).toEqual([true, 'before\nmark\n']);
  });

  test('is waited for 100 ms at most while nothing is taken, and then not at all until something is', async () => {
    const first = output.writeNow('first\n');
    turn();
    jest.advanceTimersByTime(99);
    expect(await isSettled(first)).toBe(false);
    jest.advanceTimersByTime(1);
    expect(await isSettled(first)).toBe(true);
    expect(await isSettled(output.writeNow('second\n'))).toBe(true);
    writeAll();
    expect(disk.written).toBe('first\nsecond\n');
    const third = output.writeNow('third\n');
    expect(await isSettled(third)).toBe(false);
    turn();
    writeAll();
    expect(await isSettled(third)).toBe(true);
  });

  test('resolves as soon as the write has failed, and is written once that is possible', async () => {
    const mark = output.writeNow('mark\n');
    turn();
    disk.answer({ error: full });
    expect(await isSettled(mark)).toBe(true);
    jest.advanceTimersByTime(500);
    writeAll();
    expect(disk.written).toBe('mark\n');
  });

  test('has room in a queue that is full of others', async () => {
    for (let count = 0; count < 2_500; count += 1) output.write(`${'x'.repeat(999)}\n`);
    const mark = output.writeNow('mark\n');
    turn();
    writeAll();
    expect(await isSettled(mark)).toBe(true);
    expect(disk.written).toContain('\nmark\n');
  });
});

describe('the last flush', () => {
  test('resolves once everything is written', async () => {
    output.write('last\n');
    const flushed = output.flush();
    expect(await isSettled(flushed)).toBe(false);
    writeAll();
    expect([await isSettled(flushed), disk.written]).toEqual([true, 'last\n']);
  });

  test('ends after a second where nothing is taken', async () => {
    output.write('last\n');
    turn();
    const flushed = output.flush();
    jest.advanceTimersByTime(999);
    expect(await isSettled(flushed)).toBe(false);
    jest.advanceTimersByTime(1);
    expect(await isSettled(flushed)).toBe(true);
  });

  test('tries what failed once more at once, and gives up where that fails too', async () => {
    output.write('last\n');
    turn();
    disk.answer({ error: full });
    const flushed = output.flush();
    disk.answer({ error: full });
    expect(await isSettled(flushed)).toBe(true);
  });
});

test('a mark is a line like the log’s others, whatever the level is', async () => {
  const log = openLog('silent', { output });
  log.log.error({}, 'unseen');
  void log.writeMark({ decks: [[1, 2, 3]] }, 'deck marks');
  turn();
  writeAll();
  expect(JSON.parse(disk.written)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    service: 'qurable-api',
    decks: [[1, 2, 3]],
    msg: 'deck marks',
  });
});
