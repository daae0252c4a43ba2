import { StringDecoder } from 'node:string_decoder';
import type { Static } from 'typebox';
import { invalidInput } from '../../errors.ts';
import { oneOf } from '../../input/shapes.ts';
import { openCsvRows } from './csv.ts';
import { openJsonRows } from './json.ts';
import { openNdjsonRows } from './ndjson.ts';

/** The forms in which codes can be uploaded. */
export type UploadFormat = 'json' | 'csv' | 'ndjson';

/** What the sender says of the first line: `none`, it is a code; `present`, it is a heading, whatever it says. */
export const HeaderRule = oneOf(['none', 'present'], {
  description:
    'What the first line is: `none`, a code like the others, whatever it looks like; `present`, a heading, whatever it is called.',
});
export type HeaderRule = Static<typeof HeaderRule>;

/** Why a line as such can't be read, before anyone looks at its code. */
export type LineProblem = 'broken-line' | 'line-too-long' | 'wrong-column-count' | 'heading';

/** Takes what a reader finds. Lines count from 1, blank ones and the header included; in JSON they count the codes. */
export interface RowSink {
  row(line: number, text: string): void;
  /** @param hint how to mend it, where that is known: a sentence that quotes nothing of the file */
  broken(line: number, text: string, problem: LineProblem, hint?: string): void;
}

/** Reads text piece by piece, cut anywhere, in memory that does not grow with it. */
export interface TextReader {
  /** @throws CouponError `invalid-input` where the text as a whole can't be read */
  push(text: string): void;
  /** @throws CouponError `invalid-input` where the text ends too early */
  end(): void;
}

/** The same for bytes. */
export interface UploadReader {
  push(chunk: Uint8Array): void;
  end(): void;
}

const byteOrderMark = '\uFEFF';

/**
 * Opens a reader of uploaded codes. A line that can't be read is reported and the next one taken; only JSON is one
 * document, which is good or bad as a whole.
 *
 * @param header null: the sender says nothing about the first line
 */
export function openUploadRows(format: UploadFormat, header: HeaderRule | null, sink: RowSink): UploadReader {
  const decoder = new StringDecoder('utf8');
  const reader = openReader(format, header, sink);
  let isFirst = true;
  const push = (text: string) => {
    if (text === '') return;
    reader.push(isFirst && text.startsWith(byteOrderMark) ? text.slice(1) : text);
    isFirst = false;
  };
  return {
    push(chunk) {
      if (isFirst) refuseUtf16(chunk);
      push(decoder.write(chunk));
    },
    end() {
      push(decoder.end());
      reader.end();
    },
  };
}

function openReader(format: UploadFormat, header: HeaderRule | null, sink: RowSink): TextReader {
  if (format === 'json') return openJsonRows(sink, header);
  return format === 'csv' ? openCsvRows(sink, header) : openNdjsonRows(sink, header);
}

/** Spreadsheets save "Unicode text" like this, and each of its lines would be refused for its zero bytes. */
function refuseUtf16(chunk: Uint8Array): void {
  const [first, second] = chunk;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw invalidInput('body', 'is UTF-16; save it as UTF-8');
  }
}
