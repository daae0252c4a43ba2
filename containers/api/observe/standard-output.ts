import { fstatSync, write as writeFile } from 'node:fs';
import { isatty } from 'node:tty';
import { type Output, openOutput, type Sink } from './output.ts';

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
