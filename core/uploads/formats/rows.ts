import { StringDecoder } from 'node:string_decoder';
import { invalidInput } from '../../errors.ts';
import { openCsvRows } from './csv.ts';
import { openJsonRows } from './json.ts';
import { openNdjsonRows } from './ndjson.ts';
import type { HeaderRule, RowSink, TextReader, UploadFormat, UploadReader } from './row-sink.ts';

const byteOrderMark = '\uFEFF';

/**
 * Opens a reader of uploaded codes. A line that can't be read is reported and the next one taken; only JSON is one
 * document, which is good or bad as a whole.
 *
 * @param header null: the sender says nothing about the first line
 */
export function openUploadRows(format: UploadFormat, header: HeaderRule | null, sink: RowSink): UploadReader {
  return openUtf8(openReader(format, header, sink));
}

/**
 * Reads bytes as UTF-8, without the byte order mark at their beginning.
 * @throws CouponError `invalid-input` from `push` where they are UTF-16
 */
export function openUtf8(reader: TextReader): UploadReader {
  const decoder = new StringDecoder('utf8');
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

/** Spreadsheets save "Unicode text" as UTF-16. Each of its lines would be rejected for its zero bytes. */
function refuseUtf16(chunk: Uint8Array): void {
  const [first, second] = chunk;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw invalidInput('body', 'is UTF-16; save it as UTF-8');
  }
}
