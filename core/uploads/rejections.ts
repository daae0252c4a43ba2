import { type Static, Type } from 'typebox';
import type { CodeProblem } from '../codes/code-rules.ts';
import { limits } from '../limits.ts';
import type { LineProblem } from './formats/row-sink.ts';

/**
 * Why a row was not taken; a closed list.
 * - `broken-line`: not CSV or not JSON, a JSON object without a code in it, or a file that lost its line breaks
 * - `line-too-long`: a line, a CSV record's quoted cells or a JSON object beyond 65,536 characters (a string of a JSON
 *   document: 4,096)
 * - `heading`: in JSON and NDJSON, a first string that is what a column of codes is called
 * - `wrong-column-count`: more columns than the header has, empty ones aside, or fewer
 * - `code-too-short`, `code-too-long`, `code-has-invalid-character`: not 4 to 64 of `A-Z 0-9 - _`
 * - `belongs-to-pattern`: a pattern of the tenant could produce it, now or later
 * - `duplicate-in-file`: an earlier line has the same code
 * - `duplicate-in-book`: the book has it from an earlier upload, or as its public code
 * - `duplicate-in-another-book`: another book of the tenant has it, as its public code perhaps, so that this one can't
 */
export type RejectionReason =
  | LineProblem
  | CodeProblem['problem']
  | 'belongs-to-pattern'
  | 'duplicate-in-file'
  | 'duplicate-in-book'
  | 'duplicate-in-another-book';

/** A row that was not taken. In its code, control characters and broken halves of characters are replaced. */
export const Rejection = Type.Object({
  line: Type.Integer({ minimum: 1, description: 'From 1, the header included; in JSON the number of the code.' }),
  code: Type.String({ description: 'What stood there, cut to the length of a code.' }),
  reason: Type.Unsafe<RejectionReason>({
    type: 'string',
    description:
      '`broken-line`, `line-too-long`, `wrong-column-count`, `heading` (in JSON and NDJSON, what a column of codes is called), `code-too-short`, `code-too-long`, `code-has-invalid-character`, `belongs-to-pattern` (a generated deck could hold it), `duplicate-in-file`, `duplicate-in-book` (uploaded to it before, or its public code), or `duplicate-in-another-book` (a code is of one book only).',
    examples: ['duplicate-in-file'],
  }),
  hint: Type.Optional(Type.String({ description: 'How to mend it, where that is known.' })),
});
export type Rejection = Static<typeof Rejection>;

/** The rejections of an upload: all counted, the first limits.uploadMaxRejectionsNamed by line kept. */
export interface Rejections {
  readonly count: number;
  readonly first: readonly Rejection[];
}

/**
 * The first mistakes of a file of which some stand behind so many duplicates that its first rejections leave them out,
 * as where a file is brought again after a part of it was mended; null: the rejections name them as far as any.
 * @param mistakes the first of them, by line
 */
export function mistakesBehind(first: readonly Rejection[], mistakes: readonly Rejection[]): Rejection[] | null {
  const lastLine = first.at(-1)?.line ?? 0;
  return mistakes.some(({ line }) => line > lastLine) ? [...mistakes] : null;
}

/** The part of a rejected text that may be shown: no longer than a code, without characters that control a terminal. */
export function showText(text: string): string {
  const shown = text
    .slice(0, limits.codeLengthMaxChars)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD')
    .toWellFormed();
  // Copied through bytes, so that these few characters do not keep the whole piece of the file in memory.
  return Buffer.from(shown).toString();
}

/** The first rejections of both lists by line. */
export function mergeRejections(a: Rejections, b: Rejections): Rejections {
  const first = [...a.first, ...b.first].sort((x, y) => x.line - y.line).slice(0, limits.uploadMaxRejectionsNamed);
  return { count: a.count + b.count, first };
}
