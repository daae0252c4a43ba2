import { type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';
import type { Config, WriteMark } from '../../../core/index.ts';
import type { Output } from './output.ts';
import { openStandardOutput } from './standard-output.ts';

/** The process's log. Writing it never waits, and never fails: see output.ts. */
export interface ContainerLog {
  log: Logger;
  writeMark: WriteMark;
  /** Writes text for people, of one or more whole lines, between the lines of the log and whatever its level is. */
  say(text: string): void;
  /** Lines that were dropped because they could not be written in time, since the start. */
  droppedLines(): number;
  /** Writes what is left. Resolves within a second, and never rejects. */
  flush(): Promise<void>;
}

/** How a line of the log, which is JSON, is shown. Both end with a line feed. */
export type LineFormat = (line: string) => string;

/** What may be chosen of a log. */
export interface LogOptions {
  /** Standard output unless given. */
  output?: Output;
  /** For a terminal, where people read; everywhere else the lines are JSON. */
  terminalFormat?: LineFormat;
}

/** Opens the log: one JSON line each, to the standard output. A request never waits for it. */
export function openLog(level: Config['logLevel'], options: LogOptions = {}): ContainerLog {
  let last = '';
  const keep = (line: string) => {
    last = format(line);
  };
  const always = pino({ ...lineOptions, level: 'info' }, { write: keep });
  const lineOf = (severity: 'info' | 'warn', fields: object, message: string) => {
    always[severity](fields, message);
    return last;
  };
  const notice = (dropped: number) => lineOf('warn', { dropped }, `${dropped} log lines were dropped`);
  const out = options.output ?? openStandardOutput(1, notice);
  const format = (out.isTerminal && options.terminalFormat) || asItIs;
  const log = pino({ ...lineOptions, level }, { write: (line) => out.write(format(line)) });
  return {
    log,
    writeMark: (fields, message) => out.writeNow(lineOf('info', fields, message)),
    say: (text) => out.write(text),
    droppedLines: () => out.droppedLines(),
    flush: () => out.flush(),
  };
}

const asItIs: LineFormat = (line) => line;

const lineOptions = {
  base: { service: 'qurable-api' },
  timestamp: stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
} satisfies LoggerOptions;
