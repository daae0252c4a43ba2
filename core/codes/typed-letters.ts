import { hasLetterOrDigit, normaliseCode } from './code-rules.ts';
import { formatCodes, lookalikes, type Pattern } from './pattern-rules.ts';

/**
 * The letters and digits of a code, in upper case, in the order in which somebody read, heard or typed them: without
 * dashes, underscores, blanks, dots and whatever else people put between groups of letters. Null for a text that can be
 * no code, since it has no letter or digit, or one that codes do not have.
 */
export function typedLetters(text: string): string | null {
  // NFKC makes one of the wide letters of a Japanese keyboard and of the usual ones.
  const letters = normaliseCode(text.normalize('NFKC')).replace(/[^\p{L}\p{N}]/gu, '');
  return hasLetterOrDigit(letters) && /^[A-Z0-9]+$/.test(letters) ? letters : null;
}

/** The letter or digit, and those that people take for it: `O` and `0`; `I`, `L` and `1`. */
export function likeSymbols(letter: string): string[] {
  const digit = lookalikes.get(letter) ?? letter;
  const letters = [...lookalikes].flatMap(([each, of]) => (of === digit ? [each] : []));
  return [...new Set([letter, digit, ...letters])];
}

/**
 * The code of a pattern that has these letters, as it is stored; null where the pattern has none. Nothing says that the
 * code was ever made. Of two symbols that look alike and are both of the pattern's alphabet, the typed one counts.
 *
 * @param letters what `typedLetters` gave.
 */
export function codeOfLetters(pattern: Pattern, letters: string): string | null {
  const { template, placeholders, numeralByAscii } = pattern;
  const numerals = new Uint8Array(placeholders.length);
  let used = 0;
  let filled = 0;
  for (const character of template) {
    if (character === '-' || character === '_') continue;
    const letter = letters[used++];
    if (letter === undefined) return null;
    if (character !== '#') {
      if (!likeSymbols(letter).includes(character)) return null;
      continue;
    }
    const symbol = likeSymbols(letter).find((each) => pattern.alphabet.includes(each));
    if (symbol === undefined) return null;
    numerals[filled++] = numeralByAscii[symbol.charCodeAt(0)]!;
  }
  return used === letters.length ? formatCodes(pattern, numerals)[0]! : null;
}
