import type { Static } from 'typebox';
import { oneOf } from '../../input/shapes.ts';

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
