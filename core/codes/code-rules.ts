import { limits } from '../limits.ts';

/** Why a text is no code; the message names the fix. */
export interface CodeProblem {
  readonly ok: false;
  readonly problem: 'code-too-short' | 'code-too-long' | 'code-has-invalid-character';
  readonly message: string;
}

/** A code in its one stored form, or why the text is none. */
export type CodeResult = { readonly ok: true; readonly code: string } | CodeProblem;

/** A code as it is stored, which most texts are that anybody sends. */
const STORED_CODE = new RegExp(`^[A-Z0-9_-]{${limits.codeLengthMinChars},${limits.codeLengthMaxChars}}$`);
const INVALID_CHARACTER = /[^A-Z0-9_-]/u;

/**
 * The text with its ASCII letters in upper case; other letters stay as they are. Unicode upper-casing would turn `ı`
 * into `I` and `ß` into `SS`, and so let texts that nobody was given pass for a code.
 */
export function upperCaseAscii(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

const BEYOND_ASCII = /[\u0080-\uFFFF]/;
/** Every dash of Unicode, the minus signs, the hyphen bullet, and what a Japanese keyboard gives for a dash. */
const DASHES = /[\p{Pd}\u02D7\u2043\u207B\u208B\u2212\u2796\u30FC\uFF70]/gu;
/** What has no width: soft hyphens, joiners, marks of direction, byte order marks, variation selectors. */
const INVISIBLE = /[\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF]|\p{Variation_Selector}/gu;

/**
 * The text as codes are stored and compared: every dash as `-`, without characters that nobody sees and the white space
 * around it, and in upper case. Word processors and telephones put such dashes and characters into what people copy; no
 * stored code can hold one, so two codes never become the same by it.
 */
export function normaliseCode(text: string): string {
  const trimmed = text.trim();
  if (!BEYOND_ASCII.test(trimmed)) return upperCaseAscii(trimmed);
  return upperCaseAscii(trimmed.replace(DASHES, '-').replace(INVISIBLE, '').trim());
}

/**
 * Whether a normalised text is a code: 4 to 64 characters, each of `A-Z`, `0-9`, `-` or `_`.
 *
 * Lengths are in UTF-16 units, which are characters for every text that is a code.
 */
export function checkCode(normalised: string): CodeResult {
  if (normalised.length < limits.codeLengthMinChars)
    return refuse(
      'code-too-short',
      `a code has at least ${limits.codeLengthMinChars} characters; this one has ${normalised.length}`,
    );
  if (normalised.length > limits.codeLengthMaxChars)
    return refuse(
      'code-too-long',
      `a code has at most ${limits.codeLengthMaxChars} characters; this one has ${normalised.length}`,
    );
  const invalid = INVALID_CHARACTER.exec(normalised);
  if (invalid)
    return refuse(
      'code-has-invalid-character',
      `a code has only A-Z, 0-9, "-" and "_"; replace ${JSON.stringify(invalid[0])} at character ${invalid.index + 1}`,
    );
  return { ok: true, code: normalised };
}

/** Whether a code has a letter or a digit, and so is no line that a program drew. */
export function hasLetterOrDigit(code: string): boolean {
  return /[A-Z0-9]/.test(code);
}

/** The one spelling of a code that a request names; what can be no code stays as it is. */
export function spellCode(text: string): string {
  const read = readCode(text);
  return read.ok ? read.code : text;
}

/** Normalises a typed or uploaded text and checks it: the way in for every code that somebody typed. */
export function readCode(text: string): CodeResult {
  if (STORED_CODE.test(text)) return { ok: true, code: text };
  return checkCode(normaliseCode(text));
}

function refuse(problem: CodeProblem['problem'], message: string): CodeProblem {
  return { ok: false, problem, message };
}
