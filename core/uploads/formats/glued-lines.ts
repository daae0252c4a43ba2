import { limits } from '../../limits.ts';

/** The hint for a file that comes as one line. */
export const noLineBreaks =
  'The file has no line breaks: "curl -d" takes them out, "curl --data-binary @file" sends a file as it is. End a single line with a line break.';

/** A heading in small letters with a code behind it. */
const headingBefore = /^"?(?:[A-Za-z]+[_ -]?)?[Cc]odes?"?(?=[A-Z0-9])/;
/** Something of at least six characters that comes at least twice. */
const repeated = /^(.{6,32})\1+$/;

/**
 * Whether a file's only line, which has no line break, looks like several lines that lost theirs: it is longer than any
 * code, has a heading with something behind it, or is a row of texts of one form. As one code it would be one that
 * nobody has.
 */
export function isGlued(line: string): boolean {
  const text = line.trim();
  if (text.length > limits.codeLengthMaxChars || headingBefore.test(text)) return true;
  const form = text
    .replace(/^codes?/i, '')
    .replace(/[A-Za-z]/g, 'A')
    .replace(/[0-9]/g, '0');
  const unit = repeated.exec(form)?.[1];
  return unit !== undefined && new Set(unit).size > 1;
}
