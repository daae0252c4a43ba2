import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import type { WriteMark } from '../../core/index.ts';

/** The files with marks that exist in a home, the oldest first. */
export const marksFileNames = ['deck-marks.log.2', 'deck-marks.log.1', 'deck-marks.log'] as const;

/** A longer file is renamed and a new one begun. Together they hold the marks of some four million requests. */
const fileMaxBytes = 64 * 1024 * 1024;
/** How long a deal waits for its mark to be written, so that a stalled disk does not stop dealing. */
const giveUpMillis = 200;
const saySeldomMillis = 10_000;

interface MarkLine {
  text: string;
  done: () => void;
}

/**
 * Keeps the marks of an installation on one machine in `<home>/deck-marks.log`, where `after-restore` finds them. Lines
 * are written in their order, all that have come in one write. A line that can't be written within a fifth of a second
 * is given up, and that is told. From then on nobody waits, until the disk has taken a line again. The directory must
 * exist.
 *
 * @param say receives single lines for people.
 */
export function keepMarks(home: string, say: (line: string) => void): WriteMark {
  let waiting: MarkLine[] = [];
  let isWriting = false;
  let lastSaid = Number.NEGATIVE_INFINITY;
  /** Whether the last line was given up. Then batches do not wait: each would wait for the stalled disk anew. */
  let isStalled = false;
  const file = openMarksFile(home);

  const complain = (why: string) => {
    if (performance.now() - lastSaid < saySeldomMillis) return;
    lastSaid = performance.now();
    say(`Marks for after-restore can't be kept in ${home}: ${why}`);
  };
  const writeAll = async () => {
    isWriting = true;
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      await file
        .append(lines.map(({ text }) => text).join(''))
        .then(() => {
          isStalled = false;
        })
        .catch((error: unknown) => complain(error instanceof Error ? error.message : String(error)));
      for (const { done } of lines) done();
    }
    isWriting = false;
  };
  return (fields, message) => {
    const text = `${JSON.stringify({ time: new Date().toISOString(), ...fields, msg: message })}\n`;
    if (isStalled && isWriting) {
      complain('the disk has stalled');
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        isStalled = true;
        complain(`the disk takes longer than ${giveUpMillis} ms`);
        // It must not grow while nothing is written.
        waiting = waiting.filter((line) => line.text !== text);
        resolve();
      }, giveUpMillis);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      waiting.push({ text, done });
      if (!isWriting) void writeAll();
    });
  };
}

interface MarksFile {
  append(text: string): Promise<void>;
}

/** A file that is opened when it is first written to, and again after a failure. */
function openMarksFile(home: string): MarksFile {
  const [oldest, older, newest] = marksFileNames.map((name) => `${home}/${name}`) as [string, string, string];
  let handle: FileHandle | null = null;
  let bytes = 0;

  const openNewest = async (): Promise<FileHandle> => {
    if (handle !== null && bytes < fileMaxBytes) return handle;
    await handle?.close();
    handle = null;
    if (bytes >= fileMaxBytes) {
      await rename(older, oldest).catch(() => {});
      await rename(newest, older);
    }
    const opened = await open(newest, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600);
    handle = opened;
    bytes = (await opened.stat()).size;
    // If the last writer was killed, its last line may be incomplete.
    if (bytes > 0) await opened.appendFile('\n');
    return opened;
  };
  return {
    async append(text) {
      try {
        const opened = await openNewest();
        await opened.appendFile(text);
        bytes += Buffer.byteLength(text);
      } catch (error) {
        await handle?.close().catch(() => {});
        handle = null;
        throw error;
      }
    },
  };
}
