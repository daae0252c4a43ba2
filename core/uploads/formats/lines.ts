import { limits } from '../../limits.ts';
import type { TextReader } from './row-sink.ts';

/** Takes one line at a time, without its line break; `number` counts from 1. */
export interface LineSink {
  line(number: number, text: string): void;
  /** A line of more than limits.uploadLineMaxChars characters. Only its beginning is given. */
  tooLong(number: number, beginning: string): void;
  /** The rest of the line that is too long, in pieces. */
  skipped?(text: string): void;
}

/** Cuts text into lines. */
export interface LineReader extends TextReader {
  /** Whether a line break has been seen. False at the end: the text is one line without a line break. */
  readonly hasBreaks: boolean;
}

/**
 * Cuts text into lines at LF or CR LF, or at CR alone where there is no LF in its first limits.uploadLineMaxChars
 * characters. What a line without an end costs in memory is bounded by limits.uploadLineMaxChars.
 */
export function openLines(sink: LineSink): LineReader {
  let number = 1;
  let rest = '';
  let isSkipping = false;
  let hasBreaks = false;
  /** Null until it is known which character ends the lines. */
  let lineEnd: '\n' | '\r' | null = null;

  const finish = (text: string) => {
    if (isSkipping) isSkipping = false;
    else sink.line(number, lineEnd !== '\r' && text.endsWith('\r') ? text.slice(0, -1) : text);
    number += 1;
  };

  const cut = (text: string, end: string) => {
    let start = 0;
    for (let at = text.indexOf(end); at >= 0; at = text.indexOf(end, start)) {
      hasBreaks = true;
      if (isSkipping) sink.skipped?.(text.slice(start, at));
      finish(rest === '' ? text.slice(start, at) : rest + text.slice(start, at));
      rest = '';
      start = at + 1;
    }
    if (isSkipping) {
      sink.skipped?.(text.slice(start));
      return;
    }
    rest += text.slice(start);
    if (rest.length > limits.uploadLineMaxChars) {
      sink.tooLong(number, rest);
      isSkipping = true;
      rest = '';
    }
  };

  /** Cuts all that has come, where it has just become known what ends the lines; else keeps it. */
  const cutAll = (text: string) => {
    if (lineEnd === null) rest += text;
    else {
      const all = rest + text;
      rest = '';
      cut(all, lineEnd);
    }
  };

  return {
    get hasBreaks() {
      return hasBreaks;
    },
    push(text) {
      if (lineEnd !== null) return cut(text, lineEnd);
      lineEnd = endOfLines(rest, text, false);
      cutAll(text);
    },
    end() {
      if (lineEnd === null) {
        lineEnd = endOfLines(rest, '', true);
        cutAll('');
      }
      if (rest !== '') finish(rest);
    },
  };
}

/** What ends the lines of a text that begins so; null where that can't be known yet. */
function endOfLines(rest: string, text: string, isAll: boolean): '\n' | '\r' | null {
  if (text.includes('\n')) return '\n';
  if (!isAll && rest.length + text.length <= limits.uploadLineMaxChars) return null;
  return rest.includes('\r') || text.includes('\r') ? '\r' : '\n';
}
