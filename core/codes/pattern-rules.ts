import { limits } from '../limits.ts';
import { upperCaseAscii } from './code-rules.ts';

/**
 * A checked pattern: how the codes of one sequence look. Plain immutable data; parsing `template` with `alphabet` gives
 * an equal pattern again, which is how a stored one is read back.
 */
export interface Pattern {
  /** In upper case; `#` stands for one symbol of the alphabet, anything else for itself. */
  readonly template: string;
  /** 2 to 36 distinct symbols of `A-Z 0-9` in ASCII order; a symbol's place is its numeral. */
  readonly alphabet: string;
  /** Where the `#` are in the template, from 0, ascending. */
  readonly placeholders: readonly number[];
  /** How many different codes there are: symbols^placeholders, at least 1,000,000. */
  readonly combinations: bigint;
  /** What may be typed at a `#`: the alphabet and the letters that fold into it. */
  readonly typeable: string;
  /** By ASCII code: the numeral that a typed symbol stands for at a `#`, or `NO_NUMERAL`. */
  readonly numeralByAscii: Uint8Array;
}

/**
 * Why a text is no pattern; the message names the fix. `too-few-combinations` is the contract's `pattern-too-small`.
 */
export interface PatternProblem {
  readonly ok: false;
  readonly problem:
    | 'invalid-alphabet'
    | 'too-short'
    | 'too-long'
    | 'invalid-character'
    | 'no-placeholder'
    | 'too-few-combinations';
  readonly message: string;
}

/** A pattern, or why there is none. */
export type PatternResult = { readonly ok: true; readonly pattern: Pattern } | PatternProblem;

/** A typed text read as a code of a pattern. */
export interface PatternMatch {
  /** The code as it is stored: folded. */
  readonly code: string;
  /** The symbols at the `#` positions as numbers, one a byte, from the left. */
  readonly numerals: Uint8Array;
}

/** How hard a pattern's codes are to guess. */
export interface GuessOdds {
  /** A guess is right one time in so many: combinations / codes, rounded down. */
  readonly oneIn: bigint;
  /** The same for people: two significant digits, so 1,099,511 becomes 1,100,000. */
  readonly rounded: number;
  /** Whether a guess is right more often than one time in 1,000,000. */
  readonly guessable: boolean;
}

const PLACEHOLDER = '#';
const NO_NUMERAL = 255;
const ASCII_CODES = 128;

const NAMED_ALPHABETS: ReadonlyMap<string, string> = new Map([
  // Crockford's base 32 (crockford.com/base32.html): no I, L and O, which look like digits, and no U.
  ['crockford32', '0123456789ABCDEFGHJKMNPQRSTVWXYZ'],
  ['digits', '0123456789'],
]);

/** Letters that people type for a digit, with the digit. */
export const lookalikes: ReadonlyMap<string, string> = new Map([
  ['O', '0'],
  ['I', '1'],
  ['L', '1'],
]);

/**
 * Reads and checks a pattern.
 *
 * Every code that the result makes satisfies the rules for codes (test: "every code of a pattern is a valid code").
 * The template's letters may come in either case, the alphabet's only in upper case. The order of the alphabet's
 * symbols has no meaning to anybody, because codes come out in random order anyway, so it is sorted: the same symbols
 * are the same alphabet.
 *
 * @param template 4 to 64 of `A-Z 0-9 - _ #`, with at least one `#`.
 * @param alphabet `crockford32`, `digits`, or 2 to 36 distinct symbols of `A-Z 0-9`.
 */
export function parsePattern(template: string, alphabet = 'crockford32'): PatternResult {
  const symbols = readAlphabet(alphabet);
  if (typeof symbols !== 'string') return symbols;
  const canonical = upperCaseAscii(template);
  const problem = checkTemplate(canonical);
  if (problem) return problem;

  const placeholders = [...canonical].flatMap((character, at) => (character === PLACEHOLDER ? [at] : []));
  if (placeholders.length === 0)
    return refuse('no-placeholder', 'a pattern needs at least one "#", which stands for one symbol of the alphabet');
  const combinations = BigInt(symbols.length) ** BigInt(placeholders.length);
  if (combinations < limits.patternCombinationsMin)
    return refuse('too-few-combinations', describeFloor(symbols.length, placeholders.length, combinations));

  const typeable = symbols + foldingLetters(symbols);
  const numeralByAscii = numeralTable(symbols, typeable);
  return {
    ok: true,
    pattern: { template: canonical, alphabet: symbols, placeholders, combinations, typeable, numeralByAscii },
  };
}

function readAlphabet(alphabet: string): string | PatternProblem {
  const named = NAMED_ALPHABETS.get(alphabet);
  if (named) return named;
  // Lower case is no symbol: a name that there is not, like "hex" or "numbers", would make codes of its own letters.
  const distinct = [...new Set(alphabet)].sort().join('');
  if (
    /^[A-Z0-9]+$/.test(alphabet) &&
    distinct.length === alphabet.length &&
    distinct.length >= limits.alphabetMinSymbols &&
    distinct.length <= limits.alphabetMaxSymbols
  )
    return distinct;
  return refuse(
    'invalid-alphabet',
    `an alphabet is "crockford32", "digits", or ${limits.alphabetMinSymbols} to ${limits.alphabetMaxSymbols} symbols of A-Z and 0-9, in upper case, each named once`,
  );
}

function checkTemplate(canonical: string): PatternProblem | null {
  const { codeLengthMinChars: min, codeLengthMaxChars: max } = limits;
  if (canonical.length < min)
    return refuse(
      'too-short',
      `a pattern has at least ${min} characters, as its codes do; this one has ${canonical.length}`,
    );
  if (canonical.length > max)
    return refuse(
      'too-long',
      `a pattern has at most ${max} characters, as its codes do; this one has ${canonical.length}`,
    );
  const invalid = /[^A-Z0-9_#-]/u.exec(canonical);
  if (!invalid) return null;
  return refuse(
    'invalid-character',
    `a pattern has only A-Z, 0-9, "-", "_" and "#"; replace ${JSON.stringify(invalid[0])} at character ${invalid.index + 1}`,
  );
}

function describeFloor(symbols: number, placeholders: number, combinations: bigint): string {
  let needed = placeholders;
  while (BigInt(symbols) ** BigInt(needed) < limits.patternCombinationsMin) needed += 1;
  return (
    `a pattern needs at least ${limits.patternCombinationsMin} combinations; this one has ${combinations}: ` +
    `with ${symbols} symbols use at least ${needed} "#", or name more symbols`
  );
}

/** The letters that are read as a symbol of the alphabet though they are none themselves. */
function foldingLetters(symbols: string): string {
  return [...lookalikes]
    .flatMap(([letter, digit]) => (!symbols.includes(letter) && symbols.includes(digit) ? [letter] : []))
    .join('');
}

function numeralTable(symbols: string, typeable: string): Uint8Array {
  const table = new Uint8Array(ASCII_CODES).fill(NO_NUMERAL);
  for (const typed of typeable) {
    const symbol = symbols.includes(typed) ? typed : lookalikes.get(typed)!;
    table[typed.charCodeAt(0)] = symbols.indexOf(symbol);
  }
  return table;
}

function refuse(problem: PatternProblem['problem'], message: string): PatternProblem {
  return { ok: false, problem, message };
}

/** Whether two patterns make the same codes from the same sequence, so that one continues the other. */
export function isSamePattern(a: Pattern, b: Pattern): boolean {
  return a.template === b.template && a.alphabet === b.alphabet;
}

/**
 * One typed text that could be read as a code of both patterns, or null where there is none: their lengths are equal,
 * and at each position some character may be typed for both. Equal patterns have one too.
 */
export function commonText(a: Pattern, b: Pattern): string | null {
  if (a.template.length !== b.template.length) return null;
  let text = '';
  for (let at = 0; at < a.template.length; at += 1) {
    const typeableInB = typeableAt(b, at);
    const character = [...typeableAt(a, at)].find((each) => typeableInB.includes(each));
    if (character === undefined) return null;
    text += character;
  }
  return text;
}

function typeableAt(pattern: Pattern, at: number): string {
  const character = pattern.template[at]!;
  return character === PLACEHOLDER ? pattern.typeable : character;
}

/**
 * The pattern's typed texts as an anchored regular expression, for a search among stored codes; it means the same to
 * JavaScript and to PostgreSQL's `~`. A text that it matches is one that `matchPattern` reads.
 */
export function patternExpression(pattern: Pattern): string {
  const symbol = `[${pattern.typeable}]`;
  return `^${pattern.template.replaceAll(PLACEHOLDER, symbol)}$`;
}

/**
 * Reads a text as a code of the pattern, or gives null where it cannot be one. At `#` positions `O` reads as `0`, `I`
 * and `L` as `1`, where the alphabet has the digit and not the letter.
 *
 * That a text matches says nothing about whether its code was ever made.
 *
 * @param normalised what `normaliseCode` gave.
 */
export function matchPattern(pattern: Pattern, normalised: string): PatternMatch | null {
  const { template, placeholders, numeralByAscii } = pattern;
  if (normalised.length !== template.length) return null;
  const numerals = new Uint8Array(placeholders.length);
  for (let at = 0, next = 0; at < template.length; at += 1) {
    if (at === placeholders[next]) {
      const numeral = numeralByAscii[normalised.charCodeAt(at)] ?? NO_NUMERAL;
      if (numeral === NO_NUMERAL) return null;
      numerals[next] = numeral;
      next += 1;
    } else if (normalised.charCodeAt(at) !== template.charCodeAt(at)) {
      return null;
    }
  }
  return { code: formatCodes(pattern, numerals)[0]!, numerals };
}

/**
 * The texts of codes, given the numerals of their `#` positions: those of the first code, then those of the second, and
 * so on, one numeral a byte.
 *
 * @throws RangeError when the array is not a whole number of codes or holds a numeral the alphabet has no symbol for.
 */
export function formatCodes(pattern: Pattern, numerals: Uint8Array): string[] {
  const { template, alphabet, placeholders } = pattern;
  const count = numerals.length / placeholders.length;
  if (!Number.isInteger(count))
    throw new RangeError(`${numerals.length} numerals are not a whole number of codes of ${placeholders.length}`);

  // Written as bytes and read once a code: gluing symbols together one by one costs twice as much and leaves ropes.
  const text = Buffer.alloc(count * template.length, template, 'latin1');
  const codes = new Array<string>(count);
  for (let k = 0, start = 0, next = 0; k < count; k += 1, start += template.length) {
    for (const at of placeholders) text[start + at] = symbolCode(alphabet, numerals[next++]!);
    codes[k] = text.toString('latin1', start, start + template.length);
  }
  return codes;
}

function symbolCode(alphabet: string, numeral: number): number {
  if (numeral >= alphabet.length)
    throw new RangeError(`numeral ${numeral} has no symbol in an alphabet of ${alphabet.length}`);
  return alphabet.charCodeAt(numeral);
}

/**
 * How hard it is to guess one of `codes` codes of the pattern.
 *
 * @param codes all codes of the pattern that exist, of every deck, those about to be made included; at least 1.
 * @throws RangeError when `codes` is not a whole number of at least 1.
 */
export function guessOdds(pattern: Pattern, codes: number): GuessOdds {
  if (!Number.isSafeInteger(codes) || codes < 1) throw new RangeError(`odds need at least one code, not ${codes}`);
  const oneIn = pattern.combinations / BigInt(codes);
  return { oneIn, rounded: roundToTwoDigits(oneIn), guessable: oneIn < limits.guessOddsMin };
}

/** Half up. A number holds the result exactly up to 2^53, and beyond that to its nearest. */
function roundToTwoDigits(value: bigint): number {
  const digits = value.toString().length;
  if (digits <= 2) return Number(value);
  const unit = 10n ** BigInt(digits - 2);
  return Number(((value + unit / 2n) / unit) * unit);
}

/** Why a pattern cannot give so many codes; both are the contract's `pattern-too-small`. */
export interface RoomProblem {
  readonly ok: false;
  readonly problem: 'combinations-run-out' | 'too-guessable';
  readonly message: string;
}

/**
 * Whether a pattern has room for more codes.
 *
 * @param made codes of the pattern's sequence that exist already, in every deck; 0 and up.
 * @param count codes to be made now, at least 1.
 * @param allowGuessable whether the caller accepts odds better than one in 1,000,000.
 * @throws RangeError when `made + count` is not a whole number of at least 1.
 */
export function checkRoom(
  pattern: Pattern,
  made: number,
  count: number,
  allowGuessable: boolean,
): { readonly ok: true; readonly odds: GuessOdds } | RoomProblem {
  const total = made + count;
  const odds = guessOdds(pattern, total);
  if (odds.oneIn < 1n) {
    const message = `the pattern has ${pattern.combinations - BigInt(made)} codes left: add a "#" or ask for fewer codes`;
    return { ok: false, problem: 'combinations-run-out', message };
  }
  if (odds.guessable && !allowGuessable) {
    const message =
      `with ${total} codes${made > 0 ? `, the ${made} generated before included,` : ''} a guess would be right one time in ` +
      `${odds.rounded}, more often than one in ${limits.guessOddsMin}: add a "#", ask for fewer codes, or set "allowGuessable": true`;
    return { ok: false, problem: 'too-guessable', message };
  }
  return { ok: true, odds };
}
