import { openLines } from './upload-lines.ts';
import type { RowSink, TextReader } from './upload-rows.ts';

/**
 * Reads one JSON value a line: the code as a string, or an object with the code as its `code`, whose other fields do
 * not matter, like a CSV's other columns. Any other line is broken.
 */
export function openNdjsonRows(sink: RowSink): TextReader {
  return openLines({
    line(number, text) {
      if (text.trim() === '') return;
      const code = codeOf(text);
      if (code === null) sink.broken(number, text, 'broken-line');
      else sink.row(number, code);
    },
    tooLong: (number, beginning) => sink.broken(number, beginning, 'line-too-long'),
  });
}

function codeOf(text: string): string | null {
  const value = parse(text);
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'code')) return null;
  const { code } = value as { code: unknown };
  return typeof code === 'string' ? code : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
