import { findCodeName, isCodeName } from './code-field-names.ts';
import { openLines } from './lines.ts';
import type { HeaderRule, RowSink, TextReader } from './row-sink.ts';

/**
 * Reads one JSON value a line: the code as a string, or an object with the code in the field that CSV's rules for
 * columns name, whose other fields do not matter. Any other line is broken.
 */
export function openNdjsonRows(sink: RowSink, header: HeaderRule | null): TextReader {
  return openLines({
    line(number, text) {
      if (text.trim() !== '') takeJsonValue(sink, number, text, header);
    },
    tooLong: (number, beginning) => sink.broken(number, beginning, 'line-too-long'),
  });
}

/** Takes a JSON text as the row of that number: a string, or an object with a code in it. */
export function takeJsonValue(sink: RowSink, number: number, text: string, header: HeaderRule | null): void {
  const value = parse(text);
  if (typeof value === 'string') {
    takeString(sink, number, value, header);
    return;
  }
  const code = codeOf(value);
  if (code === 'several') sink.broken(number, text, 'broken-line', severalFields);
  else if (code === null) sink.broken(number, text, 'broken-line');
  else sink.row(number, code.text);
}

/** Takes a string as the row of that number. If the first one is the name of a column, it is a heading. */
export function takeString(sink: RowSink, number: number, text: string, header: HeaderRule | null): void {
  if (number === 1 && header !== 'none' && isCodeName(text)) sink.broken(number, text, 'heading', headingAsCode);
  else sink.row(number, text);
}

const severalFields = 'Several fields may have the code; call the one that has it "code".';
const headingAsCode = 'This is what a column of codes is called. Where it is a code, send it with ?header=none.';

function codeOf(value: unknown): { text: string } | 'several' | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const names = Object.keys(value);
  const at = findCodeName(names);
  if (typeof at === 'string') return at === 'several' ? at : null;
  const code = (value as Record<string, unknown>)[names[at]!];
  return typeof code === 'string' ? { text: code } : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
