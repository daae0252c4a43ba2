import type { TextReader } from './upload-rows.ts';

/** Takes one line at a time, without its line break; `number` counts from 1. */
export interface LineSink {
  line(number: number, text: string): void;
  /** A line of more than lineMaxChars characters, of which only the beginning is at hand. */
  tooLong(number: number, beginning: string): void;
}

/** A line with one code has at most 64 characters, so a thousand times as many leave room for other columns. */
export const lineMaxChars = 65_536;

/** Cuts text into lines at LF or CR LF. What a line without an end costs in memory is bounded by lineMaxChars. */
export function openLines(sink: LineSink): TextReader {
  let number = 1;
  let rest = '';
  let isSkipping = false;

  const finish = (text: string) => {
    if (isSkipping) isSkipping = false;
    else sink.line(number, text.endsWith('\r') ? text.slice(0, -1) : text);
    number += 1;
  };

  return {
    push(text) {
      let start = 0;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
        finish(rest === '' ? text.slice(start, end) : rest + text.slice(start, end));
        rest = '';
        start = end + 1;
      }
      if (isSkipping) return;
      rest += text.slice(start);
      if (rest.length > lineMaxChars) {
        sink.tooLong(number, rest);
        isSkipping = true;
        rest = '';
      }
    },
    end() {
      if (rest !== '') finish(rest);
    },
  };
}
