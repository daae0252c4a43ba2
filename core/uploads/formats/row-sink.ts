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

/** Why a line can't be read, before its code is checked. */
export type LineProblem = 'broken-line' | 'line-too-long' | 'wrong-column-count' | 'heading';

/**
 * Takes what a reader finds. Lines are numbered from 1, with blank ones and the header. In JSON, codes are numbered.
 */
export interface RowSink {
  row(line: number, text: string): void;
  /** @param hint a sentence that says how to mend it, if that is known; it quotes nothing of the file */
  broken(line: number, text: string, problem: LineProblem, hint?: string): void;
}

/** Reads text in pieces that may be cut anywhere. Its memory does not grow with the text. */
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
